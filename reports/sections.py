"""Figures -> the questions of a report, each with its answer, a chart and a table.

In: a scope, figures, a period. Out: `Section`s, which a template shows and a sheet saves: both tell the same.
Nothing is touched or raised.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from policies.templatetags.policy_words import harmless
from reports import report_words as words
from reports.figures import Figures, Sums, added
from reports.periods import Period, begin
from reports.scope import Scope

LONGEST: Final = 10  # bars beside each other
STRONGEST: Final = 4  # shades of the week
Keys = frozenset[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, how it is shown, whether it is somebody else's text, how strongly it is shaded, and its rows.

    `link`: what to ask the page of the rows for; empty where there are none for this reader.
    """

    value: int | str
    shown: str
    foreign: bool = False
    shade: int = 0
    link: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """Leads from a number to its rows, where the reader may see the letters of everybody who is counted in it."""

    scope: Scope
    period: Period

    def to(self, what: str, keys: Keys | None = None, days: Period | None = None, **more: object) -> str:
        """What to ask for: the rows of `what`, of these mailboxes if not all, on these days if not all, and so on."""
        keys, days = self.scope.keys if keys is None else keys, days or self.period
        if not keys or not keys <= self.scope.open:
            return ""
        return urlencode({"what": what, "since": days.first, "until": days.last, **more})


@dataclass(frozen=True, slots=True)
class Section:
    """A question. `chart`: what the browser draws, None where there is nothing to be seen."""

    name: str
    answer: str
    heads: tuple[str, ...]
    rows: list[list[Cell]]
    chart: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def question(self) -> str:
        """The question in words."""
        return str(words.QUESTIONS[self.name])

    @property
    def chart_id(self) -> str:
        """Where in the page what is drawn stands."""
        return f"chart-{self.name}-"

    @property
    def labelled(self) -> list[tuple[Cell, list[tuple[str, Cell]]]]:
        """The rows: the first cell, and the others with their heads, for screens too narrow for a table."""
        return [(first, list(zip(self.heads[1:], rest, strict=True))) for first, *rest in self.rows]

    @property
    def plain(self) -> list[Sequence[object]]:
        """The table as a sheet has it."""
        return [self.heads, *([cell.value for cell in row] for row in self.rows)]


def sections(scope: Scope, figures: Figures, period: Period) -> list[Section]:
    """Every question of a report."""
    door = Door(scope, period)
    return [
        working(figures, door),
        who(figures, door),
        whom(figures, door),
        when(figures, door),
        rules(figures, door),
        wrong(figures, door),
    ]


def working(figures: Figures, door: Door) -> Section:
    """Is mail working: a bar and a row for each day, week or month."""
    period = door.period
    bars = {day: added(()) for day in period.steps()}
    for day, sums in figures.days.items():
        bars[begin(day, period.step)].update(sums)
    labels = [day_text(day, period) for day in bars]
    good = [words.delivered(sums) for sums in bars.values()]
    late = [sums["bounced"] + sums["deferred"] for sums in bars.values()]
    rows = [
        [text(label), *delivery_counts(sums, door, period.bar(day))]
        for label, (day, sums) in zip(labels, bars.items(), strict=True)
    ]
    total = [text(_("In all")), *delivery_counts(figures.total, door, period)]
    heads = (
        {"day": _("Day"), "week": _("Week from"), "month": _("Month")}[period.step],
        _("Delivered"), _("Within a minute"), _("After a quarter of an hour"), _("Came back"), _("Had to wait"),
    )  # fmt: skip
    drawn = chart(labels, {_("delivered"): good, _("came back or had to wait"): late})
    return Section("working", words.working(figures), heads, [*rows, total], drawn)


def delivery_counts(sums: Sums, door: Door, days: Period) -> list[Cell]:
    """What became of the letters of some days."""
    good = count(words.delivered(sums), door.to("delivered", days=days))
    return [good, *(count(sums[what], door.to(what, days=days)) for what in ("quick", "slow", "bounced", "deferred"))]


