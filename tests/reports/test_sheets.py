"""A table as a file for a spreadsheet."""

import csv
from io import StringIO

import pytest
from hypothesis import given, strategies as st

from accounts.sheets import guarded
from reports.sheets import sheet


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_is_text(text: str) -> None:
    assert guarded(text) == f"'{text}"


def test_a_number_stays_one() -> None:
    assert guarded(-5) == -5


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=1))
def test_no_cell_begins_as_a_formula_and_nothing_is_lost(cells: list[str]) -> None:
    answer = sheet("x", [cells])
    (row,) = csv.reader(StringIO(answer.content.decode("utf-8-sig"), newline=""))
    assert not [cell for cell in row if cell[:1] in ("=", "+", "-", "@", "\t")]
    assert [cell.removeprefix("'") for cell in row] == [cell.removeprefix("'") for cell in cells]
