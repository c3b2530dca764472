"""Adding to a list: one entry or several, looked at before they are saved."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.pages import SignedIn, form_page, page, posted, save_or_say, saved, say
from policies.cautions import Draft, Owner, difference, moved
from policies.forms.lists import AddForm, ContactAddForm, ContactPasteForm
from policies.rules import typed_again
from policies.services import Told, allow, rehearse
from policies.views.contacts import list_of
from policies.views.owners import Whose, kept_owner_or_404


@form_page
def contact_add(request: SignedIn, whose: Whose) -> HttpResponse:
    """One more entry."""
    owner = kept_owner_or_404(request, whose)
    wanted = {name: request.GET.get(name, "")[:254] for name in ("address", "name")}
    return add(request, ContactAddForm(posted(request), owner=owner, initial=wanted), "policies/contact_add.html")


@form_page
def contact_paste(request: SignedIn, whose: Whose) -> HttpResponse:
    """Several entries, one a line."""
    owner = kept_owner_or_404(request, whose)
    return add(request, ContactPasteForm(posted(request), owner=owner), "policies/contact_paste.html")


def add(request: SignedIn, form: AddForm, template: str) -> HttpResponse:
    """Ask for entries, show what was understood, and save it when that was seen."""
    if "change" in request.POST or not form.is_valid():
        return page(request, template, form, owner=form.owner)
    drafts = form.drafts()
    new = [one for one in drafts if one.new]
    if new and "save" in request.POST and confirmed(request, form, new):
        told = Told()
        if save_or_say(request, form, lambda: told.add(allow(request.user, [one.row for one in new]))):
            return saved(request, list_of(form.owner), done(new, told), undo=undo(form.owner, told))
    letters = foreseen(request, form, new)
    context: dict[str, Any] = {"owner": form.owner, "drafts": drafts, "new": new}
    context |= {"difference": difference(new, form.owner.name, letters)}
    return page(request, "policies/contact_review.html", form, **context)


def confirmed(request: SignedIn, form: AddForm, new: Sequence[Draft]) -> bool:
    """Whether every dangerous entry was typed again; that makes it one that may be saved."""
    for one in new:
        one.row.confirmed = one.again and typed_again(one.row.address, request.POST.get(f"again-{one.line}"))
        one.wrong = one.again and not one.row.confirmed
    if any(one.wrong for one in new):
        form.add_error(None, _("Type the entry again where it says so, or leave it away."))
        return False
    return True


def foreseen(request: SignedIn, form: AddForm, new: Sequence[Draft]) -> int:
    """How many letters would go on; what would be refused is said now."""
    if not new or form.errors:
        return 0
    try:
        return rehearse(request.user, [one.rehearsed() for one in new])
    except ValidationError as error:
        say(form, error)
        return 0


def done(new: Sequence[Draft], told: Told) -> str:
    """What was saved, and what becomes of letters."""
    entries = _("%(address)s is on the list.") if len(new) == 1 else _("%(count)s entries are on the list.")
    sentence = entries % {"address": new[0].row.shown, "count": len(new)}
    return f"{sentence} {moved(told.letters)}" if told.letters else sentence


def undo(owner: Owner, told: Told) -> str:
    """One new entry can be taken away again."""
    return reverse("contact-remove", args=[owner, told.created[0].pk]) if len(told.created) == 1 else ""
