"""What was counted, for a report: sums by day, by mailbox, by hour of the week, by domain outside, and what rules did.

In: keys of mailboxes, a period, a time zone. Out: plain numbers. Nothing is touched or raised. The database does the
summing, in a number of queries that depends on nothing; days and hours are those of the time zone, and an hour that the
zone cuts in two belongs to the day in which it begins.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum

from policies.models import Answer, HeldLetter, RuleAct
from reports.hours import EPOCH
from reports.models import BURST, DailyTally, Delivery, DomainTally, HourlyTally, MonthlyTally
from reports.periods import A_DAY, Period
from reports.room import nearly_full

DOMAINS: Final = 20
USED: Final = ("sent", "received", "home", "abroad", "received_bytes", "sent_bytes")
TOLD: Final = (
    "received", "sent", "away", "quick", "slow", "bounced", "deferred", "held", "asked", "failed", "spoofed", "full",
)  # fmt: skip
Sums = Mapping[str, int]
Keys = Collection[str]


@dataclass(frozen=True, slots=True)
class Partner:
    """A domain outside, with the letters from and to it. `new`: there was none before the last month."""

    domain: str
    received: int
    sent: int
    new: bool


@dataclass(frozen=True, slots=True)
class Burst:
    """In how many hours a mailbox sent BURST letters or more, and the most that it sent in one of them."""

    hours: int
    most: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All that a report says. `days`: by day, of a long period by month under its first day. `before`: the sums of as
    many days before. `week`: letters sent by weekday and hour.

    `bursts`: hours with BURST letters sent or more. `nearly_full`: percent used, by mailbox, now, of those of which
    something may be told.
    """

    total: Sums
    before: Sums
    days: Mapping[date, Sums]
    week: Mapping[tuple[int, int], int]
    boxes: Mapping[str, Sums]
    partners: list[Partner]
    held: Mapping[str, int]
    acts: int
    oldest: datetime | None
    bursts: Mapping[str, Burst]
    nearly_full: Mapping[str, int]


def read(keys: Keys, whom: Keys, newcomers: Keys, period: Period, zone: tzinfo, today: date) -> Figures:
    """The figures of these mailboxes; with whom they write is told of `whom`, and of `newcomers` what is new."""
    since, until = period.bounds(zone)
    days = by_day(keys, period, today)
    return Figures(
        total=added(days.values()),
        before=in_all(keys, period.before, today),
        days=days,
        week=by_weekday(keys, period, zone, today),
        boxes=by_mailbox(keys, period, today),
        partners=partners(whom, newcomers, period),
        held=held(keys, since, until),
        acts=acts(keys, since, until),
        oldest=oldest_letter(keys),
        bursts=bursts(keys, since, until),
        nearly_full=nearly_full({*whom, *newcomers}),
    )


def summed_up(keys: Keys, period: Period, today: date) -> "tuple[QuerySet[MonthlyTally], list[QuerySet[DailyTally]]]":
    """What was counted of these mailboxes on these days, in few rows.

    The whole months of a long period, the running one among them, and the days before and after these.
    """
    months = period.whole_months(today) if period.step == "month" else None
    if months is None:
        return MonthlyTally.objects.none(), [daily(keys, period.first, period.last)]
    around = [(period.first, months.first - A_DAY), (months.last + A_DAY, period.last)]
    days = [daily(keys, first, last) for first, last in around if first <= last]
    return MonthlyTally.objects.filter(mailbox__in=list(keys), month__range=months.months), days


def daily(keys: Keys, first: date, last: date) -> "QuerySet[DailyTally]":
    """What was counted of these mailboxes on these days."""
    return DailyTally.objects.filter(mailbox__in=list(keys), day__range=(number(first), number(last)))


def by_day(keys: Keys, period: Period, today: date) -> dict[date, Sums]:
    """What all of them had together on each day (of whole months: in each month) with anything."""
    months, days = summed_up(keys, period, today)
    found: dict[date, Sums] = {
        first_day(row["month"]): unsummed(row) for row in months.values("month").annotate(**summed(TOLD))
    }
    for rows in days:
        found |= {EPOCH + timedelta(row["day"]): unsummed(row) for row in rows.values("day").annotate(**summed(TOLD))}
    return found


def in_all(keys: Keys, period: Period, today: date) -> Sums:
    """What all of them had together."""
    months, days = summed_up(keys, period, today)
    return added(unsummed(rows.aggregate(**summed(TOLD))) for rows in (months, *days))


