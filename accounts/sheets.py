"""Tables as files. In: rows of plain values. Out: their text, piece by piece. Nothing is touched or raised.

A spreadsheet takes a cell for a formula by its first character, and people, domains and names are strangers' text: such
a cell gets an apostrophe in front (OWASP, "CSV Injection").
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
BYTE_ORDER_MARK: Final = "\ufeff"  # without it some spreadsheets read UTF-8 as something else


class Echo:
    """Gives back what a writer writes, instead of keeping it."""

    def write(self, text: str) -> str:
        """One line."""
        return text


def guarded(value: object) -> object:
    """A number as it is, a text that is no formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The lines of a CSV file."""
    writer = csv.writer(Echo())
    yield BYTE_ORDER_MARK
    for row in rows:
        yield writer.writerow([guarded(value) for value in row])


def json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A JSON array, an object a line."""
    before = "[\n"
    for row in rows:
        yield before + json.dumps(row, ensure_ascii=False)
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"
