"""The report pages: of a family or business, of one person; each table as a sheet; who looked, and what is stored.

What is shown goes by `reports.scope`, on the page and in the sheets alike. Who looks at figures of others is written
down (`reports.looks`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Community, User
from accounts.pages import SignedIn, form_page, page, posted, rows
from reports import figures, looks, report_words as words, scope as scopes
from reports.forms import PurposeForm, RangeForm, ScheduleForm
from reports.keeping import kept
from reports.periods import RANGES, USUAL, Period
from reports.readings import Reading, note, of_community, of_person
from reports.scope import NAMES
from reports.sections import Section, sections
from reports.sheets import sheet
from reports.stored import stored
from reports.takeaway import document
from reports.views.pdf import saved_pdf


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several ways to look at a page."""

    label: str
    url: str
    chosen: bool


@form_page
def report_community(request: SignedIn, pk: int) -> HttpResponse:
    """A family for its guardians, a business for its owners and managers."""
    community = get_object_or_404(Community, pk=pk)
    role, now = scopes.role_or_refused(request.user, community), timezone.now()
    mode = scopes.mode_or_refused(role, request.GET.get("mode", ""))
    form = PurposeForm(posted(request))
    if request.method == "POST":
        return purpose(request, community, role, form, now)
    why = looks.stated_purpose(request.user, community, now) if role == "owner" and mode == NAMES else ""
    context = {"community": community, "mode": mode, "modes": modes(request, role, mode), "purpose": why}
    context["rows"] = f"{reverse('letter-list-community', args=[pk])}?mode={mode}&"
    if role == "owner" and mode == NAMES and not why:
        return unnamed(request, form, context)
    reading = of_community(request.user, community, role, mode, why, now)
    return report(request, reading, f"reports/{fragment(request)}community_report.html", now, **context)


def fragment(request: SignedIn) -> str:
    """What stands before the template's name: a part of a page for htmx."""
    return "_" if request.htmx else ""  # type: ignore[attr-defined]


def purpose(request: SignedIn, community: Community, role: str, form: PurposeForm, now: datetime) -> HttpResponse:
    """Remember why an owner wants to see names, and show them."""
    if role != "owner":
        raise PermissionDenied(_("You see totals here, without names."))
    if not form.is_valid():
        context = {"community": community, "mode": NAMES, "modes": modes(request, role, NAMES)}
        return page(request, "reports/community_purpose.html", form, **context)
    looks.state_purpose(request.user, community, form.cleaned_data["purpose"], now)
    return redirect(f"{request.path}{link(request, mode=NAMES)}")


def unnamed(request: SignedIn, form: PurposeForm, context: dict[str, object]) -> HttpResponse:
    """Names are shown for a purpose only, which is asked for on a page."""
    if "format" in request.GET:
        raise PermissionDenied(_("Say first, on the page, why you need names."))
    return page(request, "reports/community_purpose.html", form, **context)


def person_report(request: SignedIn, person: User) -> HttpResponse:
    """One person, for herself and her parents."""
    now = timezone.now()
    reading = of_person(request.user, person, now)
    context = {"person": person, "rows": f"{reverse('letter-list-person', args=[person.pk])}?"}
    return report(request, reading, "reports/person_report.html", now, **context)


def report(request: SignedIn, reading: Reading, template: str, now: datetime, **context: object) -> HttpResponse:
    """The page, a PDF, or one of its tables as a sheet; a range that is none is answered with 422 and why."""
    form = RangeForm(request.GET, today=timezone.localdate(timezone=reading.zone))
    if not form.is_valid():
        return page(request, template, form, **context, ranges=ranges(request, form))
    response = answer(request, reading, form, template, **context)
    if response.status_code == 200:
        note(request.user, reading, now)
    return response


def answer(request: SignedIn, reading: Reading, form: RangeForm, template: str, **context: object) -> HttpResponse:
    """What is asked for."""
    if request.GET.get("format") == "pdf":
        return saved_pdf(request, document(reading, form.period))
    scope = reading.scope
    found = figures.read(scope.keys, scope.whom, scope.newcomers, form.period, reading.zone, form.today)
    parts = sections(scope, found, form.period)
    if request.GET.get("format") == "csv":
        return saved(parts, request.GET.get("table", ""), reading.file, form.period)
    context |= {"scope": scope, "sections": parts, "compared": words.compared(found, form.period)}
    context |= {"ranges": ranges(request, form)}
    context |= {"sheet": link(request, format="csv"), "pdf": link(request, format="pdf")}
    named = bool(reading.purpose)
    context |= {"mail": ScheduleForm(initial={"purpose": reading.purpose}, named=named)}
    context |= {"empty": not any(found.total.values()), "kept": kept().days, "oldest": found.oldest}
    response = render(request, template, {**context, "form": form})
    response["Vary"] = "HX-Request"
    return response


def saved(parts: list[Section], table: str, name: str, period: Period) -> HttpResponse:
    """One of the tables as a sheet."""
    for part in parts:
        if part.name == table:
            return sheet(f"{name}-{table}-{period.first}-{period.last}", part.plain)
    raise Http404


def ranges(request: SignedIn, form: RangeForm) -> list[Choice]:
    """The ranges that have names."""
    own = bool(request.GET.get("since") or request.GET.get("until"))
    chosen = "" if own else request.GET.get("range") or USUAL
    return [
        Choice(str(words.RANGES[name]), link(request, range=name, since="", until=""), name == chosen)
        for name in RANGES
    ]


def modes(request: SignedIn, role: str, mode: str) -> list[Choice]:
    """The modes that the role may choose from."""
    found = scopes.MODES_OF[role]
    return [Choice(str(words.MODES[one]), link(request, mode=one), one == mode) for one in found if len(found) > 1]


LINKED: Final = ("range", "since", "until", "mode", "format")


def link(request: SignedIn, **changes: str) -> str:
    """This page with some of what was asked for changed."""
    asked = request.GET.copy()
    for name in [*asked]:
        if name not in LINKED or name == "format":
            del asked[name]
    for name, value in changes.items():
        asked[name] = value
        if not value:
            del asked[name]
    return f"?{asked.urlencode()}"


@require_safe
def report_seen(request: SignedIn) -> HttpResponse:
    """Who looked at her figures, when and why."""
    return page(request, "reports/seen.html", entries=rows(request, looks.looks_at(request.user)))


@require_safe
def report_stored(request: SignedIn) -> HttpResponse:
    """What is stored about letters, why, and for how long."""
    return page(request, "reports/stored.html", kept=stored())
