"""The queue of the mail host, for administrators: what waits and why, tried again, removed.

Each act is a request to the host; its page follows it until there is an answer. What a page may act on it has from a
list that the same person was given within the last hour.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import SignedIn, administrators, form_page, page, posted, refused
from accounts.rules import Refused
from accounts.wishes import invalid
from deploy.delay_words import reason
from deploy.forms import RemoveForm
from deploy.models import HostRequest
from deploy.services import queued
from deploy.tasks import poke_explain
from policies.entries import zone_of


@dataclass(frozen=True, slots=True)
class Entry:
    """A letter of the queue as the page shows it. `due`: the next try, if one is fixed."""

    letter: dict[str, Any]

    @property
    def arrived(self) -> datetime:
        """When it came."""
        return datetime.fromtimestamp(self.letter["arrived"], UTC)

    @property
    def due(self) -> datetime | None:
        """When it is tried next."""
        seconds = self.letter["due"]
        return datetime.fromtimestamp(seconds, UTC) if seconds else None

    @property
    def overdue(self) -> bool:
        """That moment has come."""
        return bool(self.due and self.due <= timezone.now())

    @property
    def state(self) -> str:
        """`held` (waits for an answer), `deferred` (was tried), or `active`."""
        return {"hold": "held", "deferred": "deferred"}.get(self.letter["queue"], "active")

    @property
    def reasons(self) -> list[str]:
        """Why it waits, each reason once."""
        return list(dict.fromkeys(filter(None, (reason(one["reason"]) for one in self.letter["recipients"]))))

    @property
    def more(self) -> int:
        """How many recipients are not shown."""
        return int(self.letter["count"]) - len(self.letter["recipients"])


@require_safe
@administrators
def queue_show(request: SignedIn) -> HttpResponse:
    """The page, which asks the host by itself."""
    return page(request, "deploy/queue_show.html")


@require_POST
@administrators
def queue_ask(request: SignedIn) -> HttpResponse:
    """Ask the host what waits."""
    return asked(request, queued.LIST, "queue-found")


@require_safe
@administrators
def queue_found(request: SignedIn, pk: int) -> HttpResponse:
    """What waits, as soon as the host has said so."""
    return followed(
        request, own_request_or_404(request, pk, queued.LIST), "deploy/_queue.html", "deploy/queue_show.html"
    )


@require_POST
@administrators
def queue_retry(request: SignedIn) -> HttpResponse:
    """Have all that waits tried now."""
    return asked(request, queued.RETRY_ALL, "queue-acted")


@require_POST
@administrators
def queue_letter_retry(request: SignedIn, pk: int, queue_id: str) -> HttpResponse:
    """Have one letter tried now."""
    _found, letter = letter_or_404(request, pk, queue_id)
    return asked(request, queued.RETRY, "queue-acted", letter=letter)


@form_page
@administrators
def queue_letter_remove(request: SignedIn, pk: int, queue_id: str) -> HttpResponse:
    """What is lost with a letter; and why somebody removes it all the same."""
    found, letter = letter_or_404(request, pk, queue_id)
    form = RemoveForm(posted(request))
    if form.is_valid():
        return asked(request, queued.REMOVE, "queue-acted", letter=letter, reason=form.cleaned_data["reason"])
    return page(request, "deploy/queue_letter_remove.html", form, entry=Entry(letter), asked=found)


@require_safe
@administrators
def queue_acted(request: SignedIn, pk: int) -> HttpResponse:
    """What became of an act."""
    found = own_request_or_404(request, pk, queued.RETRY, queued.RETRY_ALL, queued.REMOVE)
    return followed(request, found, "deploy/_acted.html", "deploy/queue_acted.html")


def asked(request: SignedIn, verb: str, to: str, **arguments: Any) -> HttpResponse:
    """Ask the host, and lead on to where its answer will be; say why not without one."""
    try:
        found = queued.ask(request.user, verb, timezone.now(), **arguments)
    except Refused as error:
        return refused(request, " ".join(invalid(error).messages), reverse("queue-show"))
    poke_explain(found.host.name)
    return redirect(to, found.pk)


def followed(request: SignedIn, found: HostRequest, fragment: str, whole: str) -> HttpResponse:
    """The answer to a request; until then htmx gets an empty answer, and others a page with a link to look again."""
    if request.htmx and found.answer is None and request.headers.get("HX-Trigger") == "asked":  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    answer = found.answer or {}
    context: dict[str, Any] = {
        "asked": found,
        "entries": [Entry(one) for one in answer.get("letters", ())],
        "all": answer.get("all", 0),
        "zone": zone_of(request.user),
    }
    return page(request, fragment if request.htmx else whole, **context)  # type: ignore[attr-defined]


def own_request_or_404(request: SignedIn, pk: int, *verbs: str) -> HostRequest:
    """A request of whoever asks, as long as it is kept."""
    mine = HostRequest.objects.filter(verb__in=verbs, author=request.user.address, expires__gt=timezone.now())
    found: HostRequest = get_object_or_404(mine, pk=pk)
    return found


def letter_or_404(request: SignedIn, pk: int, queue_id: str) -> tuple[HostRequest, dict[str, Any]]:
    """A letter that waits for its next try, of a list that the one who asks was given."""
    found = own_request_or_404(request, pk, queued.LIST)
    letter = queued.letter_of(found, queue_id)
    if letter is None:
        raise Http404
    return found, letter
