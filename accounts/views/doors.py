"""The first run, signing in and out."""

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext as _
from django.views.decorators.http import require_POST

from accounts import guesses
from accounts.forms import SetupForm, SignInForm
from accounts.models import User
from accounts.pages import DOOR, form_page, page, posted, say
from accounts.services import nobody_yet
from accounts.wishes import wishes


@form_page
@login_not_required
def setup(request: HttpRequest) -> HttpResponse:
    """Make the administrator. There is no such page once there is somebody."""
    if not nobody_yet():
        return redirect("home")
    form = SetupForm(posted(request), initial={"language": (get_language() or "en")[:2]})
    if form.is_valid() and make_administrator(form):
        login(request, User.objects.get(address=form.cleaned_data["address"]))
        return redirect("home")
    return page(request, "accounts/setup.html", form)


def make_administrator(form: SetupForm) -> bool:
    """Save the first person; of two who try at once, the second is told."""
    typed = {name: form.cleaned_data[name] for name in ("name", "address", "password", "language")}
    try:
        with wishes(typed["address"], DOOR):
            if not nobody_yet():
                raise ValidationError(_("Somebody was faster: the administrator is there already. Sign in instead."))
            User(administrator=True, **typed).save()
    except ValidationError as error:
        say(form, error)
    return form.is_valid()


@form_page
@login_not_required
def sign_in(request: HttpRequest) -> HttpResponse:
    """Address and password."""
    if nobody_yet():
        return redirect("setup")
    if request.user.is_authenticated:
        return redirect(next_page(request))
    form = SignInForm(posted(request))
    if not form.is_valid():
        return page(request, "accounts/sign_in.html", form, next=next_page(request))
    client, address = request.META.get("REMOTE_ADDR", ""), form.cleaned_data["username"]
    if guesses.too_many(client, address):
        return wait(request, form)
    if not enter(request, form):
        form.add_error(None, _("Address or password is wrong: type both again."))
        return page(request, "accounts/sign_in.html", form, next=next_page(request))
    guesses.forget(client, address)
    return redirect(next_page(request))


def enter(request: HttpRequest, form: SignInForm) -> bool:
    """Sign in whoever this is, if the password is right and she may."""
    person = authenticate(request, username=form.cleaned_data["username"], password=form.cleaned_data["password"])
    if person:
        login(request, person)
    return person is not None


def wait(request: HttpRequest, form: SignInForm) -> HttpResponse:
    """Nothing is checked for a while."""
    form.add_error(None, _("That was wrong too often: wait five minutes, then type address and password again."))
    context = {"form": form, "next": next_page(request)}
    answer = render(request, "accounts/sign_in.html", context, status=429)
    answer["Retry-After"] = str(guesses.WAIT)
    return answer


def next_page(request: HttpRequest) -> str:
    """Where to go after signing in: the page that was asked for, if it is one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else resolve_url("home")


@require_POST
@login_not_required
def sign_out(request: HttpRequest) -> HttpResponse:
    """Leave."""
    logout(request)
    return redirect("sign-in")
