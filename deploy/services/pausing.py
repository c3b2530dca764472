"""A host is paused: new wishes wait, and what closes something goes through all the same.

In: who does it, the host, why, the moment. Out: nothing. Touched: the host's row, and the audit. Raises `Refused` for a
host that is in that state already.

It is written by the page itself and not asked of the host's agent: it holds also while the agent is down.
"""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from accounts.rules import Refused, gettext_noop as _
from accounts.wishes import note_act
from deploy.models import MailHost

DOOR = "pause"


def pause(author: User, host: MailHost, why: str, now: datetime) -> None:
    """New wishes wait from now on."""
    with transaction.atomic():
        there = MailHost.objects.filter(pk=host.pk, paused=None)
        if not there.update(paused=now, paused_by=author.address, paused_why=why[:200]):
            raise Refused(_("This mail host is paused already."))
        note_act(author, DOOR, f"pause {host.name}", {"paused": host.name, "reason": why[:200]})


def resume(author: User, host: MailHost) -> None:
    """What waits goes out."""
    with transaction.atomic():
        there = MailHost.objects.filter(pk=host.pk, paused__isnull=False)
        if not there.update(paused=None, paused_by="", paused_why=""):
            raise Refused(_("This mail host is not paused."))
        note_act(author, DOOR, f"resume {host.name}", {"resumed": host.name})