def who(figures: Figures, door: Door) -> Section:
    """Who uses it: a row for each that may be seen, one for the others together, one for all."""
    heads = (
        _("Who"),
        _("Received"),
        _("of these from inside"),
        _("Sent"),
        _("of these outside"),
        _("Size"),
        _("Days with letters sent"),
    )
    scope = door.scope
    each = [(subject.label, subject_sums(subject.keys, figures)) for subject in scope.subjects]
    rows = [
        [*who_row(foreign(one.label), sums, partial(door.to, keys=one.keys, of=one.box)), count(sums["days"])]
        for one, (_label, sums) in zip(scope.subjects, each, strict=True)
    ]
    if scope.subjects and scope.rest:
        others = text(_("Everybody else, together"))
        rows.append([*who_row(others, subject_sums(scope.rest, figures), lambda _what: ""), text("")])
    rows.append([*who_row(text(_("In all")), subject_sums(scope.keys, figures), door.to), text("")])
    busiest = sorted(each, key=lambda one: -one[1]["sent"] - one[1]["received"])[:LONGEST]
    drawn = chart(
        [one_line(label) for label, _sums in busiest],
        {_("received"): [s["received"] for _l, s in busiest], _("sent"): [s["sent"] for _l, s in busiest]},
        lying=True,
    )
    return Section("who", words.who(figures, len(scope.keys)), heads, rows, drawn, who_notes(scope))


def who_notes(scope: Scope) -> list[str]:
    """Whose figures are not here."""
    if not scope.left_out:
        return []
    return [_("The letters of one more person are left out: a total of one person would be no total.")]


def who_row(first: Cell, sums: Sums, to: Callable[[str], str]) -> list[Cell]:
    """One line, but for the days: on how many nobody can say of several together."""
    volume = sums["received_bytes"] + sums["sent_bytes"]
    found = [count(sums[what], to(what)) for what in ("received", "home", "sent", "abroad")]
    return [first, *found, Cell(volume, words.size(volume))]


def subject_sums(keys: Iterable[str], figures: Figures) -> Sums:
    """What these mailboxes have together; the days are those of the busiest."""
    boxes = [figures.boxes[key] for key in keys if key in figures.boxes]
    sums = added(boxes)
    sums["days"] = max((box["days"] for box in boxes), default=0)
    return sums


def whom(figures: Figures, door: Door) -> Section:
    """With whom: a row for each domain outside."""
    heads = (_("Domain"), _("Received from it"), _("Sent to it"), _("New"))
    period, to = door.period, partial(door.to, keys=door.scope.whom | door.scope.newcomers)
    rows = [
        [
            foreign(one.domain),
            count(one.received, to("came", domain=one.domain)),
            count(one.sent, to("went", domain=one.domain)),
            text(_("new") if one.new else ""),
        ]
        for one in figures.partners
    ]
    top = figures.partners[:LONGEST]
    series = {_("received"): [one.received for one in top], _("sent"): [one.sent for one in top]}
    first, last = (date_format(day, "F Y") for day in (period.first, period.last))
    months = first if first == last else _("%(first)s to %(last)s") % {"first": first, "last": last}
    notes = [
        _("Domains are counted by whole months: %(months)s.") % {"months": months},
        _("The domain of a letter that came is what its sender claims."),
    ]
    drawn = chart([one_line(one.domain) for one in top], series, lying=True)
    return Section("whom", words.whom(figures), heads, rows, drawn, notes)


def when(figures: Figures, door: Door) -> Section:
    """When: a row for each hour, a column for each weekday."""
    most = max(figures.week.values(), default=0)
    rows = [
        [
            text(f"{hour:02}"),
            *(
                shaded(figures.week.get((day, hour), 0), most, door.to("sent", weekday=day, hour=hour))
                for day in range(7)
            ),
        ]
        for hour in range(24)
    ]
    working_days = [sum(figures.week.get((day, hour), 0) for day in range(5)) for hour in range(24)]
    weekend = [sum(figures.week.get((day, hour), 0) for day in (5, 6)) for hour in range(24)]
    series = {_("Monday to Friday"): working_days, _("Saturday and Sunday"): weekend}
    drawn = chart([f"{hour:02}" for hour in range(24)], series)
    heads = (_("Hour"), *(str(day) for day in words.WEEKDAYS))
    notes = [_("Letters sent, by the clock of the time zone.")]
    return Section("when", words.when(figures), heads, rows, drawn, notes)


