"""Files that somebody changed by hand: the agent looks for them, administrators say what becomes of each.

In: the host's name; who asks, about which file. Out: rows of `Drift`; a request, and later its answer,
`{"sentence": ...}` or `{"error": ...}`, in English and translated where it is shown. Touched: these rows; a file of the
installer's, by the root helper, or the live release, by `renew`; the audit, in which each act stands before it is done.
Raises `Refused` for what cannot be asked.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from accounts.models import User
from accounts.rights import may_run_hosts
from accounts.rules import Refused, gettext_noop as _
from accounts.wishes import note_act
from deploy import services
from deploy.host import drift, files, helper, release
from deploy.host.drift import Drifted
from deploy.host.helper import HelperError
from deploy.host.layout import Layout, LayoutError
from deploy.models import Drift, HostRequest, MailHost
from deploy.render import Unwritable, render
from deploy.services.requests import Answer, answer_each

TAKE: Final = "drift-take"
KEEP: Final = "drift-keep"
VERBS: Final = (TAKE, KEEP)
LASTS: Final = timedelta(hours=1)
MOST: Final = 200  # files that are shown of one host
DOOR: Final = "drift"
SENTENCES: Final = {
    "laid": _("It is written anew. What was there is put aside on the mail host."),
    "later": _(
        "It is written anew. The filter reads it at its next start. What was there is put aside on the mail host."
    ),
    "renewed": _("A new release is live, with this file as it should be. The one before keeps what was there."),
    "kept": _("It stays as it is, and you are told when it changes again."),
}
FORBIDDEN: Final = _("Files of the mail host are for administrators.")
GONE: Final = _("It is as it was written again: there is nothing to do.")
AGAIN: Final = _("It was changed again meanwhile: look at it first.")
NOT_DONE: Final = _("The mail host did not do it: try again in a moment.")
STOPPED: Final = _("The mail host stopped before it had an answer: look at the files again.")
NOT_LIVE: Final = _("The new release could not be made live: the first page says why.")
NOT_KEPT: Final = _("In a release nothing can be kept, for the next one is written anew: write it as it should be.")
Renew = Callable[[str], str]
logger = logging.getLogger(__name__)


def look(name: str, now: datetime) -> None:
    """Write down what is not as it was written, on this machine's host. While a release is being made nobody looks."""
    try:
        here = services.layout()
        with files.locked(here.root / ".lock", patience=5):
            found = drift.drifted(here)[:MOST]
            known = {(row.installed, row.path): row for row in Drift.objects.filter(host__name=name)}
            new = [one for one in found if is_news(one, known.get((one.installed, one.path)))]
            told = [drift.with_lines(here, one, rendered(here, new, now)) for one in new]
    except (LayoutError, release.ReleaseError, files.Busy, Unwritable, OSError) as error:
        logger.warning("Nobody looked for files that were changed by hand: %s", error)
    else:
        record(MailHost.objects.get(name=name), found, told, now)


def is_news(one: Drifted, row: Drift | None) -> bool:
    """It was not seen like this before."""
    return row is None or (row.found, row.meant, row.kept) != (one.found, one.meant, one.kept)


def rendered(here: Layout, new: Iterable[Drifted], now: datetime) -> dict[str, bytes]:
    """What the live release is made from, where a file of it is to be compared."""
    current = release.live(here)
    if not current or all(one.installed for one in new):
        return {}
    return dict(render(current.snapshot, now, str(here.mail)))


def record(host: MailHost, found: Iterable[Drifted], told: Iterable[Drifted], now: datetime) -> None:
    """Make the rows equal to what was found; `told` are those that are new or another."""
    still = {(one.installed, one.path) for one in found}
    with transaction.atomic():
        for row in Drift.objects.filter(host=host):
            if (row.installed, row.path) not in still:
                row.delete()
        for one in told:
            values = {"found": one.found, "meant": one.meant, "closed": one.closed, "kept": one.kept}
            values |= {"lines": list(one.lines), "since": now}
            Drift.objects.update_or_create(host=host, installed=one.installed, path=one.path, defaults=values)


def open_on(host: MailHost) -> list[str]:
    """The files of a host of which nobody has said yet what becomes of them."""
    return list(Drift.objects.filter(host=host, kept=False).values_list("path", flat=True))


def ask(author: User, verb: str, row: Drift, now: datetime) -> HostRequest:
    """Ask the host about one file as it was seen; raise Refused for what cannot be kept."""
    if verb == KEEP and not (row.installed and row.found):
        raise Refused(NOT_KEPT)
    what = {"path": row.path, "installed": row.installed, "found": row.found}
    return HostRequest.objects.create(
        host=row.host, verb=verb, arguments=what, author=author.address, asked=now, expires=now + LASTS
    )


def answer_asked(name: str, renew: Renew) -> None:
    """Do what this host was asked. `renew`: make a new release; the sentence that says why it could not be."""

    def answer(request: HostRequest, now: datetime) -> Answer:
        return act(request, now, renew)

    answer_each(name, VERBS, {"error": STOPPED}, answer)


def act(request: HostRequest, now: datetime, renew: Renew) -> Answer:
    """Do it, as far as the author may, and look again."""
    author = User.objects.filter(address=request.author, active=True).first()
    if not author or not may_run_hosts(author):
        return {"error": FORBIDDEN}
    try:
        answer = done(services.layout(), request, renew)
    except (HelperError, LayoutError, release.ReleaseError, OSError) as error:
        logger.warning("%s", error)
        return {"error": NOT_DONE}
    look(request.host.name, now)
    return answer


def done(here: Layout, request: HostRequest, renew: Renew) -> Answer:
    """What became of it."""
    asked = request.arguments
    known = (one for one in drift.drifted(here) if (one.path, one.installed) == (asked["path"], asked["installed"]))
    one = next(known, None)
    if not one or one.found != asked["found"]:
        return {"error": AGAIN if one else GONE}
    word = "kept" if request.verb == KEEP else "written anew"
    note_act(request.author, DOOR, f"{one.path} on {request.host.name}", {word: one.found, "written": one.meant})
    if request.verb == KEEP:
        helper.ask(here, "keep", one.path, one.found)
        return {"sentence": SENTENCES["kept"]}
    return laid(here, one) if one.installed else renewed(request, renew)


def laid(here: Layout, one: Drifted) -> Answer:
    """The installer's file is written anew, and who reads it is told."""
    helper.ask(here, "lay", one.path)
    if one.path.startswith("rspamd/"):
        return {"sentence": SENTENCES["later"]}
    if one.path == "dovecot.conf":
        helper.ask(here, "reload", "dovecot")
    elif one.path.startswith("postfix/"):
        helper.ask(here, "reload", "postfix")
    return {"sentence": SENTENCES["laid"]}


def renewed(request: HostRequest, renew: Renew) -> Answer:
    """A new release is made, in which every file is as it should be."""
    why_not = renew(request.host.name)
    if why_not:
        logger.warning("%s", why_not)
    return {"error": NOT_LIVE} if why_not else {"sentence": SENTENCES["renewed"]}
