"""What the database knows of mail hosts: how far each one is, its releases, and what it was asked to do."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class MailHost(models.Model):
    """A machine that receives mail. `applied` is the newest generation that was live and verified on it.

    `snapshot`: the digest of the wishes that were live when the worker looked last, as its release's manifest has it.
    `expected`: a generation that may be live though nothing says so yet, since it is on its way or was confirmed.
    `ahead`: the generation that is live and that this database did not make; nothing is applied until it is confirmed.
    """

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
    snapshot = models.CharField(max_length=64, blank=True, default="")
    expected = models.PositiveBigIntegerField(default=0)
    ahead = models.PositiveBigIntegerField(default=0)
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
        if self.ahead:
            return "failed"
        if self.applied >= generation:
            return "live"
        if self.error and self.failed >= generation:
            return "failed"
        return "paused" if self.paused else "waiting"

    @property
    def attended(self) -> int:
        """The newest generation that was carried out as far as it is to be."""
        return max(self.applied, self.heeded) if self.paused else self.applied

    def knows(self, generation: int, snapshot: str, newest: int) -> bool:
        """Whether a release that is live here, made from this snapshot, is of this database and not of a newer one.

        `newest`: the newest generation of wishes. Where nothing was recorded yet, only a higher one is unknown.
        """
        if generation > newest or (self.ahead and generation == self.ahead):
            return False
        if generation == self.expected or snapshot == self.snapshot:
            return True
        return generation < self.applied or (not self.snapshot and self.applied > 0)


class Release(models.Model):
    """One complete set of files that a host was given: the record of a job that a person can read.

    `clock`: the host made it by itself, for what changes with time or to lead back; nobody wished anything new.
    `dump`: the wishes as they were, see `deploy.services.kept`; it is never fetched but when asked for.
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
    clock = models.BooleanField(default=False)
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


class Drift(models.Model):
    """A file on a host that is not what was written, as its worker saw it last. `found`: its sha256, "" when gone.

    `installed`: the installer's, else of the live release. `closed`: what it says is for nobody. `kept`: somebody wants
    it so.
    """

    host = models.ForeignKey(MailHost, models.CASCADE, related_name="drifted")
    path = models.CharField(max_length=400)
    installed = models.BooleanField(default=False)
    found = models.CharField(max_length=64, blank=True, default="")
    meant = models.CharField(max_length=64, blank=True, default="")
    closed = models.BooleanField(default=False)
    kept = models.BooleanField(default=False)
    lines = models.JSONField(default=list)
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["host", "-installed", "path"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["host", "installed", "path"], name="drift_once"),
        ]

    def __str__(self) -> str:
        return f"{self.path} on {self.host}"


class Alarm(models.Model):
    """What administrators were told of a host by mail: see `deploy.alarm_rules`. `reached`: who was, of this reason."""

    class About(models.TextChoices):
        FAILED = "failed", _("a change could not be made live")
        SILENT = "silent", _("a mail host does not answer")
        DRIFT = "drift", _("files were changed by hand")

    host = models.ForeignKey(MailHost, models.CASCADE, related_name="alarms")
    about = models.CharField(max_length=6, choices=About.choices)
    told = models.TextField(blank=True, default="")
    when = models.DateTimeField(null=True)
    well = models.DateTimeField(null=True)
    reached = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["host", "about"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["host", "about"], name="alarm_once")]

    def __str__(self) -> str:
        return f"{self.about} of {self.host}"
