"""How many letters: of a person, and of the whole host.

Each is a page of its own, and a fragment of it where another page asks for it through htmx.
"""

from datetime import tzinfo

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.pages import SignedIn, administrators
from accounts.rights import visible_people
from domains.models import Mailbox
from reports.chart import Chart, beginning, chart
from reports.keeping import kept
from reports.looks import note_people
from reports.models import HourlyTally, HourlyTallyQuerySet
from reports.room import nearly_full
from reports.scope import sight_or_refused
from reports.sight import may_trace, seen_mailboxes, traced_mailboxes, zone_of
from reports.tally import BOUNCED, DEFERRED, REJECTED
from reports.views.community import person_report


@require_safe
def report_person(request: SignedIn, pk: int) -> HttpResponse:
    """Letters in and out by day of a person, for herself and who looks after her; the page tells more of them."""
    person = get_object_or_404(visible_people(request.user), pk=pk)
    now = timezone.now()
    sight_or_refused(request.user, person, now)
    if not getattr(request, "htmx", False):
        return person_report(request, person)
    mailboxes = seen_mailboxes(request.user, person)
    note_people(request.user, [person], now)
    traced = [] if person == request.user else traced_mailboxes(request.user, person, now)
    all_open = person == request.user or {*traced} == {*mailboxes}
    tallies = HourlyTally.objects.of_mailboxes(mailbox.key for mailbox in mailboxes)
    return answer(
        request,
        "person",
        person=person,
        mailboxes=mailboxes,
        chart=drawn(tallies, zone_of(person)),
        name=f"letters-{pk}",
        kept=kept().days,
        may_trace=may_trace(request.user, person, now),
        rows=f"{reverse('letter-list-person', args=[pk])}?" if all_open else "",
    )


@require_safe
@administrators
def report_host(request: SignedIn) -> HttpResponse:
    """Letters in and out by day of all hosts together, and what became of the others: numbers without names."""
    tallies, zone = HourlyTally.objects.of_host(), zone_of(request.user)
    return answer(
        request, "host", chart=drawn(tallies, zone), name="letters-host", full=full(), **troubles(tallies, zone)
    )


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


def full() -> list[tuple[str, int]]:
    """The mailboxes that are nearly full, whose quota an administrator sets, with percent."""
    found = nearly_full()
    addresses = {box.key: box.shown for box in Mailbox.objects.filter(key__in=found)}
    return [(addresses[key], percent) for key, percent in found.items() if key in addresses]


def troubles(tallies: HourlyTallyQuerySet, zone: tzinfo) -> dict[str, int]:
    """How many were refused at the door, came back, or had to wait, in the same days."""
    since = beginning(timezone.localdate(timezone=zone), zone)
    sums = tallies.filter(hour__gte=since).sums()
    return {name: sums[name] for name in (REJECTED, BOUNCED, DEFERRED)}
