"""People: the list, a person, adding one, and what those who look after her may do."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import PasswordForm, PersonAddForm, PersonForm, RoleForm
from accounts.models import User
from accounts.pages import (
    SignedIn,
    administrators,
    form_page,
    managers,
    page,
    posted,
    press,
    refused,
    rows,
    save_or_say,
    saved,
    sought,
)
from accounts.rights import may_give_role, may_manage_person, may_see_figures, may_set_password, role_in, visible_people
from accounts.services import add_person, join, keep_an_administrator, keep_names_apart, remove_person


def visible_person_or_404(request: SignedIn, pk: int) -> User:
    """A person whom the one who asks may know of."""
    person: User = get_object_or_404(visible_people(request.user), pk=pk)
    return person


def managed_person_or_404(request: SignedIn, pk: int) -> User:
    """A person whom the one who asks stands above; 403 when she may only know of her."""
    person = visible_person_or_404(request, pk)
    if not may_manage_person(request.user, person):
        raise PermissionDenied(_("You cannot change this person: an administrator can."))
    return person


@require_safe
@managers
def person_list(request: SignedIn) -> HttpResponse:
    """Everybody whom one may know of, by name or address."""
    text = sought(request)
    people = visible_people(request.user).filter(Q(name__icontains=text) | Q(address__icontains=text))
    found = people.order_by("name", "address").prefetch_related("memberships__community")
    return page(request, "accounts/person_list.html", people=rows(request, found), q=text)


@require_safe
def person_show(request: SignedIn, pk: int) -> HttpResponse:
    """A person: who she is, her addresses, her letters, and what one may do."""
    person = visible_person_or_404(request, pk)
    return page(
        request,
        "accounts/person_show.html",
        person=person,
        memberships=person.memberships.select_related("community"),
        managed=may_manage_person(request.user, person),
        figures=may_see_figures(request.user, person),
    )


@form_page
@managers
def person_add(request: SignedIn) -> HttpResponse:
    """Add a person to a community."""
    form = PersonAddForm(posted(request), actor=request.user)
    if form.is_valid():
        person = new_person(form)
        if save_or_say(request, form, lambda: add(request, form, person)):
            return saved(
                request, reverse("person-show", args=[person.pk]), _("%(name)s is here now.") % {"name": person.name}
            )
    return page(request, "accounts/person_add.html", form)


def new_person(form: PersonAddForm) -> User:
    """The row of what was typed."""
    typed = form.cleaned_data
    person = User(name=typed["name"], address=typed["address"], born=typed["born"] or None, language=typed["language"])
    if typed["password"]:
        person.password = typed["password"]
    return person


def add(request: SignedIn, form: PersonAddForm, person: User) -> None:
    """Save a new person in her community."""
    keep_names_apart(request.user, person.address)
    add_person(person, form.cleaned_data["community"], form.cleaned_data["role"])


@form_page
def person_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Change name, birthday and language; administrators also the address and who is one of them."""
    person = managed_person_or_404(request, pk)
    names = ("name", "born", "language", "address", "administrator")
    now = {name: getattr(person, name) for name in names}
    form = PersonForm(posted(request), actor=request.user, initial=now)
    if form.is_valid() and save_or_say(request, form, lambda: change(person, form)):
        return saved(request, reverse("person-show", args=[pk]), _("%(name)s is saved.") % {"name": person.name})
    return page(request, "accounts/person_edit.html", form, person=person)


def change(person: User, form: PersonForm) -> None:
    """Save what was typed, unless nobody could run the mail host afterwards."""
    form.fill(person)
    person.save()
    keep_an_administrator()


