"""The one door to the mail host for the rest of the panel."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

from accounts.wishes import Wishes
from deploy.host import files, submission
from deploy.host.files import Busy
from deploy.host.layout import Layout, LayoutError
from deploy.host.submission import NotTaken
from deploy.models import MailHost

__all__ = ["Busy", "LayoutError", "NotTaken", "alone", "layout", "mail_log", "newest", "own_address", "state", "submit"]


def layout() -> Layout:
    """Where everything is on this machine's mail host; raise LayoutError without one."""
    return Layout.read(settings.MAILADMIN_HOST_CONFIG)


def mail_log() -> Path:
    """The mail log of this machine's mail host."""
    return layout().mail_log


def sign_in_log() -> Path:
    """The log of this machine's mail host that says who could not sign in."""
    return layout().sign_in_log


def verdict_log() -> Path:
    """The log of this machine's mail host that says what was decided of letters."""
    return layout().verdict_log


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Do something that only one worker of this host does at a time; raise Busy while another does."""
    with files.locked(layout().root / f".{what}", patience=0):
        yield


def own_address() -> str:
    """The address that the panel writes as; raise NotTaken without one."""
    return submission.own_address(layout())


def submit(letter: EmailMessage, to: str) -> None:
    """Hand one of the panel's own letters to this machine's mail host; raise NotTaken."""
    submission.submit(layout(), letter, to)


def state(generation: int) -> str:
    """How a generation stands: `live` on every host, else `failed`, `paused` or `waiting` on one."""
    states = {host.state(generation) for host in MailHost.objects.all()}
    return next((one for one in ("failed", "paused", "waiting") if one in states), "live")


def newest() -> int:
    """The newest generation there is."""
    return Wishes.current()
