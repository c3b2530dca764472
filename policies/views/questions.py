"""One question: looked at, and answered."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext

from accounts.pages import SignedIn, form_page, page, posted, save_or_say, saved
from policies import words
from policies.entries import names_of
from policies.forms.lists import AnswerForm
from policies.models import Answer, Question
from policies.rights import held_mailboxes
from policies.services import Told, answer
from policies.waiting import Ask, ask_all


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
    name = names_of({given.by}).get(given.by, given.by) if given else ""
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
    if choice != "always" or not told.letters:
        return done
    letters = ngettext("%(count)s letter goes on now.", "%(count)s letters go on now.", told.letters)
    return f"{done} {letters % {'count': told.letters}}"
