"""What waits: the list, its summary on the first page, the letters nobody is asked about, and answering."""

from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_safe

from accounts.models import User
from accounts.pages import SignedIn, form_page, page, posted, rows, save_or_say, saved
from policies import words
from policies.forms import AnswerForm
from policies.models import Answer, Question
from policies.rights import held_mailboxes, kept_people
from policies.services import Told, answer
from policies.summary import summaries
from policies.views.owners import keepers
from policies.waiting import Ask, ask_all, cards, fill, letters_waiting, silent_letters

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
    newest = cards(held)[:AT_HOME]
    fill(newest, held, timezone.now())
    template = "policies/_waiting_summary.html" if request.htmx else "policies/waiting_summary.html"  # type: ignore[attr-defined]
    context: dict[str, Any] = {
        "cards": newest,
        "letters": letters_waiting(held),
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


@form_page
def question_answer(request: SignedIn, pk: int) -> HttpResponse:
    """One question: looked at with what has to be seen before it is answered, and answered."""
    one = ask_or_404(request, pk)
    form = AnswerForm(posted(request))
    if form.is_valid() and save_or_say(request, form, lambda: give(request, form, one)):
        told: Told = form.told
        undo = reverse("contact-remove", args=[told.created[0].owner, told.created[0].pk]) if undoable(told) else ""
        return saved(request, reverse("waiting-list"), sentence(one, form.cleaned_data["choice"], told), undo=undo)
    return page(request, "policies/question_answer.html", form, **looked_at(request, one))


def looked_at(request: SignedIn, one: Ask) -> dict[str, Any]:
    """What the page of a question shows: the answer it has already, or the one that is about to be given."""
    given = Answer.objects.filter(question=one.question).first()
    name = User.objects.filter(address=given.by).values_list("name", flat=True).first() if given else ""
    wanted = request.POST.get("choice") or request.GET.get("choice")
    return {"ask": one, "given": given, "given_by": name, "wanted": wanted if wanted in one.choices else ""}


def ask_or_404(request: SignedIn, pk: int) -> Ask:
    """A question that the one who asks may answer."""
    held = held_mailboxes(request.user)
    question = get_object_or_404(Question.objects.select_related("letter"), pk=pk)
    if question.letter.key not in held:
        raise Http404
    return ask_all([question], held, timezone.now())[0]


def give(request: SignedIn, form: AnswerForm, one: Ask) -> None:
    """Answer, and remember what was done."""
    typed = form.cleaned_data
    form.told = answer(request.user, one.question, typed["choice"], confirmed=typed["sure"])


def undoable(told: Told) -> bool:
    """One new entry, which can be taken away again."""
    return len(told.created) == 1


def sentence(one: Ask, choice: str, told: Told) -> str:
    """What happens now."""
    direction = one.letter.direction
    if choice == "once" and not told.letters:
        return _("This address is answered: the letter goes when the others are answered, too.")
    name = " + ".join(person.name for person in one.owners)
    done = str(words.DONE[direction, choice]) % {"name": name, "address": one.question.shown}
    if choice != "always":
        return done
    letters = ngettext("%(count)s letter goes on now.", "%(count)s letters go on now.", told.letters)
    return f"{done} {letters % {'count': told.letters}}"
