"""A table as CSV. In: rows of plain values, a name. Out: an answer to be saved as a file. Nothing is touched or raised.

A cell that a spreadsheet would take for a formula is made harmless: see `accounts.sheets`.
"""

from collections.abc import Iterable, Sequence

from django.http import HttpResponse

from accounts.sheets import csv_lines


def sheet(name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """The file."""
    response = HttpResponse("".join(csv_lines(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
