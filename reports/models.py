"""What the mail hosts told us: how far each log was read, letters under way, and letters counted by hour.

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


class OpenLetter(models.Model):
    """A letter that came in and has not left the queue. `queued`: it is counted as sent, if it has a login."""

    host = models.CharField(max_length=60)
    queue_id = models.CharField(max_length=32)
    opened = models.DateTimeField()
    login = models.CharField(max_length=320, blank=True, default="")
    size = models.PositiveBigIntegerField(default=0)
    queued = models.BooleanField(default=False)
    late = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "queue_id"], name="open_letter_once")]
        indexes: ClassVar = [models.Index(fields=["host", "opened"], name="open_letter_age")]

    def __str__(self) -> str:
        return self.queue_id


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
