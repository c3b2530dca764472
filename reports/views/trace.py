"""Where is my letter? One's own, those of a child as far as its level says, and one of the host without names."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.pages import SignedIn, page, rows, sought
from accounts.rights import visible_people
from domains.models import Mailbox
from policies.rights import filed_mailboxes
from reports.forms import TraceForm
from reports.keeping import kept
from reports.looks import note_people
from reports.sight import may_trace, traced_mailboxes, zone_of
from reports.trace_held import kept_letters
from reports.trace_words import Headline, Step, headline, recipients, sender, steps
from reports.tracing import Own, Way, letters, nameless, oldest, ways


@dataclass(frozen=True, slots=True)
class Card:
    """A letter on the page."""

    way: Way
    headline: Headline
    steps: list[Step]
    sender: str
    recipients: list[str]


@require_safe
def letter_trace(request: SignedIn) -> HttpResponse:
    """The ways of one's own letters; an administrator also finds one of anybody's by its id, without names."""
    return traced(request, request.user, None)


@require_safe
def letter_trace_person(request: SignedIn, pk: int) -> HttpResponse:
    """The ways of a child's letters, for its parents."""
    person: User = get_object_or_404(visible_people(request.user), pk=pk)
    now = timezone.now()
    if not may_trace(request.user, person, now):
        raise PermissionDenied(
            _("With whom somebody writes is hers to see. Ask her to look at “Where is my letter?” herself.")
        )
    mailboxes = None if person == request.user else traced_mailboxes(request.user, person, now)
    note_people(request.user, [person], now)
    return traced(request, person, mailboxes)


def traced(request: SignedIn, person: User, mailboxes: list[Mailbox] | None) -> HttpResponse:
    """The page."""
    form, text, zone = TraceForm(request.GET), sought(request), zone_of(request.user)
    own = Own.of(person) if mailboxes is None else Own.through(mailboxes)
    since, until = form.span(zone) if form.is_valid() else (None, None)
    found = rows(request, letters(own, text, since=since, until=until) if form.is_valid() else ())
    shown = ways(found.object_list, own)
    others = nameless_ways(request.user, text, shown) if person == request.user and found.number == 1 else []
    context: dict[str, Any] = {
        "person": person,
        "own": person == request.user,
        "q": text,
        "asked": bool(text or form["since"].value() or form["until"].value()),
        "pages": found,
        "cards": cards(shown, request.user),
        "others": cards(others, request.user),
        "days": kept().days,
        "oldest": oldest(),
        "zone": zone,
        "rules": rule_pages(shown, request.user),
    }
    return page(request, "reports/letter_trace.html", form, **context)


def nameless_ways(actor: User, text: str, found: Iterable[Way]) -> list[Way]:
    """Letters of others that whoever runs the host may follow by their id."""
    known = {way.letter for way in found}
    return [way for way in nameless(text) if way.letter not in known] if actor.administrator and text else []


def cards(found: Iterable[Way], actor: User) -> list[Card]:
    """Every way with its words."""
    found = list(found)
    kept = kept_letters(found, actor)
    return [Card(way, headline(way, kept), steps(way, kept), sender(way), recipients(way)) for way in found]


def rule_pages(found: Iterable[Way], actor: User) -> dict[str, int]:
    """The mailboxes whose rules whoever looks may see, by key."""
    keys = {one.mailbox for way in found for one in way.deliveries if one.mailbox in way.keys}
    rows = Mailbox.objects.filter(key__in=keys, pk__in=filed_mailboxes(actor)) if keys else Mailbox.objects.none()
    return dict(rows.values_list("key", "pk"))
