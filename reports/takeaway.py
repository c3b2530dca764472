"""A report to be taken away: one document, as the HTML of a mail and of a PDF, and as plain text.

In: a `Reading`, a period. Out: a `Document`, of the same sections as the page and its sheets, and a `Paper` drawn from
it. Nothing is touched. Raises CommandError where it cannot be drawn.

It is drawn by a program of its own (`reports.paper`), for the page and the worker alike: what that needs would make
each of them a hundred megabytes larger for good, and it reads strangers' text. That costs two seconds.
"""

import json
from base64 import b64decode
from dataclasses import dataclass, replace
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from deploy.services.programs import run_module
from reports import figures, report_words as words
from reports.periods import Period
from reports.readings import Reading
from reports.sections import Section, one_line, sections

PATIENCE: Final = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Document:
    """A report as HTML, whose pictures are `cid:NAME` (RFC 2392), and as text. `file`: its name without an ending."""

    title: str
    days: str
    file: str
    html: str
    text: str
    charts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paper:
    """A PDF, and each chart as PNG by its name."""

    pdf: bytes
    pictures: dict[str, bytes]


def document(reading: Reading, period: Period, **closing: str) -> Document:
    """The report in the active language. `closing`: what a mail says at its end (`every`, `link`)."""
    scope, today = reading.scope, timezone.localdate(timezone=reading.zone)
    found = figures.read(scope.keys, scope.whom, scope.newcomers, period, reading.zone, today)
    parts = [replace(part, chart=part.chart and shown(part.chart)) for part in sections(scope, found, period)]
    title = one_line(reading.title)
    context = {"reading": reading, "scope": scope, "mode": reading.mode}
    context |= {"purpose": one_line(reading.purpose)}
    first, last = (date_format(day, "j F Y") for day in (period.first, period.last))
    days = _("%(first)s to %(last)s") % {"first": first, "last": last}
    context |= {"title": title, "days": days, "sections": parts, "compared": words.compared(found, period)}
    context |= {"told": [(part, lines(part)) for part in parts]}
    context |= {"empty": not any(found.total.values()), **closing}
    return Document(
        title,
        days,
        f"{reading.file}-{period.first}-{period.last}",
        render_to_string("reports/paper.html", context),
        render_to_string("reports/paper.txt", context),
        {f"{part.name}@report": part.chart for part in parts if part.chart and not context["empty"]},
    )


def lines(part: Section) -> list[str]:
    """A table as lines of text, each with its heads, so that it can be read on a phone; without what says nothing."""
    rows = [(first, [(head, cell) for head, cell in rest if cell.shown]) for first, rest in part.labelled]
    told = [(first.shown, ", ".join(f"{head} {cell.shown}" for head, cell in rest)) for first, rest in rows if rest]
    return [f"- {name}: {numbers}" for name, numbers in told]


def shown(chart: dict[str, Any]) -> dict[str, Any]:
    """A chart with its numbers as people write them."""
    series = [{**one, "shown": [words.number(value) for value in one["values"]]} for one in chart["series"]]
    return {**chart, "series": series}


def drawn(document: Document) -> Paper:
    """The document with its pictures."""
    asked = json.dumps({"html": document.html, "charts": document.charts})
    answer = json.loads(run_module("reports.paper", asked.encode(), timeout=PATIENCE))
    pictures = {name: b64decode(picture) for name, picture in answer["charts"].items()}
    return Paper(b64decode(answer["pdf"]), pictures)
