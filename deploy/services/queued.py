"""What waits in a host's queue, for who runs it: a page asks, the host's agent answers, each request once.

In: who asks, which letter of an earlier list. Out: the request, and later its answer: `{"all": N, "letters": [...]}`,
`{"sentence": ...}` or `{"error": ...}`; sentences are stored in English and translated where they are shown. Touched:
HostRequest rows, forgotten after an hour; the queue; the audit, in which a removal stands with its reason before it is
done. Raises `Refused` without a host.

Administrators look after a host and not after its people: of every address the domain alone leaves the agent, and names
are taken out of the words of other servers.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from accounts.hidden import hidden_address, without_names
from accounts.models import User
from accounts.rights import may_run_hosts
from accounts.rules import Refused, gettext_noop as _
from accounts.wishes import note_act
from deploy import services
from deploy.host import queue
from deploy.host.helper import HelperError
from deploy.host.layout import Layout, LayoutError
from deploy.models import HostRequest, MailHost
from deploy.services.requests import Answer, answer_each

LIST: Final = "queue-list"
RETRY: Final = "queue-retry"
RETRY_ALL: Final = "queue-retry-all"
REMOVE: Final = "queue-remove"
VERBS: Final = (LIST, RETRY, RETRY_ALL, REMOVE)
KEPT: Final = timedelta(hours=1)
SENTENCES: Final = {
    "tried": _("It is being tried now. Look at the queue again in a moment."),
    "all": _("Every letter that waits for its next try is being tried now. Look at the queue again in a moment."),
    "removed": _("It is removed. Nobody gets it, and nobody was told."),
    "gone": _("It was in the queue no longer: it was delivered, came back, or was removed."),
}
FORBIDDEN: Final = _("The queue is for administrators.")
NOT_DONE: Final = _("The mail host did not do it. Perhaps the letter is being tried just now: look at the queue again.")
SILENT: Final = _("The mail host does not answer just now: try again in a moment.")
STOPPED: Final = _("The mail host stopped before it had an answer: look at the queue again.")
logger = logging.getLogger(__name__)


def ask(author: User, verb: str, now: datetime, **arguments: Any) -> HostRequest:
    """Ask the primary host; for a list that is about to be answered nobody asks again."""
    host = MailHost.objects.filter(role=MailHost.Role.PRIMARY).first()
    if not host:
        raise Refused(_("There is no mail host yet: start it, and try again."))
    mine = HostRequest.objects.filter(verb=verb, author=author.address, expires__gt=now, answer__isnull=True)
    waiting = mine.filter(host=host).last() if verb == LIST else None
    return waiting or HostRequest.objects.create(
        host=host, verb=verb, arguments=arguments, author=author.address, asked=now, expires=now + KEPT
    )


def letter_of(asked: HostRequest, queue_id: str) -> dict[str, Any] | None:
    """A letter of a list that was answered; None for one that is not there, or that waits for an answer."""
    letters = (asked.answer or {}).get("letters", [])
    found = (one for one in letters if one["queue_id"] == queue_id and one["queue"] == "deferred")
    return next(found, None)


def answer_asked(name: str) -> None:
    """Answer every request that this host was asked."""
    answer_each(name, VERBS, {"error": STOPPED}, answer)


def answer(request: HostRequest, now: datetime) -> Answer:
    """Do it, as far as the author may."""
    author = User.objects.filter(address=request.author, active=True).first()
    if not author or not may_run_hosts(author):
        return {"error": FORBIDDEN}
    try:
        return done(services.layout(), request)
    except (HelperError, LayoutError) as error:
        logger.warning("%s", error)
        return {"error": SILENT if request.verb == LIST else NOT_DONE}


def done(here: Layout, request: HostRequest) -> Answer:
    """What the host says."""
    if request.verb == LIST:
        found = queue.listed(here)
        return {"all": found["all"], "letters": [nameless(one) for one in found["letters"]]}
    if request.verb == RETRY_ALL:
        queue.retry_all(here)
        return {"sentence": SENTENCES["all"]}
    letter = request.arguments["letter"]
    if request.verb == REMOVE:
        note_removal(request, letter)
    act = queue.remove if request.verb == REMOVE else queue.retry
    return {"sentence": SENTENCES[act(here, letter["queue_id"], letter["arrived"])]}


def note_removal(request: HostRequest, letter: dict[str, Any]) -> None:
    """Write down who removes which letter, and why. It stands there before it is done: a killed agent hides nothing."""
    to = sorted({one["address"] for one in letter["recipients"]})
    facts = {"removed": "from the queue", "from": letter["sender"], "to": to, "size": letter["size"]}
    note_act(request.author, "queue", f"letter {letter['queue_id']}", {**facts, "reason": request.arguments["reason"]})


def nameless(letter: dict[str, Any]) -> dict[str, Any]:
    """A letter of the queue without names."""
    known = [letter["sender"], *(one["address"] for one in letter["recipients"])]
    recipients = [
        {"address": hidden_address(one["address"]), "reason": without_names(one["reason"], known)}
        for one in letter["recipients"]
    ]
    return {**letter, "sender": hidden_address(letter["sender"]), "recipients": recipients}
