"""The rows behind a number of a report: letters, each with its way, or sign-ins that failed.

Who may see them is `reports.scope.Scope.open`; whoever may not reads why in one sentence (403). Looking at others'
letters is written down as looking at their figures is.
"""

from collections.abc import Iterable
from datetime import date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import Community, User
from accounts.pages import SignedIn, rows
from accounts.rights import visible_people
from domains.models import Mailbox
from reports import looks, report_words as words, scope as scopes
from reports.forms import RowsForm
from reports.keeping import kept
from reports.rows import SIGN_INS, Wanted, rows as rows_of, sign_ins
from reports.scope import NAMES, Scope
from reports.sight import seen_mailboxes, zone_of
from reports.tracing import Own, Way
from reports.views.trace import cards, rule_pages


@require_safe
def letter_list_person(request: SignedIn, pk: int) -> HttpResponse:
    """Of one person, for herself and parents who may see with whom she writes."""
    person: User = get_object_or_404(visible_people(request.user), pk=pk)
    boxes = seen_mailboxes(request.user, person).prefetch_related("people")
    scope = scopes.person(request.user, person, list(boxes), timezone.now())
    why_not = _("With whom somebody writes is hers to see. Ask her to look at “Where is my letter?” herself.")
    up = {"url": reverse("report-person", args=[pk]), "name": person.name}
    return listed(request, scope, zone_of(person), why_not, up)


@require_safe
def letter_list_community(request: SignedIn, pk: int) -> HttpResponse:
    """Of a family for its guardians, and of a business for owners who said why they need names."""
    community: Community = get_object_or_404(Community, pk=pk)
    role, now = scopes.role_or_refused(request.user, community), timezone.now()
    mode = scopes.mode_or_refused(role, request.GET.get("mode", ""))
    up = {"url": f"{reverse('report-community', args=[pk])}?mode={mode}", "name": community.name}
    zone = ZoneInfo(community.timezone)
    if role == "guardian":
        scope = scopes.family(request.user, community, now)
        return listed(request, scope, zone, _("With whom these people write is theirs to see."), up)
    if role == "owner" and mode == NAMES and not looks.stated_purpose(request.user, community, now):
        raise PermissionDenied(_("Say first, on the report's page, why you need names."))
    why_not = (
        _("Single letters tell names: choose “Names” in the report, and say why you need them.")
        if role == "owner"
        else _("You see totals here, without names.")
    )
    return listed(request, scopes.business(community, mode), zone, why_not, up)


def listed(request: SignedIn, scope: Scope, zone: tzinfo, why_not: str, up: dict[str, str]) -> HttpResponse:
    """The page."""
    form = RowsForm(request.GET, today=timezone.localdate(timezone=zone))
    if not form.is_valid():
        raise Http404
    asked = form.cleaned_data
    keys, of = counted(scope, asked)
    if not keys or not keys <= scope.open:
        partly = _("Some of these letters are not yours to see: choose the number of one person in the report.")
        raise PermissionDenied(partly if scope.open else why_not)
    looks.note_people(request.user, theirs(scope, keys), timezone.now())
    horizon, own = timezone.now() - kept(), Own.through(Mailbox.objects.filter(key__in=keys))
    spans = tuple((max(since, horizon), until) for since, until in form.spans(zone) if until > horizon)
    wanted = Wanted(asked["what"], own, spans, asked["domain"].lower())
    found = sessions(request, wanted) if wanted.what in SIGN_INS else letters(request, wanted)
    gone = gone_before(form.spans(zone), horizon, zone)
    context: dict[str, Any] = {
        **found,
        "title": words.ROWS[wanted.what],
        "how": words.how(wanted.what),
        "of": of,
        "domain": wanted.domain,
        "hour": hour_text(asked),
        "period": form.period,
        "gone": gone,
        "oldest": oldest(found["pages"]) if gone else None,
        "days": kept().days,
        "zone": zone,
        "up": up,
    }
    return render(request, "reports/letter_list.html", context)


def counted(scope: Scope, asked: dict[str, Any]) -> tuple[frozenset[str], str]:
    """Whose letters a number counts: the keys, and the name of who has a row of her own."""
    if asked["domain"]:
        return scope.whom | scope.newcomers, ""
    if asked["of"] is None:
        return scope.keys, ""
    for subject in scope.subjects:
        if subject.box == asked["of"]:
            return subject.keys, subject.label
    raise Http404


def theirs(scope: Scope, keys: Iterable[str]) -> list[User]:
    """Those of whom somebody else looks at these letters."""
    people = [person.pk for person in scope.looked]
    return list(User.objects.filter(pk__in=people, mailboxes__key__in=keys).distinct()) if people else []


def letters(request: SignedIn, wanted: Wanted) -> dict[str, Any]:
    """A page of letters."""
    found = rows(request, rows_of(wanted))
    shown = found.object_list
    return {
        "pages": found,
        "cards": cards(shown, request.user),
        "rules": rule_pages(shown, request.user),
    }


def sessions(request: SignedIn, wanted: Wanted) -> dict[str, Any]:
    """A page of sign-ins that failed."""
    everything = sign_ins(wanted)
    found = rows(request, everything)
    keys = {row.mailbox for row in found.object_list}
    addresses = {box.key: box.shown for box in Mailbox.objects.filter(key__in=keys)}
    return {
        "pages": found,
        "sessions": [(row, addresses.get(row.mailbox, "")) for row in found.object_list],
        "attempts": everything.aggregate(sum=Sum("attempts"))["sum"] or 0,
    }


def oldest(found: "Page[Any]") -> datetime | None:
    """When the last row of all pages is from."""
    everything, last = found.paginator.object_list, found.paginator.count
    for row in everything[last - 1 : last] if last else ():
        return row.letter.opened if isinstance(row, Way) else row.when
    return None


def gone_before(spans: Iterable[tuple[datetime, datetime]], horizon: datetime, zone: tzinfo) -> date | None:
    """The day before which the rows are gone, where that concerns what is asked for."""
    return horizon.astimezone(zone).date() if any(since < horizon for since, _until in spans) else None


def hour_text(asked: dict[str, Any]) -> str:
    """An hour of the week in words: `Mon, 09:00 to 10:00`."""
    if asked["weekday"] is None or asked["hour"] is None:
        return ""
    facts = {"day": words.WEEKDAYS[asked["weekday"]], "from": f"{asked['hour']:02}", "to": f"{asked['hour'] + 1:02}"}
    return _("%(day)s, %(from)s:00 to %(to)s:00") % facts
