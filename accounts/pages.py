"""What every page that changes something does: show a form, save it or say what is wrong, lead on.

A refused form is answered with 422 and keeps what was typed, passwords apart. After a save the browser is led to a page
that follows the new generation until it is live.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.db import IntegrityError
from django.db.models import ProtectedError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.rights import managed_communities, may_run_hosts
from accounts.rules import Refused
from accounts.wishes import Wishes, invalid, wishes

View = Callable[..., HttpResponse]
form_page = require_http_methods(["GET", "HEAD", "POST"])
DOOR = "page"
ROWS = 25


class SignedIn(HttpRequest):
    """A request of somebody who is signed in: LoginRequiredMiddleware lets no other through."""

    user: User


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent with a form, or None when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def page(request: HttpRequest, template: str, form: forms.Form | None = None, **context: Any) -> HttpResponse:
    """A page, with 422 when its form was refused."""
    status = 422 if form is not None and form.is_bound and form.errors else 200
    return render(request, template, {"form": form, **context}, status=status)


def refused(request: HttpRequest, sentence: str, back: str) -> HttpResponse:
    """A page that says why a button did nothing, and leads back."""
    return render(request, "refused.html", {"sentence": sentence, "back": back}, status=422)


def saved(request: HttpRequest, to: str, sentence: str, undo: str = "") -> HttpResponseRedirect:
    """Lead on to a page that says what was done, offers the way back and follows the generation until it is live."""
    messages.success(request, sentence, extra_tags=undo)
    return redirect(f"{to}?{urlencode({'generation': Wishes.current()})}")


def save_or_say(request: SignedIn, form: forms.Form, write: Callable[[], object]) -> bool:
    """Write the wishes of a valid form; what the models or the database refuse stands beside its field afterwards."""
    try:
        with wishes(request.user, DOOR):
            write()
    except (ValidationError, Refused, IntegrityError, ProtectedError) as error:
        say(form, error)
        return False
    return True


def say(form: forms.Form, error: Exception) -> None:
    """Put an error beside the field it belongs to (`form.beside` knows other names), or above the form."""
    for name, errors in sentences(error).items():
        field = getattr(form, "beside", {}).get(name, name)
        form.add_error(field if field in form.fields else None, errors)


def sentences(error: Exception) -> dict[str, Any]:
    """The sentences of an error, by the field they belong to."""
    if isinstance(error, ValidationError):
        return error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error}
    if isinstance(error, Refused):
        return {NON_FIELD_ERRORS: invalid(error)}
    if isinstance(error, ProtectedError):
        return {NON_FIELD_ERRORS: _("Something still depends on this: remove that first.")}
    return {NON_FIELD_ERRORS: _("Somebody else saved the same thing a moment ago: look at it, then try again.")}


def press(request: SignedIn, write: Callable[[], object]) -> str:
    """Write the wish of a button; the sentence that refuses it, or nothing when it is done."""
    form = forms.Form({})
    save_or_say(request, form, write)
    return " ".join(str(sentence) for sentence in form.non_field_errors())


def rows(request: HttpRequest, found: Any) -> Page[Any]:
    """The page of a list that was asked for; the nearest one when there is no such page.

    `found`: a query, or whatever knows its length and gives a part of itself.
    """
    return Paginator(found, ROWS).get_page(request.GET.get("page"))


def sought(request: HttpRequest) -> str:
    """What was typed into the search field."""
    return request.GET.get("q", "").replace("\0", "").strip()[:200]


def administrators(view: View) -> View:
    """For those who run the mail host."""

    @wraps(view)
    def guarded(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may_run_hosts(request.user):
            raise PermissionDenied(_("This page is for administrators."))
        return view(request, *args, **kwargs)

    return guarded


def managers(view: View) -> View:
    """For those who look after somebody."""

    @wraps(view)
    def guarded(request: SignedIn, *args: Any, **kwargs: Any) -> HttpResponse:
        if not managed_communities(request.user).exists() and not may_run_hosts(request.user):
            raise PermissionDenied(_("This page is for those who look after the people of a family or a business."))
        return view(request, *args, **kwargs)

    return guarded
