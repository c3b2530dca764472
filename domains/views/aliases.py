"""Aliases: the list, adding, changing and deleting them."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.pages import SignedIn, form_page, managers, page, posted, press, refused, rows, save_or_say, saved, sought
from domains.forms import AliasAddForm, AliasForm
from domains.models import Alias, Domain, leading_to
from domains.rights import managed_aliases, managed_domains, may_lose, may_manage_alias, refuse_taking, refuse_targets
from domains.services import delete_alias


def visible_alias_or_404(request: SignedIn, pk: int) -> Alias:
    """An alias of a community that the one who asks manages."""
    return get_object_or_404(managed_aliases(request.user), pk=pk)


def managed_alias_or_404(request: SignedIn, pk: int) -> Alias:
    """An alias that reaches only people the one who asks stands above; 403 when she may only know of it."""
    alias = visible_alias_or_404(request, pk)
    if not may_manage_alias(request.user, alias):
        raise PermissionDenied(_("This alias reaches people you do not look after: an administrator can change it."))
    return alias


@require_safe
@managers
def alias_list(request: SignedIn) -> HttpResponse:
    """The aliases one may know of."""
    text = sought(request)
    found = managed_aliases(request.user).matching(text)  # type: ignore[attr-defined]
    return page(
        request,
        "domains/alias_list.html",
        aliases=rows(request, found),
        q=text,
        domains=managed_domains(request.user).exists(),
        today=timezone.localdate(),
    )


@form_page
@managers
def alias_add(request: SignedIn) -> HttpResponse:
    """A new alias."""
    domain = Domain.objects.filter(name=request.GET.get("domain", "").replace("\0", "")).first()
    form = AliasAddForm(posted(request), actor=request.user, initial={"domain": domain})
    if form.is_valid():
        alias = Alias(domain=form.cleaned_data["domain"], address=form.address())
        if save_or_say(request, form, lambda: add(request, form, alias)):
            return saved(
                request, reverse("alias-list"), _("The alias %(address)s is added.") % {"address": alias.shown}
            )
    return page(request, "domains/alias_add.html", form, domains=managed_domains(request.user).exists())


def add(request: SignedIn, form: AliasAddForm, alias: Alias) -> None:
    """Save an alias that takes nobody's letters."""
    alias.clean()
    refuse_taking(request.user, alias.address)
    change(request, form, alias)


@form_page
def alias_edit(request: SignedIn, pk: int) -> HttpResponse:
    """An alias's page: whoever may know of it looks, whoever may change it saves."""
    managed = request.method == "POST"
    alias = managed_alias_or_404(request, pk) if managed else visible_alias_or_404(request, pk)
    now = {"targets": "\n".join(alias.shown_targets), "internal": alias.internal, "expires": alias.expires}
    form = AliasForm(posted(request), initial=now)
    if form.is_valid() and save_or_say(request, form, lambda: change(request, form, alias)):
        return saved(request, reverse("alias-edit", args=[pk]), _("%(address)s is saved.") % {"address": alias.shown})
    managed = managed or may_manage_alias(request.user, alias)
    return page(request, "domains/alias_edit.html", form, alias=alias, managed=managed, today=timezone.localdate())


def change(request: SignedIn, form: AliasForm, alias: Alias) -> None:
    """Save where an alias leads, once every target is the actor's to lead letters to."""
    form.fill(alias)
    refuse_targets(request.user, alias.targets)
    alias.save()


@form_page
def alias_delete(request: SignedIn, pk: int) -> HttpResponse:
    """Delete an alias, on a page that says what goes with it."""
    alias = managed_alias_or_404(request, pk)
    leading = leading_to(alias.address)
    if not may_lose(request.user, leading):
        raise PermissionDenied(_("An alias of another community leads here: an administrator can delete this one."))
    if request.method == "POST":
        if sentence := press(request, lambda: delete_alias(alias)):
            return refused(request, sentence, reverse("alias-edit", args=[pk]))
        return saved(request, reverse("alias-list"), _("%(address)s is deleted.") % {"address": alias.shown})
    shorter = [other for other in leading if other.targets_without(alias.address)]
    gone = [other for other in leading if other not in shorter]
    return page(request, "domains/alias_delete.html", alias=alias, shorter=shorter, gone=gone)
