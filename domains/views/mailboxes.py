"""Mailboxes: the list, adding one, its page, its password, suspending and deleting it."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import PasswordForm
from accounts.models import User
from accounts.pages import SignedIn, form_page, managers, page, posted, press, refused, rows, save_or_say, saved, sought
from accounts.rights import may_manage_addresses, may_manage_person, may_set_password, people_below
from accounts.services import add_person, keep_an_administrator
from domains import choosing
from domains.forms import MailboxAddForm, MailboxDeleteForm, MailboxForm
from domains.models import Domain, Mailbox
from domains.rights import managed_domains, managed_mailboxes, may_lose, may_manage_mailbox
from domains.services import add_mailbox, aliases_without, delete_mailbox, set_people


def visible_mailbox_or_404(request: SignedIn, pk: int) -> Mailbox:
    """A mailbox of a community that the one who asks manages."""
    return get_object_or_404(managed_mailboxes(request.user), pk=pk)


def managed_mailbox_or_404(request: SignedIn, pk: int) -> Mailbox:
    """A mailbox all of whose people the one who asks stands above; 403 when she may only know of it."""
    mailbox = visible_mailbox_or_404(request, pk)
    if not may_manage_mailbox(request.user, mailbox):
        raise PermissionDenied(_("You cannot change this mailbox: an administrator can."))
    return mailbox


def home_of(mailbox: Mailbox) -> str:
    """The mailbox's page."""
    return reverse("mailbox-edit", args=[mailbox.pk])


@require_safe
@managers
def mailbox_list(request: SignedIn) -> HttpResponse:
    """The mailboxes one may know of."""
    text = sought(request)
    found = managed_mailboxes(request.user).matching(text).prefetch_related("people")  # type: ignore[attr-defined]
    return page(
        request,
        "domains/mailbox_list.html",
        mailboxes=rows(request, found),
        q=text,
        domains=managed_domains(request.user).exists(),
    )


@form_page
@managers
def mailbox_add(request: SignedIn) -> HttpResponse:
    """A new mailbox, with its person where she is new too."""
    form = MailboxAddForm(posted(request), actor=request.user, initial=wanted(request))
    if form.is_valid():
        typed = form.cleaned_data
        mailbox = Mailbox(
            domain=typed["domain"], address=f"{typed['local']}@{typed['domain'].name}", quota=typed["quota"]
        )
        if save_or_say(request, form, lambda: add(request, form, mailbox)):
            return saved(request, home_of(mailbox), _("The mailbox %(address)s is added.") % {"address": mailbox.shown})
    domains = managed_domains(request.user).exists()
    return page(request, "domains/mailbox_add.html", form, domains=domains)


def wanted(request: SignedIn) -> dict[str, object]:
    """What the link to the form already knows: the domain, or the person."""
    domain, person = request.GET.get("domain", "").replace("\0", ""), request.GET.get("person", "")
    known: dict[str, object] = {"domain": Domain.objects.filter(name=domain).first()} if domain else {}
    return {**known, "whose": "here", "people": [person]} if person else known


def add(request: SignedIn, form: MailboxAddForm, mailbox: Mailbox) -> None:
    """Save a mailbox whose people are the actor's to manage; it may take an address from a catch-all."""
    mailbox.clean()
    people = [new_person(form, mailbox)] if form.cleaned_data["whose"] == "new" else list(form.cleaned_data["people"])
    if not may_manage_addresses(request.user, mailbox.domain.community, people):
        raise ValidationError({"people": _("This person's addresses here are not yours to manage: tick others.")})
    add_mailbox(mailbox, people)


@require_safe
@managers
def people_found(request: SignedIn) -> HttpResponse:
    """Part of a form: whom a search finds, and who is chosen already."""
    found, text = people_below(request.user), sought(request)
    asked = choosing.sought(found, text, request.GET.getlist("had"), request.GET.getlist("people"))
    return page(request, "domains/_people_found.html", name="people", **asked)


def new_person(form: MailboxAddForm, mailbox: Mailbox) -> User:
    """The new person of a new mailbox signs in with its address."""
    typed = form.cleaned_data
    if User.objects.filter(address=mailbox.address).exists():
        raise ValidationError({"whose": _("Somebody signs in with this address already: choose somebody who is here.")})
    person = User(name=typed["name"], address=mailbox.address, password=typed["password"])
    community = mailbox.domain.community
    assert community, "A domain with mailboxes is somebody's."
    return add_person(person, community, typed["role"])


