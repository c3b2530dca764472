"""The one door to the mail host for the rest of the panel."""

from pathlib import Path

from django.conf import settings

from accounts.wishes import Wishes
from deploy.host.layout import Layout
from deploy.models import MailHost


def layout() -> Layout:
    """Where everything is on this machine's mail host; raise LayoutError without one."""
    return Layout.read(settings.MAILADMIN_HOST_CONFIG)


def mail_log() -> Path:
    """The mail log of this machine's mail host."""
    return layout().mail_log


def verdict_log() -> Path:
    """The log of this machine's mail host that says what was decided of letters."""
    return layout().verdict_log


def state(generation: int) -> str:
    """How a generation stands: `live` on every host, `failed` on one, else `waiting`."""
    states = {host.state(generation) for host in MailHost.objects.all()}
    return "failed" if "failed" in states else "waiting" if "waiting" in states else "live"


def newest() -> int:
    """The newest generation there is."""
    return Wishes.current()
