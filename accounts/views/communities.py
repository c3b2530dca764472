"""Communities: families and businesses, for administrators."""

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.forms import CommunityForm
from accounts.models import Community
from accounts.pages import SignedIn, administrators, form_page, page, posted, rows, save_or_say, saved, sought


@require_safe
@administrators
def community_list(request: SignedIn) -> HttpResponse:
    """Every community with the number of its people."""
    text = sought(request)
    found = Community.objects.filter(name__icontains=text).annotate(size=Count("memberships")).order_by("name")
    return page(request, "accounts/community_list.html", communities=rows(request, found), q=text)


@form_page
@administrators
def community_add(request: SignedIn) -> HttpResponse:
    """A new family or business."""
    return change(request, Community(), "accounts/community_add.html")


@form_page
@administrators
def community_edit(request: SignedIn, pk: int) -> HttpResponse:
    """Name, time zone and language of a community."""
    return change(request, get_object_or_404(Community, pk=pk), "accounts/community_edit.html")


def change(request: SignedIn, community: Community, template: str) -> HttpResponse:
    """Show the form of a community, or save it."""
    now = {name: getattr(community, name) for name in ("name", "kind", "timezone", "language")}
    form = CommunityForm(posted(request), community=community, initial=now)
    if form.is_valid():
        form.fill(community)
        if save_or_say(request, form, community.save):
            return saved(request, reverse("community-list"), _("%(name)s is saved.") % {"name": community.name})
    return page(request, template, form, community=community)
