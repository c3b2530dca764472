"""How many letters: of a person, and of the whole host.

Each is a page of its own, and a fragment of it where another page asks for it through htmx.
"""

from datetime import tzinfo

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.pages import SignedIn, administrators
from accounts.rights import may_see_figures, visible_people
from reports.chart import Chart, beginning, chart
from reports.models import HourlyTally, HourlyTallyQuerySet
from reports.sight import may_trace, seen_mailboxes, zone_of
from reports.tally import BOUNCED, DEFERRED, REJECTED


@require_safe
def report_person(request: SignedIn, pk: int) -> HttpResponse:
    """Letters in and out by day of a person, for herself and who looks after her."""
    person = get_object_or_404(visible_people(request.user), pk=pk)
    if not may_see_figures(request.user, person):
        raise PermissionDenied(_("How many letters somebody gets is for her and for her parents to see."))
    mailboxes = list(seen_mailboxes(request.user, person))
    tallies = HourlyTally.objects.of_mailboxes(mailbox.key for mailbox in mailboxes)
    return answer(
        request,
        "person",
        person=person,
        mailboxes=mailboxes,
        chart=drawn(tallies, zone_of(person)),
        name=f"letters-{pk}",
        may_trace=may_trace(request.user, person, timezone.now()),
    )


@require_safe
@administrators
def report_host(request: SignedIn) -> HttpResponse:
    """Letters in and out by day of all hosts together, and what became of the others: numbers without names."""
    tallies, zone = HourlyTally.objects.of_host(), zone_of(request.user)
    return answer(request, "host", chart=drawn(tallies, zone), name="letters-host", **troubles(tallies, zone))


def answer(request: SignedIn, noun: str, **context: object) -> HttpResponse:
    """The fragment for htmx, the page for everybody else."""
    fragment = getattr(request, "htmx", False)
    template = f"reports/_{noun}_report.html" if fragment else f"reports/{noun}_report.html"
    response = render(request, template, {**context, "fragment": fragment, "url": request.path})
    response["Vary"] = "HX-Request"
    return response


def drawn(tallies: HourlyTallyQuerySet, zone: tzinfo) -> Chart:
    """The last thirty days of these tallies."""
    today = timezone.localdate(timezone=zone)
    return chart(tallies.hours(beginning(today, zone)), today, zone)


def troubles(tallies: HourlyTallyQuerySet, zone: tzinfo) -> dict[str, int]:
    """How many were refused at the door, came back, or had to wait, in the same days."""
    since = beginning(timezone.localdate(timezone=zone), zone)
    sums = tallies.filter(hour__gte=since).sums()
    return {name: sums[name] for name in (REJECTED, BOUNCED, DEFERRED)}