def rules(figures: Figures, door: Door) -> Section:
    """What the rules did."""
    held = figures.held
    found = [
        (_("Letters held back"), count(figures.total["held"], door.to("held"))),
        (_("Letters that asked for leave"), count(figures.total["asked"], door.to("asked"))),
        (_("Let in by an answer (false alarms)"), count(held["let"], door.to("let"))),
        (_("Kept out by an answer"), count(held["kept"], door.to("kept"))),
        (_("Waiting for an answer"), count(held["waiting"], door.to("waiting"))),
        (_("Times that people's own rules did something"), count(figures.acts, door.to("acts"))),
    ]
    notes = [_("What people's own rules did is kept for 30 days.")]
    return listed("rules", words.rules(figures), _("What"), found, notes)


def wrong(figures: Figures, door: Door) -> Section:
    """What is wrong; what is rare is left out where it is nothing."""
    total = figures.total
    found = [
        (_("Sign-ins that failed"), count(total["failed"], door.to("failed"))),
        (_("Letters that came back"), count(total["bounced"], door.to("bounced"))),
        (_("Letters that had to wait"), count(total["deferred"], door.to("deferred"))),
    ]
    rare = [(_("Refused: written as somebody else"), total["spoofed"]), (_("Refused: mailbox full"), total["full"])]
    found += [(what, count(number)) for what, number in rare if number]
    if figures.bursts:
        hours = sum(burst.hours for burst in figures.bursts.values())
        found.append((_("Hours with very many letters from one mailbox"), count(hours)))
    if figures.nearly_full:
        found.append((_("Mailboxes that are nearly full now"), count(len(figures.nearly_full))))
    return listed(
        "wrong",
        words.wrong(figures),
        _("What"),
        found,
        [*bursts(figures, door.scope), *nearly_full(figures, door.scope)],
    )


def bursts(figures: Figures, scope: Scope) -> list[str]:
    """Who sent very much within an hour, where they have rows of their own."""
    names = named(scope)
    return [words.burst(one_line(names[key]), one) for key, one in figures.bursts.items() if key in names]


def named(scope: Scope) -> dict[str, str]:
    """Whose each mailbox is, where that may be told."""
    return {key: subject.label for subject in scope.subjects for key in subject.keys}


def nearly_full(figures: Figures, scope: Scope) -> list[str]:
    """Whose mailboxes are nearly full, where they have rows of their own."""
    sentence = _("%(percent)s %% of the room of %(who)s is used: delete or move letters, or ask for more room.")
    names = named(scope)
    full = figures.nearly_full.items()
    return [sentence % {"percent": percent, "who": one_line(names[key])} for key, percent in full if key in names]


def listed(name: str, answer: str, head: str, found: list[tuple[str, Cell]], notes: list[str]) -> Section:
    """A few numbers under each other."""
    drawn = chart([what for what, _n in found], {_("how many"): [int(cell.value) for _w, cell in found]}, lying=True)
    rows = [[text(what), cell] for what, cell in found]
    return Section(name, answer, (head, _("How many")), rows, drawn, notes)


def chart(labels: list[str], series: dict[str, list[int]], *, lying: bool = False) -> dict[str, Any] | None:
    """What is drawn, if there is anything."""
    if not any(any(values) for values in series.values()):
        return None
    found = [{"name": name, "values": values} for name, values in series.items()]
    return {"labels": labels, "series": found, "lying": lying}


def day_text(day: date, period: Period) -> str:
    """A bar's day, week or month."""
    return date_format(day, "M Y" if period.step == "month" else "j M")


def text(value: str) -> Cell:
    """Words of ours."""
    return Cell(value, value)


def foreign(value: str) -> Cell:
    """Somebody else's words, shown without what hides or turns text around."""
    return Cell(value, one_line(value), foreign=True)


def one_line(value: str) -> str:
    """Somebody's words on one line, for a cell, a label, a header, without what hides or turns text around."""
    return harmless(" ".join(value.split()))


def count(value: int, link: str = "") -> Cell:
    """A number, and where its rows are; none has none."""
    return Cell(value, words.number(value), link=link if value else "")


def shaded(letters: int, most: int, link: str = "") -> Cell:
    """A number with a shade, by how near it is to the greatest."""
    shade = -(-letters * STRONGEST // most) if most else 0
    return Cell(letters, words.number(letters) if letters else "", shade=shade, link=link if letters else "")
