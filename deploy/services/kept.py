"""What undo goes back to: the wishes of a release, as a household file without secrets, kept beside its record.

In: a host's name, a moment; a release. Out: that text. Touched: `Release.dump` of the newest release on the primary
host, and of those that are too many: the newest fifty that somebody wished are kept. Raises `Refused` for a release of
which nothing is kept, or that another version of the product kept.

Many mailboxes take seconds to write out, and saves come in a row: then it waits for a quiet moment, and a state that
lasted less than that is not kept. What is kept begins with the number of its format, on a line of its own.
"""

import zlib
from datetime import datetime, timedelta
from typing import Final

from accounts.rules import Refused, gettext_noop as _
from accounts.wishes import Wishes
from deploy import services
from deploy.gather import one_moment
from deploy.models import MailHost, Release
from domains.models import Mailbox
from policies.household import dump

FORMAT: Final = 1
KEPT: Final = 50
FEW: Final = 300  # mailboxes that are written out in a moment
QUIET: Final = timedelta(seconds=4)


def keep(name: str, now: datetime) -> None:
    """Keep the wishes of the newest release, if they are still the newest; a second worker leaves it to the first."""
    host = MailHost.objects.filter(name=name, role=MailHost.Role.PRIMARY, paused=None).first()
    release = newest(host) if host else None
    if not host or not release or not quiet(release, now):
        return
    try:
        with services.alone("keep"), one_moment():
            if Wishes.current() == host.applied:
                store(release, dump())
    except (services.Busy, services.LayoutError):
        return


def newest(host: MailHost) -> Release | None:
    """The newest release that is live, where somebody wished it and nothing is kept of it."""
    found = host.releases.filter(status=Release.Status.LIVE).exclude(author="").defer("dump", "log").first()
    return found if found and not host.releases.filter(pk=found.pk, dump__isnull=False).exists() else None


def quiet(release: Release, now: datetime) -> bool:
    """Nobody is kept waiting."""
    return now - release.ended >= QUIET or Mailbox.objects.count() <= FEW


def store(release: Release, text: str) -> None:
    """Keep it, and forget those that are too many."""
    mine = Release.objects.filter(host=release.host_id, dump__isnull=False)
    Release.objects.filter(pk=release.pk).update(dump=packed(text))
    many = list(mine.values_list("pk", flat=True)[KEPT:])
    mine.filter(pk__in=many).update(dump=None)


def packed(text: str) -> bytes:
    """A household file as it is kept."""
    return zlib.compress(f"{FORMAT}\n{text}".encode(), 6)


def unpacked(release: Release) -> str:
    """The household file of a release."""
    if not release.dump:
        raise Refused(_("Nothing is kept of this release: choose another one to go back to."))
    number, _line, text = zlib.decompress(bytes(release.dump)).decode().partition("\n")
    if number != str(FORMAT):
        raise Refused(
            _(
                "This release was kept by another version of Mailadmin, in format %(number)s; this one understands "
                "%(own)s: choose a newer release to go back to."
            ),
            number=number[:10],
            own=str(FORMAT),
        )
    return text
