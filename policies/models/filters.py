"""What each mailbox does with its letters: filter rules, an answer while away, spam, forwarding."""

from collections.abc import Collection
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from accounts.rules import day, yes_or_no
from accounts.wishes import Concerns, Wish, current
from domains.models import Mailbox, new_key
from domains.rules import key as a_key
from policies import filters


class Filing(Wish):
    """What is one mailbox's own, and goes with it. `by` and `written` say who wrote it last.

    `fresh`: where letters go on to by what was saved, and did not before: it is looked at when all is written.
    """

    fresh: frozenset[str] = frozenset()

    mailbox = models.ForeignKey(Mailbox, models.PROTECT, related_name="filter_rules")
    by = models.CharField(max_length=254, blank=True, default="")
    written = models.DateTimeField(null=True, blank=True)
    quiet: ClassVar = frozenset({"by", "written"})
    goes_with: ClassVar = frozenset({"mailbox"})

    class Meta(Wish.Meta):
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Remember who wrote it, when anything is new."""
        writing, before = current(), type(self)._base_manager.filter(pk=self.pk).first() if self.pk else None
        if before is None or before.values() != self.values():
            self.by, self.written = writing.author, timezone.now()
        super().save(*args, **kwargs)
        self.fresh = frozenset(self.targets()) - frozenset(before.targets() if before else ())

    def concerns(self) -> Concerns:
        """Whose mailbox it is, if it is one person's, in the community whose domain that is in."""
        people = list(self.mailbox.people.values_list("pk", flat=True)[:2])
        person = people[0] if len(people) == 1 else None
        return Concerns(person, self.mailbox.domain.community_id, self.mailbox.address)

    def targets(self) -> list[str]:
        """Where letters go on to by this."""
        return []


class FilterRule(Filing):
    """When all or any of the conditions hold, this happens; a rule without any acts on every letter.

    `when` and `then`: see `policies.filters`. Rules act in the order of `position`. `key` names a rule on the mail host
    and in its log, and is never given again.
    """

    class Match(models.TextChoices):
        ALL = "all", _("all of them")
        ANY = "any", _("any of them")

    key = models.CharField(max_length=16, unique=True, default=new_key)
    position = models.PositiveBigIntegerField(default=0)
    match = models.CharField(_("when"), max_length=3, choices=Match.choices, default=Match.ALL)
    when = models.JSONField(_("conditions"), default=list, blank=True)
    then = models.JSONField(_("actions"), default=list, blank=True)
    active = models.BooleanField(_("switched on"), default=True)
    rules: ClassVar = {
        "key": a_key,
        "match": filters.match,
        "when": filters.when,
        "then": filters.then,
        "active": yes_or_no,
    }

    class Meta(Filing.Meta):
        ordering: ClassVar = ["mailbox", "position", "pk"]

    def label(self) -> str:
        """The rule's key, and whose it is."""
        return f"{self.key} of {self.mailbox.address}"

    def targets(self) -> list[str]:
        """Where letters go on to while the rule is on."""
        return filters.forwards(self.then) if self.active else []

    def forward_no_more(self, gone: Collection[str]) -> bool:
        """Forward to these no more; False when nothing sensible is left: who wished a letter away wished it there."""
        rest = [row for row in self.then if row.get("to") not in gone]
        handed_over = not filters.forwards(rest) and {"action": "discard"} in rest
        self.then = rest
        return bool(rest) and not handed_over


class Once(Filing):
    """What a mailbox has one of: `mailbox.vacation`, `mailbox.spam`, `mailbox.forwarding`."""

    mailbox = models.OneToOneField(Mailbox, models.PROTECT, related_name="%(class)s")

    class Meta(Filing.Meta):
        abstract = True
        ordering: ClassVar = ["mailbox"]

    def label(self) -> str:
        """Whose it is."""
        return self.mailbox.address


class Vacation(Once):
    """An answer to whoever writes, from the `first` to the `last` day in the community's time zone.

    Whoever has got one gets the next after `days` days.
    """

    subject = models.CharField(_("subject"), max_length=150, blank=True, default="")
    text = models.TextField(_("text"))
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))
    days = models.PositiveSmallIntegerField(_("answer the same sender again after days"), default=7)
    rules: ClassVar = {
        "subject": filters.subject,
        "text": filters.letter,
        "first": day,
        "last": day,
        "days": filters.days,
    }

    def clean(self) -> None:
        """It ends after it begins."""
        if self.last < self.first:
            raise ValidationError({"last": gettext("The last day is before the first one: turn them around.")})


class Spam(Once):
    """Letters whose spam score is `over` at least go into a folder; `tag` stands before their subject."""

    over = models.PositiveSmallIntegerField(_("spam score"), default=6)
    folder = models.CharField(_("folder"), max_length=240, default="Junk")
    tag = models.CharField(_("word before the subject"), max_length=20, blank=True, default="")
    rules: ClassVar = {"over": filters.points, "folder": filters.folder, "tag": filters.tag}


class Forwarding(Once):
    """Every letter that no rule has ended for goes on to these addresses; with `keep` it also stays here.

    Without `keep` it goes to the Trash, never away.
    """

    to = models.JSONField(_("addresses"), default=list, blank=True)
    keep = models.BooleanField(_("keep a copy here"), default=True)
    rules: ClassVar = {"to": filters.targets, "keep": yes_or_no}

    def targets(self) -> list[str]:
        """Every address."""
        return list(self.to)

    def forward_no_more(self, gone: Collection[str]) -> bool:
        """Forward to these no more; False when nobody is left."""
        self.to = [address for address in self.to if address not in gone]
        return bool(self.to)
