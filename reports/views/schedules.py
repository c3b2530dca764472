"""Reports by mail: ask for one, see which come, stop one.

Who may ask for a report is who may see it; what she may see is asked anew each time it is sent (`reports.sending`).
"""

from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Community, User
from accounts.pages import SignedIn, form_page, page, posted
from accounts.rights import visible_people
from reports import looks, report_words as words, schedules, scope as scopes
from reports.forms import ScheduleForm
from reports.models import ReportSchedule
from reports.readings import Reading, of_community, of_person
from reports.scope import NAMES


@dataclass(frozen=True, slots=True)
class Row:
    """A report that comes. `mode`: in words, where there are several."""

    schedule: ReportSchedule
    whose: str
    mode: str
    following: date


@form_page
def schedule_community(request: SignedIn, pk: int) -> HttpResponse:
    """Have a family's or a business's report sent; an owner says why she needs names."""
    community, now = get_object_or_404(Community, pk=pk), timezone.now()
    role = scopes.role_or_refused(request.user, community)
    mode = scopes.mode_or_refused(role, request.GET.get("mode", ""))
    why = looks.stated_purpose(request.user, community, now) if role == "owner" and mode == NAMES else ""
    form = ScheduleForm(posted(request), initial={"purpose": why}, named=role == "owner" and mode == NAMES)
    if form.is_valid():
        reading = of_community(request.user, community, role, mode, form.cleaned_data.get("purpose", ""), now)
        if asked(request, form, reading, None):
            return redirect("schedule-list")
    return page(request, "reports/schedule_add.html", form, community=community, mode=mode, whose=community.name)


@form_page
def schedule_person(request: SignedIn, pk: int) -> HttpResponse:
    """Have one's own figures sent, or those of a child."""
    person = get_object_or_404(visible_people(request.user), pk=pk)
    reading, form = of_person(request.user, person, timezone.now()), ScheduleForm(posted(request), named=False)
    if form.is_valid() and asked(request, form, reading, person):
        return redirect("schedule-list")
    return page(request, "reports/schedule_add.html", form, person=person, whose=person.name)


def asked(request: SignedIn, form: ScheduleForm, reading: Reading, person: User | None) -> bool:
    """Send it from now on; False, with a sentence, to who has nowhere to get it."""
    if not schedules.mailbox_of(request.user):
        form.add_error(
            None,
            _("You have no mailbox here that you alone read: ask whoever runs this host for one, then come back."),
        )
        return False
    schedules.ask_for(request.user, reading, person, form.cleaned_data["every"], timezone.now())
    messages.success(request, _("It is noted: the first one comes when this week or month is over."))
    return True


@require_safe
def schedule_list(request: SignedIn) -> HttpResponse:
    """Which reports she gets."""
    found = [row(one) for one in schedules.of_reader(request.user, timezone.now())]
    return page(request, "reports/schedule_list.html", rows=found, to=schedules.mailbox_of(request.user))


def row(one: ReportSchedule) -> Row:
    """What is shown of one."""
    whose = one.person.name if one.person else str(one.community)
    mode = str(words.MODES[one.mode]) if one.community and one.community.kind == Community.Kind.BUSINESS else ""
    return Row(one, whose, mode, schedules.next_day(one))


@require_POST
def schedule_stop(request: SignedIn, pk: int) -> HttpResponse:
    """Send one of hers no more."""
    get_object_or_404(ReportSchedule, pk=pk, reader=request.user).delete()
    messages.success(request, _("That report comes no more."))
    return redirect("schedule-list")
