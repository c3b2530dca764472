"""What the mail hosts told us: how far each log was read, letters and what became of them, letters counted by hour.

None of this is a wish: people look at it and nobody edits it. `Letter` and `Delivery` are raw rows and go after a while
(`reports.ingest`); the tallies stay. An `AccessEntry` says who looked at whose figures, a `ReportSchedule` who gets
them by mail.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q, Sum
from django.utils.translation import gettext_lazy as _

from reports.fields import KeyField, SecondsField, WeekField

BURST: Final = 30  # letters that a mailbox seldom sends within an hour


class LogPosition(models.Model):
    """Up to where a log of a host was counted: the file by its first bytes, and the offset in it."""

    host = models.CharField(max_length=60)
    log = models.CharField(max_length=60, default="mail.log")
    offset = models.PositiveBigIntegerField(default=0)
    fingerprint = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "log"], name="log_position_once")]

    def __str__(self) -> str:
        return f"{self.host} {self.log}: {self.offset}"


class Letter(models.Model):
    """A letter under way. `queued`: it is counted as sent, if it has a login; `abroad`: as sent outside.

    `asked`: it was to wait for somebody's leave. A Message-ID is its writer's: it is looked for and shown, never
    believed.
    """

    host = models.CharField(max_length=60)
    queue_id = models.CharField(max_length=32)
    opened = models.DateTimeField()
    login = models.CharField(max_length=320, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    queued = models.BooleanField(default=False)
    late = models.BooleanField(default=False)
    sender = models.CharField(max_length=320, blank=True, default="")
    message_id = models.CharField(max_length=250, blank=True, default="")
    abroad = models.BooleanField(default=False)
    asked = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "queue_id"], name="open_letter_once")]
        indexes: ClassVar = [models.Index(fields=["host", "opened"], name="open_letter_age")]

    def __str__(self) -> str:
        return self.queue_id


class Word(models.Model):
    """A text that many deliveries have in common, an address or the name of a host.

    `seen`: the day on which it was read last, so that it can be dropped after the last row that has it.
    """

    text = models.CharField(max_length=400, unique=True)
    seen = SecondsField()

    def __str__(self) -> str:
        return self.text


def word(name: str, *, null: bool = True) -> models.ForeignKey[Word | None]:
    """A text of a delivery. Without a constraint: no text could be dropped otherwise but by looking at every row."""
    return models.ForeignKey(
        Word, models.DO_NOTHING, null=null, blank=null, db_index=False, db_constraint=False, related_name=f"{name}+"
    )


class Delivery(models.Model):
    """What became of a letter at one recipient, by the last attempt; raw.

    Of the letter each has what there is to know: when it came, who signed in to send it, its envelope sender, the
    digest of its Message-ID (`reports.fields.digest`), its size, and whether it counts as sent outside (`abroad`), as
    one that had to wait in the queue (`late`), and as one that asked for leave (`asked`). `mailbox`: the key of the
    mailbox of this host that it was for; empty for an address outside. `milliseconds`: from when the letter came. What
    a relay said is kept where it did not take the letter. One that never entered the queue, since nobody let it go, is
    `dropped`, and has no recipient.
    """

    host = models.CharField(max_length=60)
    queue_id = models.CharField(max_length=32)
    opened = SecondsField()
    login = word("login")
    sender = word("sender")
    message = models.BigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    abroad = models.BooleanField(default=False)
    late = models.BooleanField(default=False)
    asked = models.BooleanField(default=False)
    recipient = word("recipient")
    original = word("original")
    mailbox = KeyField(default="")
    when = SecondsField()
    status = models.CharField(max_length=8)
    relay = word("relay")
    milliseconds = models.PositiveBigIntegerField(default=0)
    dsn = models.CharField(max_length=9, blank=True, default="")
    reply = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.CheckConstraint(  # of a list SQLite would make a table, for every row
                condition=Q(status="sent") | Q(status="bounced") | Q(status="deferred") | Q(status="dropped"),
                name="delivery_status",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["queue_id"], name="delivery_queue_id"),
            models.Index(fields=["mailbox", "opened"], name="delivery_mailbox", condition=~Q(mailbox="")),
            models.Index(fields=["login", "opened"], name="delivery_login", condition=Q(login__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.queue_id}: {self.status}"


class FailedSignIn(models.Model):
    """Somebody could not sign in as one of our mailboxes, so many times in one session; raw."""

    host = models.CharField(max_length=60)
    when = SecondsField()
    door = models.CharField(max_length=4)
    mailbox = KeyField()
    client = word("client", null=False)
    attempts = models.PositiveIntegerField(default=1)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["mailbox", "when"], name="failed_sign_in_mailbox")]

    def __str__(self) -> str:
        return f"{self.mailbox} {self.when:%Y-%m-%d %H:%M}"


class MailboxUse(models.Model):
    """How many bytes of a mailbox's quota are used, and how many it has: the last that its host told, and when."""

    mailbox = KeyField(unique=True)
    used = models.PositiveBigIntegerField()
    most = models.PositiveBigIntegerField()
    when = SecondsField()

    def __str__(self) -> str:
        return f"{self.mailbox} {self.percent} %"

    @property
    def percent(self) -> int:
        """Whole percents, no more than are used."""
        return self.used * 100 // self.most if self.most else 0


