"""One's own settings: password, language, light or dark."""

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.forms import OwnPasswordForm, SettingsForm
from accounts.pages import SignedIn, form_page, page, posted, save_or_say, saved

YEAR = 365 * 24 * 3600


@form_page
def me(request: SignedIn) -> HttpResponse:
    """Language and theme. The theme is the device's affair: a cookie keeps it."""
    now = {"language": request.user.language, "theme": request.COOKIES.get("theme", "")}
    form = SettingsForm(posted(request), initial=now)
    if form.is_valid() and save_or_say(request, form, lambda: speak(request, form)):
        answer = saved(request, reverse("me"), _("Your settings are saved."))
        answer.set_cookie("theme", form.cleaned_data["theme"], max_age=YEAR, httponly=True, samesite="Lax")
        return answer
    return page(request, "accounts/me.html", form)


def speak(request: SignedIn, form: SettingsForm) -> None:
    """Keep the language the person chose."""
    person = request.user.refreshed()
    person.language = form.cleaned_data["language"]
    person.save()


@form_page
def me_password(request: SignedIn) -> HttpResponse:
    """A new password; whoever is signed in elsewhere with the old one is signed out."""
    form = OwnPasswordForm(posted(request), person=request.user)
    if form.is_valid() and save_or_say(request, form, lambda: change(request, form)):
        update_session_auth_hash(request, request.user)
        return saved(request, reverse("me"), _("Your password is changed, for the panel and for your mailboxes."))
    return page(request, "accounts/me_password.html", form)


def change(request: SignedIn, form: OwnPasswordForm) -> None:
    """Store the hash of the new password."""
    request.user.password = form.cleaned_data["password"]
    request.user.save()


@require_safe
def keys(request: HttpRequest) -> HttpResponse:
    """The keys that save time; the same list opens over any page with `?`."""
    return page(request, "keys.html")
