"""A mail host that is ahead of this database: what it means to go on, and that somebody wants it.

In: the host. Out: a page, and after it was sent the wishes of this database on their way.
"""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.pages import SignedIn, administrators, form_page, page, posted, saved, say
from accounts.rules import Refused
from deploy import services
from deploy.forms import ConfirmForm
from deploy.models import MailHost
from deploy.services import older
from deploy.tasks import poke


@form_page
@administrators
def host_confirm(request: SignedIn, pk: int) -> HttpResponse:
    """What will happen; then it does."""
    host = get_object_or_404(MailHost, pk=pk, ahead__gt=0)
    form = ConfirmForm(posted(request), initial={"ahead": host.ahead})
    if form.is_valid():
        try:
            older.confirm(pk, request.user, form.cleaned_data["ahead"])
        except Refused as refused:
            say(form, refused)
        else:
            poke(host.name)
            return saved(request, reverse("home"), _("The wishes of this database go live now."))
    void = len(older.waiting_answers(host))
    return page(request, "deploy/host_confirm.html", form, host=host, newest=services.newest(), void=void)
