"""What was changed: is everything live, what waits, every release; and a community's own changes.

Releases are for administrators; what they read of others' lists and rules, `policies.change_words` and
`deploy.services.released` say. Guardians and owners read the changes of their own community.
"""

from typing import Any, Final

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import SignedIn, administrators, page, refused, rows as rows_of
from accounts.rules import Refused
from accounts.wishes import invalid
from deploy import services
from deploy.models import HostRequest, MailHost, Release
from deploy.services import history, released
from deploy.tasks import poke_explain
from deploy.views.pages import verdict
from policies.entries import zone_of
from policies.rights import kept_communities

LINES: Final = 50
FOUND: Final = "deploy/_changes_files.html"


@require_safe
@administrators
def changes_list(request: SignedIn) -> HttpResponse:
    """Is everything live, what waits, and every release."""
    hosts, newest = list(MailHost.objects.all()), services.newest()
    found = rows_of(request, history.wished())
    first = found.number == 1
    context: dict[str, Any] = {
        "verdict": verdict(hosts, newest, timezone.now()),
        "pending": history.pending(request.user, hosts),
        "rows": found,
        "history": history.rows(request.user, list(found.object_list), first=first),
        "newest": newest,
        "zone": zone_of(request.user),
    }
    return page(request, "deploy/changes_list.html", **context)


@require_safe
@administrators
def changes_show(request: SignedIn, pk: int) -> HttpResponse:
    """One release: what was wished in it, and how it went."""
    return shown(request, release_or_404(pk), None)


@require_POST
@administrators
def changes_files(request: SignedIn, pk: int) -> HttpResponse:
    """Ask the host what the release changed in its files."""
    found = release_or_404(pk)
    try:
        asked = released.ask(request.user, found, timezone.now())
    except Refused as error:
        return refused(request, " ".join(invalid(error).messages), reverse("changes-show", args=[pk]))
    if asked.answer is None:
        poke_explain(asked.host.name)
    return redirect("changes-files-found", pk, asked.pk)


@require_safe
@administrators
def changes_files_found(request: SignedIn, pk: int, asked: int) -> HttpResponse:
    """What the host says; until then htmx gets an empty answer, and others a page with a link to look again."""
    found = release_or_404(pk)
    answer = get_object_or_404(released.asked_by(request.user, found, timezone.now()), pk=asked)
    if not request.htmx:  # type: ignore[attr-defined]
        return shown(request, found, answer)
    if answer.answer is None and request.headers.get("HX-Trigger") == "asked":
        return HttpResponse(status=204)
    return page(request, FOUND, release=found, asked=answer)


def release_or_404(pk: int) -> Release:
    """A release that somebody wished, or that failed; or one that nobody wished."""
    every: QuerySet[Release] = history.every()
    found: Release = get_object_or_404(every, pk=pk)
    return found


def shown(request: SignedIn, found: Release, asked: HostRequest | None) -> HttpResponse:
    """The page of a release."""
    row = history.rows(request.user, [found], most=history.LONG)[0]
    context: dict[str, Any] = {"row": row, "release": found, "asked": asked, "zone": zone_of(request.user)}
    return page(request, "deploy/changes_show.html", **context)


@require_safe
def changes_community(request: SignedIn, pk: int) -> HttpResponse:
    """What was changed in a family or a business, for who keeps its lists."""
    community = get_object_or_404(kept_communities(request.user), pk=pk)
    before = request.GET.get("before", "")
    if before and not (before.isdecimal() and len(before) < 19):
        raise Http404
    lines, more = history.of_community(request.user, community, int(before) if before else None, LINES)
    context: dict[str, Any] = {"community": community, "lines": lines, "more": more, "before": before}
    return page(request, "deploy/changes_community.html", **context, zone=zone_of(community))
