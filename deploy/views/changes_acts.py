"""Going back to what was wished before, and pausing a host: for administrators.

Going back is shown first as the wishes that would change. It acts over the generation that was shown; where somebody
wished something meanwhile it is shown anew.
"""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.pages import SignedIn, administrators, form_page, page, posted, refused, saved, say
from accounts.rules import Refused
from accounts.wishes import invalid
from deploy.forms import PauseForm, UndoForm
from deploy.models import MailHost, Release
from deploy.services import history, kept, pausing
from deploy.tasks import poke
from deploy.views.changes import release_or_404
from policies.change_words import lines
from policies.household import HouseholdError, Undone, rehearse, undo
from policies.household.undo import Stale


@form_page
@administrators
def changes_undo(request: SignedIn, pk: int) -> HttpResponse:
    """What going back to a release would change; and going back."""
    found = release_or_404(pk)
    form = UndoForm(posted(request))
    try:
        text = kept.unpacked(found)
        if form.is_valid():
            done = undo(text, found.generation, request.user, form.cleaned_data["generation"], f"release {pk}")
            return told(request, done)
        return preview(request, found, text)
    except Stale:
        messages.warning(request, _("Somebody changed something meanwhile: look at it once more."))
        return preview(request, found, text, status=422)
    except (Refused, HouseholdError, ValidationError) as error:
        return refused(request, sentence(error), reverse("changes-show", args=[pk]))


def sentence(error: Exception) -> str:
    """Why it cannot be gone back to."""
    if isinstance(error, Refused):
        error = invalid(error)
    said = error.messages[0] if isinstance(error, ValidationError) else str(error)
    return _("It cannot be gone back to this release, and nothing is changed: %(why)s") % {"why": said}


def preview(request: SignedIn, found: Release, text: str, status: int = 200) -> HttpResponse:
    """The wishes that would change, in words."""
    would = rehearse(text, found.generation, request.user)
    told = lines(request.user, would.entries[: history.LONG])
    answer = page(
        request,
        "deploy/changes_undo.html",
        UndoForm(initial={"generation": would.shown}),
        release=found,
        row=history.rows(request.user, [found])[0],
        lines=told,
        more=max(0, len(would.entries) - history.LONG),
        without_password=would.without_password,
    )
    answer.status_code = status
    return answer


def told(request: SignedIn, done: Undone) -> HttpResponse:
    """Lead on, and say who needs a password."""
    for person in done.without_password:
        messages.warning(request, without_password(person))
    return saved(request, reverse("changes-list"), _("It is as it was then. This can be undone, too."))


def without_password(person: User) -> str:
    """What is to be done for her."""
    return _("%(name)s is back and has no password: give a new one on the page of this person.") % {"name": person.name}


@form_page
@administrators
def changes_pause(request: SignedIn, pk: int) -> HttpResponse:
    """What waits and what still goes through while a host is paused; and pausing it."""
    host = get_object_or_404(MailHost, pk=pk)
    form = PauseForm(posted(request))
    if form.is_valid() and paused(request, host, form):
        messages.success(request, _("%(name)s is paused: new changes wait.") % {"name": host.name})
        return redirect("changes-list")
    return page(request, "deploy/changes_pause.html", form, host=host)


def paused(request: SignedIn, host: MailHost, form: PauseForm) -> bool:
    """Pause it, or say beside the form why not."""
    try:
        pausing.pause(request.user, host, form.cleaned_data["reason"], timezone.now())
    except Refused as error:
        say(form, error)
        return False
    return True


@require_POST
@administrators
def changes_resume(request: SignedIn, pk: int) -> HttpResponse:
    """Let what waits go out."""
    host = get_object_or_404(MailHost, pk=pk)
    try:
        pausing.resume(request.user, host)
    except Refused as error:
        return refused(request, " ".join(invalid(error).messages), reverse("changes-list"))
    poke(host.name, verify_all=True)
    return saved(
        request, reverse("changes-list"), _("%(name)s goes on: what waited goes out now.") % {"name": host.name}
    )
