"""The acceptable-use policy: read, acknowledged, written."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Community
from accounts.pages import SignedIn, form_page, page, posted, press, save_or_say
from policies import publishing
from policies.entries import day, names_of
from policies.forms.usage import UsageForm
from policies.models import Acknowledgement, UsagePolicy
from policies.usage import beyond
from policies.usage_words import paragraphs, use_of


def own_community_or_404(request: SignedIn, pk: int) -> Community:
    """A community of the one who asks."""
    community: Community = get_object_or_404(publishing.communities_of(request.user), pk=pk)
    return community


def written_community_or_404(request: SignedIn, pk: int) -> Community:
    """A community whose policy the one who asks writes."""
    community = own_community_or_404(request, pk)
    if not publishing.may_write(request.user, community):
        raise PermissionDenied(_("This page is for who writes the rules."))
    return community


@require_safe
def usage_list(request: SignedIn) -> HttpResponse:
    """The policies of one's communities; with one community, its policy."""
    found = list(publishing.communities_of(request.user))
    if len(found) == 1:
        return shown(request, found[0], publishing.newest(found[0]))
    return page(request, "policies/usage_list.html", communities=found)


@require_safe
def usage_show(request: SignedIn, pk: int) -> HttpResponse:
    """The version that counts."""
    community = own_community_or_404(request, pk)
    return shown(request, community, publishing.newest(community))


@require_safe
def usage_version(request: SignedIn, pk: int, number: int) -> HttpResponse:
    """One version, an old one too."""
    community = own_community_or_404(request, pk)
    return shown(request, community, get_object_or_404(UsagePolicy, community=community, number=number))


def shown(request: SignedIn, community: Community, policy: UsagePolicy | None) -> HttpResponse:
    """The page of a version, or of none."""
    context: dict[str, Any] = {"community": community, "policy": policy}
    context["writes"] = publishing.may_write(request.user, community)
    if policy is None:
        return page(request, "policies/usage_empty.html", **context)
    return page(request, "policies/usage_show.html", **context, **told(request, community, policy))


def told(request: SignedIn, community: Community, policy: UsagePolicy) -> dict[str, Any]:
    """What the page of a version says beside it."""
    versions = list(UsagePolicy.objects.filter(community=community).order_by("-number"))
    newest, zone = versions[0] == policy, ZoneInfo(community.timezone)
    read = Acknowledgement.objects.filter(user=request.user, policy=policy).first()
    context: dict[str, Any] = {
        "newest": newest,
        "paragraphs": policy.paragraphs(),
        "by": names_of({policy.by}).get(policy.by, policy.by),
        "day": day(policy.when, zone),
        "read": day(read.when, zone) if read else "",
        "versions": [(one.number, day(one.when, zone)) for one in versions if one != policy],
        "owns": publishing.owns(request.user, community, timezone.now()) if newest else [],
    }
    if newest:
        context |= changes(community, policy)
        context["above"] = [one["about"] for one in context["paragraphs"]]
    if publishing.may_write(request.user, community):
        found = publishing.readers(policy)
        context["readers"] = [(one, day(one.when, zone)) for one in found]
        context["unread"] = [one.person for one in found if one.when is None]
    return context


def changes(community: Community, policy: UsagePolicy) -> dict[str, Any]:
    """How the rules of today differ from those that a version tells of."""
    today, then = paragraphs(use_of(community)), policy.paragraphs()
    return {"added": beyond(today, then), "gone": beyond(then, today)}


@require_POST
def usage_acknowledge(request: SignedIn, pk: int) -> HttpResponse:
    """Somebody has read the version that was shown to her."""
    community = own_community_or_404(request, pk)
    sent = request.POST.get("version", "")
    number = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 8 else 0
    policy = get_object_or_404(UsagePolicy.objects.select_related("community"), community=community, number=number)
    sentence = press(request, lambda: publishing.acknowledge(request.user, policy))
    if sentence:
        messages.warning(request, sentence)
    else:
        messages.success(request, _("Thank you: it is noted that you have read this."))
    return redirect(reverse("usage-show", args=[pk]))


@form_page
def usage_write(request: SignedIn, pk: int) -> HttpResponse:
    """Write the next version, look at it, publish it."""
    community = written_community_or_404(request, pk)
    last = publishing.newest(community)
    form = UsageForm(posted(request), initial={"before": last.before, "after": last.after} if last else None)
    context: dict[str, Any] = {"community": community, "policy": last, "paragraphs": paragraphs(use_of(community))}
    if "change" in request.POST or not form.is_valid():
        return page(request, "policies/usage_write.html", form, **context)
    if "publish" in request.POST and save_or_say(request, form, lambda: publish(request, community, form)):
        messages.success(request, _("It is published: everybody is asked to read it."))
        return redirect(reverse("usage-show", args=[pk]))
    return page(request, "policies/usage_review.html", form, **context, **form.cleaned_data)


def publish(request: SignedIn, community: Community, form: UsageForm) -> None:
    """Publish what was typed."""
    publishing.publish(request.user, community, form.cleaned_data["before"], form.cleaned_data["after"])