class HourlyTallyQuerySet(models.QuerySet["HourlyTally"]):
    """Letters counted by hour."""

    def of_host(self) -> "HourlyTallyQuerySet":
        """The sums of the hosts, without names."""
        return self.filter(mailbox="")

    def of_mailboxes(self, keys: Iterable[str]) -> "HourlyTallyQuerySet":
        """Those of these mailboxes."""
        return self.filter(mailbox__in=list(keys))

    def between(self, since: datetime, until: datetime) -> "HourlyTallyQuerySet":
        """Those of the hours that begin from a moment on and before another."""
        return self.filter(hour__gte=since, hour__lt=until)

    def sums(self) -> dict[str, int]:
        """Every column summed over whatever is in the set."""
        found = self.aggregate(**{f"{name}_sum": Sum(name) for name in HourlyTally.columns()})
        return {name: found[f"{name}_sum"] or 0 for name in HourlyTally.columns()}

    def hours(self, since: datetime) -> list[tuple[datetime, int, int]]:
        """Hour, letters received and sent from a moment on, over whatever hosts and mailboxes are in the set."""
        found = self.filter(hour__gte=since).values("hour").annotate(received_sum=Sum("received"), sent_sum=Sum("sent"))
        return [(row["hour"], row["received_sum"], row["sent_sum"]) for row in found.order_by("hour")]


class Tally(models.Model):
    """What is counted, by the rules of `reports.tally`."""

    received = models.PositiveIntegerField(default=0)
    received_bytes = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    sent_bytes = models.PositiveBigIntegerField(default=0)
    home = models.PositiveIntegerField(default=0)
    abroad = models.PositiveIntegerField(default=0)
    away = models.PositiveIntegerField(default=0)
    quick = models.PositiveIntegerField(default=0)
    slow = models.PositiveIntegerField(default=0)
    bounced = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    spoofed = models.PositiveIntegerField(default=0)
    full = models.PositiveIntegerField(default=0)
    held = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    @classmethod
    def columns(cls) -> list[str]:
        """What is counted."""
        return [field.name for field in Tally._meta.fields]


class HourlyTally(Tally):
    """What was counted of a mailbox in an hour (UTC), by the rules of `reports.tally`. Kept.

    A mailbox goes by its key, as its folder does: an address that is given anew begins with nothing, and one that is
    renamed keeps its figures. Without a key the row is the host's own sum.
    """

    host = models.CharField(max_length=60)
    hour = SecondsField()
    mailbox = KeyField(default="")
    objects = HourlyTallyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "hourly tallies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["mailbox", "hour", "host"], name="hourly_tally_once")]
        indexes: ClassVar = [
            models.Index(fields=["mailbox", "hour", "sent"], name="hourly_tally_burst", condition=Q(sent__gte=BURST)),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox or self.host} {self.hour:%Y-%m-%d %H}h"


