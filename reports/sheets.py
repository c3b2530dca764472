"""A table as CSV. In: rows of plain values, a name. Out: an answer to be saved as a file. Nothing is touched or raised.

A spreadsheet takes a cell for a formula by its first character, and people, domains and names are strangers' text: such
a cell gets an apostrophe in front (OWASP, "CSV Injection").
"""

import csv
from collections.abc import Iterable, Sequence
from typing import Final

from django.http import HttpResponse

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK: Final = "\ufeff"  # without it some spreadsheets read UTF-8 as something else


def sheet(name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """The file."""
    response = HttpResponse(BYTE_ORDER_MARK, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    csv.writer(response).writerows([guarded(value) for value in row] for row in rows)
    return response


def guarded(value: object) -> object:
    """A number as it is, a text that is no formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
