"""One held letter: what it is, what it shows, why it waits, and its questions."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages import SignedIn, page
from policies.entries import names_of, zone_of
from policies.models import HeldLetter, Question
from policies.rights import held_mailboxes, readable
from policies.views.owners import held_letter_or_404
from policies.waiting import ask_all
from policies.why import why


@require_safe
def held_letter_show(request: SignedIn, pk: int) -> HttpResponse:
    """A held letter as text: nothing in it runs or is loaded."""
    letter = held_letter_or_404(request, pk)
    held, now = held_mailboxes(request.user), timezone.now()
    people = held[letter.key]
    questions = Question.objects.filter(letter=letter).select_related("answer", "letter")
    given = [one for one in questions if hasattr(one, "answer")]
    waits = letter.state == HeldLetter.State.WAITING and not letter.silent
    open_ones = [one for one in questions if waits and one not in given]
    may_read = len(readable(people, now)) == len(people)
    context: dict[str, Any] = {
        "letter": letter,
        "people": people,
        "readable": may_read,
        "why": why(letter, readable=may_read),
        "asks": ask_all(open_ones, held, now),
        "given": given,
        "names": names_of({one.answer.by for one in given}),
        "zone": zone_of(people[0]),
    }
    return page(request, "policies/held_letter_show.html", **context)