class DailyTally(Tally):
    """The same of a mailbox on a day, counted from 1970, by the clock of its community. Kept.

    A report over a year reads a seventh of the rows that there are by hour. Where a community moves to another time
    zone, the days before stay what they were.
    """

    day = models.PositiveIntegerField()
    mailbox = KeyField()

    class Meta:
        verbose_name_plural = "daily tallies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["mailbox", "day"], name="daily_tally_once")]

    def __str__(self) -> str:
        return f"{self.mailbox} {self.day}"


class MonthlyTally(Tally):
    """The same of a mailbox in a month (202611), by the clock of its community. Kept. Of long reports' whole months.

    `sending`: the days on which it sent letters, the first day as the lowest bit. `week`: letters sent by hour of the
    week; empty where there is none.
    """

    month = models.PositiveIntegerField()
    mailbox = KeyField()
    sending = models.PositiveIntegerField(db_default=0)
    week = WeekField(db_default=b"")

    class Meta:
        verbose_name_plural = "monthly tallies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["mailbox", "month"], name="monthly_tally_once")]

    def __str__(self) -> str:
        return f"{self.mailbox} {self.month}"


class DomainTally(models.Model):
    """Letters of a mailbox from and to a domain outside, by month (UTC, 202611 is November of 2026).

    `received` goes by the envelope sender, whose domain a stranger chooses.
    """

    month = models.PositiveIntegerField()
    mailbox = KeyField()
    domain = word("domain", null=False)
    received = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["mailbox", "month", "domain"], name="domain_once")]

    def __str__(self) -> str:
        return f"{self.mailbox} {self.month}"


class AccessEntry(models.Model):
    """Somebody looked at figures of one person, or without a person of everybody in a community.

    Whom it is about can read it. `who` is a sign-in address: the line stays when that person is gone. A parent needs
    no purpose.
    """

    class Mode(models.TextChoices):
        NAMES = "names", _("with names")
        PSEUDONYMS = "pseudonyms", _("with pseudonyms")

    who = models.CharField(max_length=254)
    community = models.ForeignKey("accounts.Community", models.CASCADE, related_name="+")
    person = models.ForeignKey("accounts.User", models.CASCADE, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    purpose = models.CharField(max_length=200, blank=True, default="")
    when = models.DateTimeField()

    class Meta:
        verbose_name_plural = "access entries"
        ordering: ClassVar = ["-when", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["person", "when"], name="access_of_person"),
            models.Index(fields=["community", "who", "when"], name="access_of_community"),
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.mode} {self.when:%Y-%m-%d %H:%M}"


class ReportSchedule(models.Model):
    """Somebody gets a report of a community in a mode, or of a person, by mail, each week or month.

    No wish: nothing of it goes to a host. What she may see is asked anew whenever it is sent (`reports.schedules`).
    `sent`: the last of the days that she has got a report of, or that were over when she asked for it. `tried`: when
    the next one was handed to the mail host, as long as nobody knows whether it was taken.
    """

    class Every(models.TextChoices):
        WEEK = "week", _("each week")
        MONTH = "month", _("each month")

    reader = models.ForeignKey("accounts.User", models.CASCADE, related_name="+")
    community = models.ForeignKey("accounts.Community", models.CASCADE, null=True, blank=True, related_name="+")
    person = models.ForeignKey("accounts.User", models.CASCADE, null=True, blank=True, related_name="+")
    mode = models.CharField(max_length=10, blank=True, default="")
    purpose = models.CharField(max_length=200, blank=True, default="")
    every = models.CharField(max_length=5, choices=Every.choices)
    sent = models.DateField()
    tried = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(community=None, person__isnull=False) | Q(community__isnull=False, person=None),
                name="schedule_of_one_thing",
            ),
            models.UniqueConstraint(
                fields=["reader", "community", "mode", "every"],
                condition=Q(person=None),
                name="schedule_of_community_once",
            ),
            models.UniqueConstraint(
                fields=["reader", "person", "every"], condition=Q(community=None), name="schedule_of_person_once"
            ),
        ]

    @property
    def whose(self) -> str:
        """The name of what it is about."""
        about = self.community or self.person
        return about.name if about else ""

    def __str__(self) -> str:
        return f"{self.reader_id}: {self.community_id or self.person_id} {self.mode} {self.every}"
