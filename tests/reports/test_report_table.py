"""The rows of a report's table: strangers' words stay words, and a number says by itself what it counts."""

from reports.sections import Cell, Section, count, foreign, text
from reports.templatetags.report_table import table_rows

HOSTILE = '"><script>alert(1)</script>\u202e&amp;'


def rows(*cells: Cell) -> str:
    """One row below the heads Who and Sent."""
    return table_rows(Section("who", "", ("Who", "Sent"), [list(cells)]), "/rows/?<a>&")


def test_words_of_others_are_shown_and_never_obeyed() -> None:
    html = rows(foreign(HOSTILE), count(3, "what=sent"))
    assert "<script" not in html
    assert "\u202e" not in html
    assert html.count("&lt;script&gt;") == 2  # the name in its place, and in the words of the link
    assert "<bdi>&quot;&gt;&lt;script" in html
    assert 'href="/rows/?&lt;a&gt;&amp;what=sent' in html


def test_a_number_without_rows_leads_nowhere() -> None:
    html = rows(text("In all"), count(0, "what=sent"))
    assert "<a" not in html
    assert '<td role="cell" class="text-end" data-head="Sent">0</td>' in html