def by_weekday(keys: Keys, period: Period, zone: tzinfo, today: date) -> dict[tuple[int, int], int]:
    """Letters sent by weekday (Monday is 0) and hour: whole months from what is summed up, other days by the hour."""
    spans, letters = [period.bounds(zone)], Counter[tuple[int, int]]()
    if months := period.whole_months(today):
        (since, until), (begin, end) = spans[0], months.bounds(zone)
        spans = [(since, begin), (end, until)]
        weeks = MonthlyTally.objects.filter(mailbox__in=list(keys), month__range=months.months).exclude(week=b"")
        hours = map(sum, zip(*weeks.values_list("week", flat=True), strict=True))
        letters.update({divmod(hour, 24): sent for hour, sent in enumerate(hours) if sent})
    for since, until in spans:
        rows = HourlyTally.objects.of_mailboxes(keys).between(since, until).filter(sent__gt=0)
        for hour, sent in rows.values_list("hour").annotate(letters=Sum("sent")) if since < until else ():
            local = hour.astimezone(zone)
            letters[local.weekday(), local.hour] += sent
    return letters


def by_mailbox(keys: Keys, period: Period, today: date) -> Mapping[str, Sums]:
    """What each mailbox sent and received; `days`: on how many it sent something."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    months, days = summed_up(keys, period, today)
    for row in months.values("mailbox").annotate(**summed(USED)):
        found[row["mailbox"]].update(unsummed(row))
    for key, sending in months.filter(sending__gt=0).values_list("mailbox", "sending"):
        found[key]["days"] += sending.bit_count()
    for rows in days:
        for row in rows.values("mailbox").annotate(**summed(USED), days_sum=Count("pk", filter=Q(sent__gt=0))):
            found[row["mailbox"]].update(unsummed(row))
    return found


def number(day: date) -> int:
    """How a day is stored."""
    return (day - EPOCH).days


def first_day(month: int) -> date:
    """Of a month as it is stored."""
    return date(*divmod(month, 100), 1)


def added(many: Iterable[Sums]) -> Counter[str]:
    """The sums of sums."""
    total: Counter[str] = Counter()
    for one in many:
        total.update(one)
    return total


def partners(keys: Keys, newcomers: Keys, period: Period) -> list[Partner]:
    """The domains that most letters were from and to in the months of these days, the busiest first.

    Of `newcomers` only those that are new.
    """
    first, last = period.months
    theirs = DomainTally.objects.filter(mailbox__in=[*keys, *newcomers])
    once = theirs.values("domain__text").annotate(
        first=Min("month"),
        came=Sum("received", filter=Q(month__range=(first, last)), default=0),
        went=Sum("sent", filter=Q(month__range=(first, last)), default=0),
    )
    if newcomers:
        once = once.annotate(known=Count("pk", filter=Q(mailbox__in=keys))).filter(Q(known__gt=0) | Q(first=last))
    seen = once.filter(Q(came__gt=0) | Q(went__gt=0))
    ordered = seen.order_by((F("came") + F("went")).desc(), "domain__text")[:DOMAINS]
    return [Partner(row["domain__text"], row["came"], row["went"], row["first"] == last) for row in ordered]


def held(keys: Keys, since: datetime, until: datetime) -> dict[str, int]:
    """Letters that were held, by what became of them: let (a false alarm), kept, waiting, other."""
    letters = HeldLetter.objects.filter(key__in=keys, arrived__gte=since, arrived__lt=until)
    let = Q(questions__answer__choice__in=[Answer.Choice.ONCE, Answer.Choice.ALWAYS])
    kept = Q(questions__answer__choice__in=[Answer.Choice.NO, Answer.Choice.BLOCK])
    return letters.aggregate(
        let=Count("pk", filter=let, distinct=True),
        kept=Count("pk", filter=kept, distinct=True),
        waiting=Count("pk", filter=Q(state=HeldLetter.State.WAITING), distinct=True),
    )


def bursts(keys: Keys, since: datetime, until: datetime) -> dict[str, Burst]:
    """Which mailboxes sent very much within an hour, as a password in strange hands does; the most first."""
    rows = HourlyTally.objects.of_mailboxes(keys).between(since, until).filter(sent__gte=BURST)
    found = rows.values("mailbox").annotate(hours=Count("pk"), most=Max("sent")).order_by("-most", "mailbox")
    return {row["mailbox"]: Burst(row["hours"], row["most"]) for row in found}


def acts(keys: Keys, since: datetime, until: datetime) -> int:
    """How often people's own filter rules did something."""
    return RuleAct.objects.filter(key__in=keys, when__gte=since, when__lt=until).count()


def oldest_letter(keys: Keys) -> datetime | None:
    """When the oldest letter came of which there is a row yet."""
    found: datetime | None = Delivery.objects.filter(mailbox__in=list(keys)).aggregate(oldest=Min("opened"))["oldest"]
    return found


def summed(columns: Iterable[str]) -> dict[str, Sum]:
    """A sum for each column, under a name that is not the column's."""
    return {f"{name}_sum": Sum(name) for name in columns}


def unsummed(row: Mapping[str, Any]) -> dict[str, int]:
    """The sums by the names of their columns."""
    return {name.removesuffix("_sum"): number or 0 for name, number in row.items() if name.endswith("_sum")}
