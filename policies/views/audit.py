"""The audit log: who changed what, when and where, to be looked through and saved as a file."""

import json
from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.models import AuditEntry
from accounts.pages import SignedIn, page
from accounts.sheets import csv_lines, json_lines
from policies.audit_words import line
from policies.auditing import Reader, exported
from policies.entries import zone_of
from policies.forms.audit import AuditForm

ROWS: Final = 50
TYPES: Final = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
NESTED: Final = ("before", "after")


@require_safe
def audit_list(request: SignedIn) -> HttpResponseBase:
    """What this person may read of the log; with `save` all that was asked for, as a file."""
    reader = Reader.of(request.user)
    if not reader.reads:
        raise PermissionDenied(_("The log of changes is for administrators, guardians and owners."))
    form, zone = AuditForm(request.GET), zone_of(request.user)
    found = reader.sought(form.asked(), zone)
    if (kind := request.GET.get("save", "")) in TYPES:
        return saved(reader, found, kind)
    pages = Paginator(found, ROWS).get_page(request.GET.get("page"))
    lines = [line(reader.seen(entry)) for entry in pages]
    return audit(request, form=form, pages=pages, lines=lines, zone=zone, all=reader.administrator)


def audit(request: SignedIn, form: AuditForm, **context: Any) -> HttpResponse:
    """The page; its form is only looked at, and is never refused."""
    return page(request, "policies/audit_list.html", query=form, q=form["q"].value() or "", **context)


def saved(reader: Reader, found: QuerySet[AuditEntry], kind: str) -> StreamingHttpResponse:
    """The file, written while it is sent: however long the log is, a few entries are in memory."""
    rows = exported(reader, found)
    lines = json_lines(rows) if kind == "json" else csv_lines(table(rows))
    response = StreamingHttpResponse(lines, content_type=TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="audit.{kind}"'
    return response


def table(rows: Iterator[dict[str, Any]]) -> Iterator[list[object]]:
    """A line of names, then one for each entry."""
    named = False
    for row in rows:
        if not named:
            yield list(row)
            named = True
        yield [cell(row[name], nested=name in NESTED) for name in row]


def cell(value: Any, *, nested: bool) -> object:
    """A value in a table; what is more than one value is written as JSON."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if nested else value
