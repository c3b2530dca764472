"""Is what is live on a mail host of this database? If not, nothing is applied until a person confirms.

In: the host's row, where its files are. Out: yes or no, and it is written on the `MailHost`. Touched: that row, and
`Release`s for what the host's clock made meanwhile. Raises ReleaseError where the live release cannot be read, and
Refused for a confirmation that no longer fits.

A database that was restored knows less than the host: it would take back passwords, suspensions and lists without
anybody having wished it. So a release whose folder no row names is looked at:
- the same wishes as were live before, by the digest in its manifest: the host's clock made it, and it is adopted. A
  release that is made again from the same wishes keeps their digest, whatever version of this program writes it;
- the generation that was on its way when a worker was killed: `expected` says so before anything is live;
- one before the newest that was applied: somebody let the host lead back to it, and the next apply ends that;
- the one after a release that was given up: the host made it to lead back;
- any other is of a newer or another database, whether its generation is higher or not.
What an upgrade of this program makes of the same wishes plays no part: nothing is compared that was not live once.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext_noop as _

from accounts.models import User
from accounts.rules import Refused
from accounts.wishes import Wishes, note_act, wishes
from deploy.host import release
from deploy.host.layout import Layout
from deploy.host.release import ReleaseError
from deploy.models import HostRequest, MailHost, Release
from policies.models import Answer, HeldLetter

DOOR: Final = "page"
CHANGED: Final = _("The mail host has changed since this page was shown: read it again, then confirm.")
logger = logging.getLogger(__name__)


def known(host: MailHost, here: Layout) -> bool:
    """Whether the live release is of this database. Nothing is written."""
    live, newest = release.live(here), Wishes.current()
    if live is None or host.releases.filter(folder=live.number, generation__lte=newest).exists():
        return True
    manifest = live.manifest
    if host.knows(manifest.generation, manifest.snapshot, newest):
        return True
    return not host.ahead and manifest.generation <= newest and led_back(here, live)


def led_back(here: Layout, live: release.Release) -> bool:
    """True for the release after one that was given up."""
    before = release.at_number(here, live.number - 1)
    return bool(before and before.failed)


def meet(host: MailHost, here: Layout) -> bool:
    """Look at the live release, adopt what the clock made, or say that this database is older. One worker at a time."""
    live = release.live(here)
    if not known(host, here):
        assert live
        stop(host, live.manifest.generation)
        return False
    if host.ahead:
        host.ahead, host.error, host.failed = 0, "", 0
        host.save(update_fields=["ahead", "error", "failed"])
    if live and not (host.snapshot and host.releases.filter(folder=live.number).exists()):
        adopt(host, here, live)
    return True


def stop(host: MailHost, generation: int) -> None:
    """Write down that nothing is applied, and why."""
    newest = Wishes.current()
    sentence = (
        f"The live release on {host} is of generation {generation}, which this database did not make (its own newest "
        f"is {newest}): it is older, or another one. Nothing is applied until an administrator confirms it on the "
        "first page, or the newest database is restored."
    )
    if (host.ahead, host.error, host.failed) != (generation, sentence, newest):
        since = MailHost.objects.filter(pk=host.pk, expected=host.expected)  # not where it was confirmed meanwhile
        since.update(ahead=generation, error=sentence, failed=newest)
        logger.error("%s", sentence)


def adopt(host: MailHost, here: Layout, live: release.Release) -> None:
    """Rows for the releases that the host made by itself, all at once; remember what is live."""
    manifest = live.manifest
    if manifest.snapshot == host.snapshot or not host.snapshot:
        host.releases.bulk_create(by_itself(host, here, live, manifest.snapshot))
    if host.snapshot != manifest.snapshot:
        host.snapshot = manifest.snapshot
        host.save(update_fields=["snapshot"])


def by_itself(host: MailHost, here: Layout, live: release.Release, snapshot: str) -> Iterator[Release]:
    """A row for each folder up to the live one that has none and says what was wished before, at another moment."""
    newest = host.releases.filter(folder__isnull=False).order_by("-folder").values_list("folder", flat=True).first()
    for one in release.releases(here) if newest is not None else ():
        if newest < one.number <= live.number and not one.failed:  # type: ignore[operator]
            with suppress(ReleaseError):
                if one.manifest.snapshot == snapshot and one.manifest.generation <= host.applied:
                    yield row(host, one)


def row(host: MailHost, one: release.Release) -> Release:
    """The record of a release that nobody recorded when it was made."""
    made = datetime.fromtimestamp((one.path / "MANIFEST.json").stat().st_mtime, UTC)
    facts = {"folder": one.number, "generation": one.manifest.generation, "status": Release.Status.LIVE}
    return Release(host=host, started=made, ended=made, clock=True, **facts)


def waiting_answers(host: MailHost) -> list[Answer]:
    """What was answered about letters that this database still takes to wait."""
    letters = HeldLetter.objects.filter(host=host.name, state=HeldLetter.State.WAITING)
    return list(Answer.objects.filter(question__letter__in=letters).select_related("question__letter"))


def confirm(pk: int, actor: User, ahead: int) -> MailHost:
    """Make the wishes of this database live on a host that is ahead of it; raise Refused when something else is.

    Its generation goes above the host's, so that numbers only grow. What was answered and asked before is void.
    """
    with transaction.atomic():
        host = MailHost.objects.select_for_update().get(pk=pk)
        if not host.ahead or host.ahead != ahead:
            raise Refused(CHANGED)
        with wishes(actor, DOOR):
            for answer in waiting_answers(host):
                answer.delete()
        HostRequest.objects.filter(host=host).delete()
        before = Wishes.current()
        Wishes.leap(ahead)
        note_act(actor, DOOR, f"mail host {host}", {"generation": [before, Wishes.current()], "ahead": ahead})
        host.expected, host.ahead, host.error, host.failed = ahead, 0, "", 0
        host.save(update_fields=["expected", "ahead", "error", "failed"])
    return host
