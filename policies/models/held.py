"""Letters that wait for an answer, the questions they ask, the answers, and every decision of the mail host.

`HeldLetter`, `Question`, `Decision`, `Notice` and `Reply` are what the mail host tells us: its agent alone writes them.
An `Answer` is a wish like any other; when it is live on the host, the agent carries it out and notes what became of it.

A letter waits for a person and asks about one address or more: the one it is from, or each stranger it is to. It goes
on when every one of its questions is answered so.
"""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.rules import one_of, shown_address
from accounts.wishes import Concerns, Wish, current
from domains.models import Mailbox
from policies import rules


class Direction(models.TextChoices):
    """Which way a letter goes, from our person's side."""

    IN = "in", _("in")
    OUT = "out", _("out")


class HeldLetter(models.Model):
    """A letter that the mail host keeps back: `in` lies in `<mail>/.held/<key>/`, `out` in Postfix's hold queue.

    `name`: `STATION.REASON/new/FILE`, or the long queue id. `key`: of the mailbox whose person's policy held it.
    `facts`: the value of each `X-Mailadmin-` line by its short name. `excerpt`: the first 300 characters as text. After
    30 days the letter itself is gone, with subject, excerpt and the sender's name for himself.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        EXPIRED = "expired", _("too old")
        GONE = "gone", _("gone")

    host = models.CharField(max_length=60)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    key = models.CharField(max_length=16, db_index=True)
    name = models.CharField(max_length=255)
    queue_id = models.CharField(max_length=32, blank=True, default="")
    arrived = models.DateTimeField()
    station = models.CharField(max_length=8)
    reason = models.CharField(max_length=12)
    login = models.CharField(max_length=254, blank=True, default="")
    client = models.CharField(max_length=60, blank=True, default="")
    sender = models.CharField(max_length=320, blank=True, default="")
    recipients = models.JSONField(default=list)
    author = models.CharField(max_length=254, blank=True, default="")
    called = models.CharField(max_length=200, blank=True, default="")
    facts = models.JSONField(default=dict)
    subject = models.CharField(max_length=300, blank=True, default="")
    excerpt = models.TextField(blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    ended = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-arrived", "-pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "key", "name"], name="held_letter_once")]
        indexes: ClassVar = [models.Index(fields=["state", "key"], name="held_letter_waiting")]

    def __str__(self) -> str:
        return f"{self.direction} {self.name}"

    @property
    def silent(self) -> bool:
        """Asks nobody: who is blocked, and spam, is counted only."""
        return self.reason in rules.SILENT

    def end(self, state: str, at: datetime, outcome: str = "") -> None:
        """It waits no more. What is private in it goes."""
        self.state, self.ended, self.outcome = state, at, outcome[:300]
        self.subject = self.excerpt = self.called = ""
        self.facts = {name: value for name, value in self.facts.items() if name != "Subject"}
        self.save()


class Question(models.Model):
    """May this person write with this address? `like`: an entry of the list that the address looks like.

    `address` is empty for a letter that does not say from whom it is.
    """

    letter = models.ForeignKey(HeldLetter, models.CASCADE, related_name="questions")
    address = models.CharField(max_length=254, blank=True, default="")
    like = models.CharField(max_length=254, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["letter", "address"], name="question_once")]

    def __str__(self) -> str:
        return self.address or "no address"

    @property
    def shown(self) -> str:
        """The address as people write it."""
        return shown_address(self.address)


class Answer(Wish):
    """What somebody said to a question: the first answer stands. `done` and `outcome` are the host's."""

    class Choice(models.TextChoices):
        ONCE = "once", _("let this one through")
        ALWAYS = "always", _("always")
        NO = "no", _("no")
        BLOCK = "block", _("block")

    question = models.OneToOneField(Question, models.PROTECT, related_name="answer")
    choice = models.CharField(max_length=6, choices=Choice.choices)
    by = models.CharField(max_length=254, blank=True, default="")
    when = models.DateTimeField(null=True, blank=True)
    rules: ClassVar = {"choice": lambda value: one_of(value, rules.ANSWERS)}
    quiet: ClassVar = frozenset({"by", "when"})

    class Meta(Wish.Meta):
        ordering: ClassVar = ["pk"]

    def label(self) -> str:
        """What was answered, and to which letter."""
        return f"{self.question.address or 'no address'} in letter {self.question.letter.pk}"

    def concerns(self) -> Concerns:
        """Whose letter it was, if the mailbox is one person's."""
        mailbox = Mailbox.objects.select_related("domain").filter(key=self.question.letter.key).first()
        people = list(mailbox.people.values_list("pk", flat=True)[:2]) if mailbox else []
        person = people[0] if len(people) == 1 else None
        return Concerns(person, mailbox.domain.community_id, mailbox.address) if mailbox else Concerns()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Remember who said it."""
        self.by, self.when = current().author, timezone.now()
        super().save(*args, **kwargs)


class Decision(models.Model):
    """One letter and one mailbox: what the stations decided. `entry`: the line of the list that spoke."""

    host = models.CharField(max_length=60)
    when = models.DateTimeField()
    queue_id = models.CharField(max_length=32)
    key = models.CharField(max_length=16)
    direction = models.CharField(max_length=3, choices=Direction.choices)
    verdict = models.CharField(max_length=8)
    station = models.CharField(max_length=8)
    reason = models.CharField(max_length=12, blank=True, default="")
    author = models.CharField(max_length=254, blank=True, default="")
    proof = models.CharField(max_length=300, blank=True, default="")
    entry = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-when", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["key", "when"], name="decision_of_mailbox"),
            models.Index(fields=["host", "queue_id"], name="decision_of_letter"),
        ]

    def __str__(self) -> str:
        return f"{self.queue_id}: {self.verdict} at {self.station}"


class RuleAct(models.Model):
    """A rule of a mailbox did something with a letter; of the letter nothing but its queue id is kept. For 30 days."""

    host = models.CharField(max_length=60)
    when = models.DateTimeField()
    queue_id = models.CharField(max_length=32)
    key = models.CharField(max_length=16)
    rule = models.CharField(max_length=16)

    class Meta:
        ordering: ClassVar = ["-when", "-pk"]
        constraints: ClassVar = [
            # A letter that is tried again is counted once.
            models.UniqueConstraint(fields=["host", "queue_id", "key", "rule"], name="rule_act_once")
        ]
        indexes: ClassVar = [models.Index(fields=["key", "when"], name="rule_act_of_mailbox")]

    def __str__(self) -> str:
        return f"{self.queue_id}: {self.rule}"


class Notice(models.Model):
    """A letter that the panel wrote to somebody about questions: the newest one that it told, and whether at once."""

    to = models.CharField(max_length=254, db_index=True)
    when = models.DateTimeField()
    digest = models.BooleanField(default=False)
    newest = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.to} {self.when:%Y-%m-%d %H:%M}"


class Reply(models.Model):
    """Somebody who is away, under the key of her mailbox, answered this address: not again for some days."""

    key = models.CharField(max_length=16)
    to = models.CharField(max_length=254)
    when = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["key", "when"], name="reply_of_mailbox")]

    def __str__(self) -> str:
        return f"{self.key} to {self.to} {self.when:%Y-%m-%d %H:%M}"
