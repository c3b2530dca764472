"""What the mail hosts told us: how far each log was read, letters and what became of them, letters counted by hour.

None of this is a wish: people look at it and nobody edits it.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q, Sum


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
    """A letter that came in: under way, or over for a while yet. `queued`: it is counted as sent, if it has a login.

    Kept for as long as raw rows are. A Message-ID is its writer's: it is looked for and shown, never believed.
    """

    host = models.CharField(max_length=60)
    queue_id = models.CharField(max_length=32)
    opened = models.DateTimeField()
    login = models.CharField(max_length=320, blank=True, default="")
    sender = models.CharField(max_length=320, blank=True, default="")
    message_id = models.CharField(max_length=250, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    queued = models.BooleanField(default=False)
    late = models.BooleanField(default=False)
    over = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "queue_id"], name="letter_once")]
        indexes: ClassVar = [
            models.Index(fields=["host", "opened"], name="letter_age"),
            models.Index(fields=["message_id"], name="letter_message_id", condition=~Q(message_id="")),
        ]

    def __str__(self) -> str:
        return self.queue_id


class Delivery(models.Model):
    """What became of a letter at one recipient: the last attempt. Raw, and dropped with its letter.

    `mailbox`: the key of the mailbox of this host that it was for; empty for an address outside.
    """

    letter = models.ForeignKey(Letter, on_delete=models.CASCADE, related_name="deliveries")
    recipient = models.CharField(max_length=254)
    original = models.CharField(max_length=254, blank=True, default="")
    mailbox = models.CharField(max_length=16, blank=True, default="")
    when = models.DateTimeField()
    status = models.CharField(max_length=8)
    relay = models.CharField(max_length=400, blank=True, default="")
    delay = models.FloatField(default=0)
    dsn = models.CharField(max_length=9, blank=True, default="")
    reply = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["letter", "recipient", "original"], name="delivery_once"),
            models.CheckConstraint(condition=Q(status__in=["sent", "bounced", "deferred"]), name="delivery_status"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["recipient", "when"], name="delivery_recipient"),
            models.Index(fields=["mailbox", "when"], name="delivery_mailbox"),
        ]

    def __str__(self) -> str:
        return f"{self.recipient}: {self.status}"


class HourlyTallyQuerySet(models.QuerySet["HourlyTally"]):
    """Letters counted by hour."""

    def of_host(self) -> "HourlyTallyQuerySet":
        """The sums of the hosts, without names."""
        return self.filter(mailbox="")

    def of_mailboxes(self, keys: Iterable[str]) -> "HourlyTallyQuerySet":
        """Those of these mailboxes."""
        return self.filter(mailbox__in=list(keys))

    def hours(self, since: datetime) -> list[tuple[datetime, str, int]]:
        """Hour, direction and letters from a moment on, over whatever hosts and mailboxes are in the set."""
        found = self.filter(hour__gte=since).values("hour", "direction").annotate(sum=Sum("letters"))
        return list(found.order_by("hour", "direction").values_list("hour", "direction", "sum"))


class HourlyTally(models.Model):
    """How many letters of a mailbox in an hour (UTC). Kept.

    A mailbox goes by its key, as its folder does: an address that is given anew begins with nothing, and one that is
    renamed keeps its figures. Without a key the row is the host's own sum.
    """

    host = models.CharField(max_length=60)
    hour = models.DateTimeField()
    mailbox = models.CharField(max_length=16, blank=True, default="")
    direction = models.CharField(max_length=8)
    letters = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    objects = HourlyTallyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "hourly tallies"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mailbox", "hour", "direction", "host"], name="hourly_tally_once"),
            models.CheckConstraint(
                condition=Q(direction__in=["in", "out", "rejected", "bounced", "deferred"]),
                name="hourly_tally_direction",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailbox or self.host} {self.hour:%Y-%m-%d %H}h {self.direction}: {self.letters}"
