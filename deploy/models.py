"""What the database knows of mail hosts: how far each one is, its releases, and what it was asked to do."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailHost(models.Model):
    """A machine that receives mail. `applied` is the newest generation that was live and verified on it."""

    class Role(models.TextChoices):
        PRIMARY = "primary", _("primary")
        BACKUP = "backup", _("backup MX")

    name = models.CharField(_("name"), max_length=60, unique=True)
    role = models.CharField(_("role"), max_length=7, choices=Role.choices, default=Role.PRIMARY)
    applied = models.PositiveBigIntegerField(default=0)
    seen = models.DateTimeField(null=True)  # when its worker looked last
    verified = models.DateTimeField(null=True)  # when every file was last found to be as it should
    error = models.TextField(blank=True, default="")
    failed = models.PositiveBigIntegerField(default=0)
    paused = models.DateTimeField(null=True)  # since when new wishes wait; what closes something goes through
    paused_by = models.CharField(max_length=254, blank=True, default="")
    paused_why = models.CharField(max_length=200, blank=True, default="")
    heeded = models.PositiveBigIntegerField(default=0)  # while paused, the generation whose denials are live

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["role"], condition=models.Q(role="primary"), name="mailhost_one_primary")
        ]

    def __str__(self) -> str:
        return self.name

    def state(self, generation: int) -> str:
        """How a generation stands on this host: `live`, `failed`, `paused` or `waiting`."""
        if self.applied >= generation:
            return "live"
        if self.error and self.failed >= generation:
            return "failed"
        return "paused" if self.paused else "waiting"

    @property
    def attended(self) -> int:
        """The newest generation that was carried out as far as it is to be."""
        return max(self.applied, self.heeded) if self.paused else self.applied


class Release(models.Model):
    """One complete set of files that a host was given: the record of a job that a person can read.

    `author`: empty where nobody wished anything new, as when the hour did it. `dump`: the wishes as they were, see
    `deploy.services.kept`; it is never fetched but when asked for.
    """

    class Status(models.TextChoices):
        LIVE = "live", _("live")
        FAILED = "failed", _("failed")

    host = models.ForeignKey(MailHost, models.CASCADE, related_name="releases")
    folder = models.PositiveIntegerField(null=True)
    generation = models.PositiveBigIntegerField()
    started = models.DateTimeField()
    ended = models.DateTimeField()
    author = models.CharField(max_length=254, blank=True, default="")
    summary = models.TextField(blank=True, default="")
    status = models.CharField(max_length=6, choices=Status.choices)
    log = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    dump = models.BinaryField(null=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.host} {self.generation} {self.status}"


class HostRequest(models.Model):
    """Something that a host is asked once and that is no wish, such as what would become of a letter.

    A page writes it and pokes the host; the agent checks the author's rights again, does it and writes the `answer`.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        RUNNING = "running", _("being answered")
        DONE = "done", _("answered")
        FAILED = "failed", _("failed")

    host = models.ForeignKey(MailHost, models.CASCADE, related_name="requests")
    verb = models.CharField(max_length=20)
    arguments = models.JSONField(default=dict)
    author = models.CharField(max_length=254)
    asked = models.DateTimeField()
    state = models.CharField(max_length=7, choices=State.choices, default=State.ASKED)
    answer = models.JSONField(null=True)
    expires = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [models.Index(fields=["author", "asked"], name="host_request_pace")]

    def __str__(self) -> str:
        return f"{self.verb} for {self.author}"
