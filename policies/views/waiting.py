"""What waits: the list, its summary on the first page, and the letters nobody is asked about."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages import SignedIn, page, rows
from policies.rights import held_mailboxes, kept_people
from policies.summary import summaries
from policies.views.owners import keepers
from policies.waiting import cards, fill, letters_waiting, silent_letters

CARDS = 10
AT_HOME = 2  # cards on the first page


@require_safe
@keepers
def waiting_list(request: SignedIn) -> HttpResponse:
    """Every question that waits, one card for each person and address."""
    held = held_mailboxes(request.user)
    found = Paginator(cards(held), CARDS).get_page(request.GET.get("page"))
    fill(found.object_list, held, timezone.now())  # type: ignore[arg-type]
    context: dict[str, Any] = {"cards": found, "letters": letters_waiting(held), "silent": silent_letters(held).count()}
    return page(request, "policies/waiting_list.html", **context)


@require_safe
@keepers
def waiting_summary(request: SignedIn) -> HttpResponse:
    """What waits and who is looked after: a part of the first page."""
    held = held_mailboxes(request.user)
    found = cards(held)
    newest = found[:AT_HOME]
    fill(newest, held, timezone.now())
    template = "policies/_waiting_summary.html" if request.htmx else "policies/waiting_summary.html"  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "cards": newest,
        "letters": letters_waiting(held),
        "more": len(found) > AT_HOME,
        "people": summaries(kept_people(request.user), held),
    }
    response = render(request, template, context)
    response["Vary"] = "HX-Request"
    return response


@require_safe
@keepers
def waiting_silent(request: SignedIn) -> HttpResponse:
    """Letters of which nobody is asked: from who is blocked, and spam."""
    held = held_mailboxes(request.user)
    letters = rows(request, silent_letters(held))
    for letter in letters:
        letter.people = held[letter.key]
    return page(request, "policies/waiting_silent.html", letters=letters)
