"""Files of the mail host that somebody changed by hand, for administrators: what differs, and what shall be.

An act is about a file as it was shown: each is a request to the host, and its page follows it until there is an answer.
"""

from dataclasses import dataclass
from typing import Final

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.pages import SignedIn, administrators, page, refused
from accounts.rules import Refused
from accounts.wishes import invalid
from deploy.models import Drift, HostRequest
from deploy.services import drifting
from deploy.tasks import poke_explain
from policies.entries import zone_of

CLASSES: Final = {"+": "found", "-": "written", "@": "place"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as the page shows it. `lines`: each with what it is: `found`, `written`, `place` or nothing."""

    row: Drift
    lines: list[tuple[str, str]]

    @property
    def may_stay(self) -> bool:
        """It can be kept: not in a release, which the next one replaces, nor where it is gone."""
        return self.row.installed and bool(self.row.found) and not self.row.kept

    @property
    def state(self) -> str:
        """What happened to it: `gone`, `added` or `changed`."""
        return "gone" if not self.row.found else "changed" if self.row.meant else "added"


def file(row: Drift) -> File:
    """A row with its lines."""
    return File(row, [(CLASSES.get(line[:1], ""), line) for line in row.lines])


@require_safe
@administrators
def drift_list(request: SignedIn) -> HttpResponse:
    """Every file that is not as it was written; those that are kept come last."""
    rows = [file(row) for row in Drift.objects.select_related("host").order_by("kept", "host", "-installed", "path")]
    return page(request, "deploy/drift_list.html", files=rows, zone=zone_of(request.user))


@require_POST
@administrators
def drift_take(request: SignedIn, pk: int) -> HttpResponse:
    """Have it written anew."""
    return asked(request, drifting.TAKE, pk)


@require_POST
@administrators
def drift_keep(request: SignedIn, pk: int) -> HttpResponse:
    """Let it stay as somebody changed it."""
    return asked(request, drifting.KEEP, pk)


def asked(request: SignedIn, verb: str, pk: int) -> HttpResponse:
    """Ask the host about the file as it was shown, and lead on to where its answer will be."""
    row = Drift.objects.select_related("host").filter(pk=pk, found=request.POST.get("found", "")).first()
    try:
        if row is None:
            raise Refused(drifting.AGAIN)
        found = drifting.ask(request.user, verb, row, timezone.now())
    except Refused as error:
        return refused(request, " ".join(invalid(error).messages), reverse("drift-list"))
    poke_explain(found.host.name)
    return redirect("drift-acted", found.pk)


@require_safe
@administrators
def drift_acted(request: SignedIn, pk: int) -> HttpResponse:
    """What became of an act; until then htmx gets an empty answer."""
    mine = HostRequest.objects.filter(verb__in=drifting.VERBS, author=request.user.address)
    found = get_object_or_404(mine, pk=pk, expires__gt=timezone.now())
    if request.htmx and found.answer is None:  # type: ignore[attr-defined]
        return HttpResponse(status=204)
    template = "deploy/_acted.html" if request.htmx else "deploy/drift_acted.html"  # type: ignore[attr-defined]
    return page(request, template, asked=found)
