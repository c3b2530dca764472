"""Domains, for administrators; and a person's addresses, for the pages that show them."""

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Community, User
from accounts.pages import (
    SignedIn,
    administrators,
    form_page,
    page,
    posted,
    press,
    refused,
    rows,
    save_or_say,
    saved,
    sought,
)
from accounts.rights import may_see_person
from domains.forms import DomainForm
from domains.models import Domain
from domains.rights import managed_mailboxes
from domains.services import holds_addresses


@require_safe
@administrators
def domain_list(request: SignedIn) -> HttpResponse:
    """Every name that receives mail."""
    text = sought(request)
    found = (
        Domain.objects.filter(name__icontains=text)
        .select_related("community", "alias_of")
        .annotate(mailboxes=Count("mailbox", distinct=True), names=Count("alias", distinct=True))
        .order_by("name")
    )
    return page(request, "domains/domain_list.html", domains=rows(request, found), q=text)


@form_page
@administrators
def domain_add(request: SignedIn) -> HttpResponse:
    """A new domain, with its community where that is new too."""
    form = DomainForm(posted(request))
    if form.is_valid():
        domain = Domain(name=form.cleaned_data["name"], kind=form.cleaned_data["kind"])
        if save_or_say(request, form, lambda: add(form, domain)):
            told = _("The domain %(name)s is added.") % {"name": domain.shown}
            return saved(request, reverse("domain-show", args=[domain.pk]), told)
    return page(request, "domains/domain_add.html", form)


def add(form: DomainForm, domain: Domain) -> None:
    """Save a domain and, before it, its new community."""
    typed = form.cleaned_data
    domain.alias_of, domain.relay_to, domain.community = typed["alias_of"], typed["relay_to"], typed["community"]
    if domain.kind == Domain.Kind.MAIL and not domain.community:
        domain.community = new_community(typed["new_community"], typed["new_kind"] or "family")
    domain.save()


def new_community(name: str, kind: str) -> Community:
    """A community that came with its first domain."""
    community = Community(name=name, kind=kind)
    try:
        community.save()
    except ValidationError as error:
        raise ValidationError({"new_community": error.messages}) from error
    return community


@require_safe
@administrators
def domain_show(request: SignedIn, pk: int) -> HttpResponse:
    """A domain with its addresses."""
    domain = get_object_or_404(Domain.objects.select_related("community", "alias_of"), pk=pk)
    mailboxes = rows(request, domain.mailbox_set.prefetch_related("people"))
    return page(
        request,
        "domains/domain_show.html",
        domain=domain,
        mailboxes=mailboxes,
        aliases=domain.alias_set.all()[:100],
        others=domain.aliases.all(),
        empty=not holds_addresses(domain),
    )


@form_page
@administrators
def domain_delete(request: SignedIn, pk: int) -> HttpResponse:
    """Delete a domain that holds nothing any more; otherwise say what is in the way."""
    domain = get_object_or_404(Domain, pk=pk)
    if request.method == "POST":
        if sentence := press(request, lambda: delete(domain)):
            return refused(request, sentence, reverse("domain-show", args=[pk]))
        return saved(request, reverse("domain-list"), _("%(name)s is deleted.") % {"name": domain.shown})
    return page(
        request,
        "domains/domain_delete.html",
        domain=domain,
        empty=not holds_addresses(domain),
        mailboxes=domain.mailbox_set.count(),
        aliases=domain.alias_set.count(),
        others=domain.aliases.count(),
    )


def delete(domain: Domain) -> None:
    """Delete a domain, if nothing depends on it."""
    if holds_addresses(domain):
        raise ValidationError(_("%(name)s still holds addresses: delete them first.") % {"name": domain.shown})
    domain.delete()


@require_safe
def person_addresses(request: SignedIn, pk: int) -> HttpResponse:
    """The fragment with a person's mailboxes; linked where the one who looks manages their community."""
    person = User.objects.filter(pk=pk).first()
    if not person or not may_see_person(request.user, person):
        raise Http404
    managed = managed_mailboxes(request.user).filter(people=person)
    mailboxes = person.mailboxes.all() if person == request.user else managed
    links = set(managed.values_list("pk", flat=True))
    context = {"person": person, "mailboxes": mailboxes, "links": links}
    template = "domains/_person_addresses.html" if request.htmx else "domains/person_addresses.html"  # type: ignore[attr-defined]
    return page(request, template, **context)