@form_page
def mailbox_edit(request: SignedIn, pk: int) -> HttpResponse:
    """A mailbox's page: whoever may know of it looks, whoever may change it saves."""
    managed = request.method == "POST"
    mailbox = managed_mailbox_or_404(request, pk) if managed else visible_mailbox_or_404(request, pk)
    people = list(mailbox.people.all())
    form = MailboxForm(posted(request), actor=request.user, mailbox=mailbox)
    if form.is_valid() and save_or_say(request, form, lambda: change(request, form, mailbox)):
        return saved(request, home_of(mailbox), _("%(address)s is saved.") % {"address": mailbox.shown})
    return page(
        request,
        "domains/mailbox_edit.html",
        form,
        mailbox=mailbox,
        people=people,
        managed=managed or may_manage_mailbox(request.user, mailbox),
        person=people[0] if len(people) == 1 else None,
    )


def change(request: SignedIn, form: MailboxForm, mailbox: Mailbox) -> None:
    """Save size and people."""
    people = list(form.cleaned_data["people"])
    if not may_manage_addresses(request.user, mailbox.domain.community, people):
        raise ValidationError({"people": _("This person's addresses here are not yours to manage: tick others.")})
    mailbox.quota = form.cleaned_data["quota"]
    mailbox.save()
    set_people(mailbox, people)


@form_page
def mailbox_password(request: SignedIn, pk: int) -> HttpResponse:
    """The password of a mailbox is its person's."""
    mailbox = managed_mailbox_or_404(request, pk)
    people = list(mailbox.people.all())
    if len(people) != 1:
        raise PermissionDenied(_("A shared mailbox has no password: its people read it with their own."))
    if not may_set_password(request.user, people[0]):
        raise PermissionDenied(
            _("This password opens mailboxes of people you do not look after: ask an administrator.")
        )
    if people[0] == request.user:
        raise PermissionDenied(_("Change your own password on your own page, where the present one is asked for."))
    form = PasswordForm(posted(request))
    if form.is_valid() and save_or_say(request, form, lambda: change_password(people[0], form)):
        told = _("%(name)s has a new password, for the panel and for the mailboxes.") % {"name": people[0].name}
        return saved(request, home_of(mailbox), told)
    return page(request, "domains/mailbox_password.html", form, mailbox=mailbox, person=people[0])


def change_password(person: User, form: PasswordForm) -> None:
    """Store the hash of the new password."""
    person.password = form.cleaned_data["password"]
    person.save()


@require_POST
def mailbox_suspend(request: SignedIn, pk: int) -> HttpResponse:
    """Refuse letters to a mailbox, and signing in to it, until it is resumed."""
    mailbox = managed_mailbox_or_404(request, pk)
    mailbox.active = False
    if sentence := press(request, mailbox.save):
        return refused(request, sentence, home_of(mailbox))
    told = _("%(address)s is suspended.") % {"address": mailbox.shown}
    return saved(request, home_of(mailbox), told, undo=reverse("mailbox-resume", args=[pk]))


@require_POST
def mailbox_resume(request: SignedIn, pk: int) -> HttpResponse:
    """Open a mailbox again."""
    mailbox = managed_mailbox_or_404(request, pk)
    mailbox.active = True
    if sentence := press(request, mailbox.save):
        return refused(request, sentence, home_of(mailbox))
    return saved(request, home_of(mailbox), _("%(address)s works again.") % {"address": mailbox.shown})


@form_page
def mailbox_delete(request: SignedIn, pk: int) -> HttpResponse:
    """Delete a mailbox, on a page that says what goes with it."""
    mailbox = managed_mailbox_or_404(request, pk)
    shorter, gone = aliases_without(mailbox)
    leaving = removable_people(request, mailbox)
    form = MailboxDeleteForm(posted(request), address=mailbox.address, removable=bool(leaving))
    if not may_lose(request.user, [*shorter, *gone]):
        raise PermissionDenied(_("An alias of another community leads here: an administrator can delete this mailbox."))
    if form.is_valid() and save_or_say(request, form, lambda: delete(form, mailbox)):
        return saved(request, reverse("mailbox-list"), _("%(address)s is deleted.") % {"address": mailbox.shown})
    context = {"mailbox": mailbox, "shorter": shorter, "gone": gone, "leaving": leaving}
    return page(request, "domains/mailbox_delete.html", form, **context)


def delete(form: MailboxDeleteForm, mailbox: Mailbox) -> None:
    """Delete a mailbox, and its people where that was ticked."""
    delete_mailbox(mailbox, with_people=form.cleaned_data.get("with_people", False))
    keep_an_administrator()


def removable_people(request: SignedIn, mailbox: Mailbox) -> list[User]:
    """The people who would have no mailbox left, if the actor may remove every one of them."""
    alone = [person for person in mailbox.people.all() if person.mailboxes.count() == 1]
    may = all(person != request.user and may_manage_person(request.user, person) for person in alone)
    return alone if may else []