@form_page
def person_password(request: SignedIn, pk: int) -> HttpResponse:
    """A new password for somebody else; one's own asks for the old one."""
    person = managed_person_or_404(request, pk)
    if person == request.user:
        raise PermissionDenied(_("Change your own password on your own page, where the present one is asked for."))
    if not may_set_password(request.user, person):
        raise PermissionDenied(
            _("This password opens mailboxes of people you do not look after: ask an administrator.")
        )
    form = PasswordForm(posted(request))
    if form.is_valid() and save_or_say(request, form, lambda: change_password(person, form)):
        sentence = _("%(name)s has a new password, for the panel and for the mailboxes.") % {"name": person.name}
        return saved(request, reverse("person-show", args=[pk]), sentence)
    return page(request, "accounts/person_password.html", form, person=person)


def change_password(person: User, form: PasswordForm) -> None:
    """Store the hash of the new password."""
    person.password = form.cleaned_data["password"]
    person.save()


@require_POST
def person_disable(request: SignedIn, pk: int) -> HttpResponse:
    """Let a person sign in no more, nowhere."""
    person = managed_person_or_404(request, pk)
    back = reverse("person-show", args=[pk])
    if sentence := press(request, lambda: disable(request, person)):
        return refused(request, sentence, back)
    told = _("%(name)s is disabled.") % {"name": person.name}
    return saved(request, back, told, undo=reverse("person-enable", args=[pk]))


def disable(request: SignedIn, person: User) -> None:
    """Nobody closes the door on herself, or on the last administrator."""
    if person == request.user:
        raise ValidationError(_("You cannot disable yourself: somebody else has to."))
    person.active = False
    person.save()
    keep_an_administrator()


@require_POST
def person_enable(request: SignedIn, pk: int) -> HttpResponse:
    """Let a person sign in again."""
    person = managed_person_or_404(request, pk)
    back = reverse("person-show", args=[pk])
    person.active = True
    if sentence := press(request, person.save):
        return refused(request, sentence, back)
    return saved(request, back, _("%(name)s is enabled.") % {"name": person.name})


@form_page
def person_role(request: SignedIn, pk: int) -> HttpResponse:
    """Make a person part of a community, or change what she is in it."""
    person = managed_person_or_404(request, pk)
    form = RoleForm(posted(request), actor=request.user)
    if form.is_valid() and save_or_say(request, form, lambda: give_role(request, person, form)):
        return saved(request, reverse("person-show", args=[pk]), _("%(name)s is saved.") % {"name": person.name})
    return page(request, "accounts/person_role.html", form, person=person)


def give_role(request: SignedIn, person: User, form: RoleForm) -> None:
    """Nobody loses a role that the actor could not give."""
    community, role = form.cleaned_data["community"], form.cleaned_data["role"]
    present = role_in(person, community)
    if present and not may_give_role(request.user, community, present):
        raise ValidationError({"role": _("You cannot take away the role this person has: an administrator can.")})
    join(person, community, role)


@require_POST
@administrators
def person_leave(request: SignedIn, pk: int, membership: int) -> HttpResponse:
    """Take a person out of a community."""
    person = managed_person_or_404(request, pk)
    row = get_object_or_404(person.memberships, pk=membership)
    back = reverse("person-show", args=[pk])
    if sentence := press(request, row.delete):
        return refused(request, sentence, back)
    told = _("%(name)s is no longer part of %(community)s.") % {"name": person.name, "community": row.community.name}
    return saved(request, back, told)


@form_page
def person_delete(request: SignedIn, pk: int) -> HttpResponse:
    """Remove a person for good, on a page that says what that means."""
    person = managed_person_or_404(request, pk)
    if person == request.user:
        raise PermissionDenied(_("You cannot remove yourself: somebody else has to."))
    if request.method == "POST":
        if sentence := press(request, lambda: remove(person)):
            return refused(request, sentence, reverse("person-show", args=[pk]))
        return saved(request, reverse("person-list"), _("%(name)s is removed.") % {"name": person.name})
    return page(request, "accounts/person_delete.html", person=person)


def remove(person: User) -> None:
    """Remove a person, unless nobody could run the mail host afterwards."""
    remove_person(person)
    keep_an_administrator()
