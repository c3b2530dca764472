"""Lists of whom somebody writes with: looking at one, changing, blocking and removing entries, and taking that back."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import AuditEntry, User
from accounts.pages import SignedIn, form_page, page, posted, press, refused, rows, save_or_say, saved, sought
from policies.cautions import Owner, memberships
from policies.entries import entries, zone_of
from policies.forms.lists import ContactEditForm
from policies.models import Contact
from policies.services import allow, changes, remove, restore
from policies.views.owners import Whose, kept_owner_or_404


def contacts_of(owner: Owner) -> QuerySet[Contact]:
    """The entries of a list."""
    whose = {"person": owner} if isinstance(owner, User) else {"community": owner}
    found: QuerySet[Contact] = Contact.objects.filter(**whose).select_related("person", "community")
    return found.order_by("name", "address")


def list_of(owner: Owner) -> str:
    """The page of a list."""
    return reverse("contact-list", args=[owner])


@require_safe
def contact_list(request: SignedIn, whose: Whose) -> HttpResponse:
    """Whom somebody may write with."""
    owner, text = kept_owner_or_404(request, whose), sought(request)
    found = rows(request, contacts_of(owner).filter(Q(name__icontains=text) | Q(address__icontains=text)))
    context: dict[str, Any] = {
        "owner": owner,
        "person": owner if isinstance(owner, User) else None,
        "contacts": found,
        "entries": entries(found, zone_of(owner)),
        "communities": [] if not isinstance(owner, User) else [one.community for one in memberships(owner)],
        "q": text,
    }
    return page(request, "policies/contact_list.html", **context)


@form_page
def contact_edit(request: SignedIn, whose: Whose, pk: int) -> HttpResponse:
    """Change what an entry says, not whom it means."""
    owner = kept_owner_or_404(request, whose)
    row = get_object_or_404(contacts_of(owner), pk=pk)
    now = {name: getattr(row, name) for name in ("name", "direction", "kind", "assurance")}
    form = ContactEditForm(posted(request), owner=owner, initial=now)
    before = changes(owner, row.address).count()
    if form.is_valid() and save_or_say(request, form, lambda: change(request, form, row)):
        told = _("%(address)s is saved.") % {"address": row.shown}
        return saved(request, list_of(owner), told, undo=undo(owner, row.address, before))
    return page(request, "policies/contact_edit.html", form, owner=owner, contact=row)


def change(request: SignedIn, form: ContactEditForm, row: Contact) -> None:
    """Save what was typed."""
    form.fill(row)
    allow(request.user, [row])


def undo(owner: Owner, address: str, before: int) -> str:
    """Where the last change of an entry is taken back, if there was one since."""
    found = changes(owner, address)
    return reverse("contact-restore", args=[owner, found.latest("pk").pk]) if found.count() > before else ""


@require_POST
def contact_block(request: SignedIn, whose: Whose, pk: int) -> HttpResponse:
    """Block whom an entry means."""
    owner = kept_owner_or_404(request, whose)
    row = get_object_or_404(contacts_of(owner), pk=pk)
    before, row.kind = changes(owner, row.address).count(), Contact.Kind.BLOCKED
    if sentence := press(request, lambda: allow(request.user, [row])):
        return refused(request, sentence, list_of(owner))
    told = _("%(address)s is blocked.") % {"address": row.shown}
    return saved(request, list_of(owner), told, undo=undo(owner, row.address, before))


@require_POST
def contact_remove(request: SignedIn, whose: Whose, pk: int) -> HttpResponse:
    """Take an entry away."""
    owner = kept_owner_or_404(request, whose)
    row = get_object_or_404(contacts_of(owner), pk=pk)
    address, shown, before = row.address, row.shown, changes(owner, row.address).count()
    if sentence := press(request, lambda: remove(request.user, row)):
        return refused(request, sentence, list_of(owner))
    told = _("%(address)s is no longer on the list.") % {"address": shown}
    return saved(request, list_of(owner), told, undo=undo(owner, address, before))


@require_POST
def contact_restore(request: SignedIn, whose: Whose, pk: int) -> HttpResponse:
    """Take the last change of an entry back."""
    owner = kept_owner_or_404(request, whose)
    entry = get_object_or_404(AuditEntry, pk=pk, kind="contact", before__isnull=False)
    if sentence := press(request, lambda: restore(request.user, owner, entry)):
        return refused(request, sentence, list_of(owner))
    return saved(request, list_of(owner), _("It is as it was before."))
