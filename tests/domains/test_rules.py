"""Addresses of our own, sizes, and circles of aliases."""

import pytest
from hypothesis import given, strategies as st

from accounts.rules import Refused
from domains import rules


@pytest.mark.parametrize("text", ["emma", "e", "Emma", "anna.maria", "a_b-c.d2", "2026", "x" * 64])
def test_a_local_part_of_ours_is_simple(text):
    assert rules.local_part(text) == text.lower()


@pytest.mark.parametrize(
    "text",
    ["", ".emma", "emma.", "em..ma", "-emma", "emma-", "_emma", "em+ma", "em ma", "em/ma", "..", "em'ma", "x" * 65,
     "emma\n", "emma\0", "émma", "|emma", "#emma", "em@ma", "em%ma", 'em"ma', "a" * 320, None, 3],
)  # fmt: skip
def test_another_local_part_is_refused(text):
    with pytest.raises(Refused):
        rules.local_part(text)


@given(st.text(max_size=70))
def test_any_local_part_is_refused_or_a_safe_file_name(text):
    try:
        stored = rules.local_part(text)
    except Refused:
        return
    assert stored.isascii()
    assert stored == rules.local_part(stored)
    assert ".." not in stored
    assert not set(stored) & set("/+@ %'\"\\")
    assert stored[0].isalnum()


@pytest.mark.parametrize(
    ("typed", "size"), [("0 B", 0), (0, 0), ("1M", 1 << 20), ("500 MB", 500 << 20), ("2g", 2 << 30), (1 << 30, 1 << 30)]
)
def test_a_size_is_counted_in_bytes(typed, size):
    assert rules.quota(typed) == size
    assert rules.quota(rules.shown_quota(size)) == size


@pytest.mark.parametrize(
    "typed", ["-1", "", "1", 1023, "1.5G", "1GG", "9999999T", "1G\n", True, None, 1.5, "0x10", "١G"]
)
def test_another_size_is_refused(typed):
    with pytest.raises(Refused):
        rules.quota(typed)


@pytest.mark.parametrize("value", [[], "emma@myfamily.net", None, ["|prog@x.example"], [None]])
def test_an_alias_leads_to_addresses(value):
    with pytest.raises(Refused):
        rules.targets(value)


def test_targets_are_sorted_and_each_stands_once():
    assert rules.targets(["B@x.example", "a@x.example", "b@X.example"]) == ["a@x.example", "b@x.example"]
    with pytest.raises(Refused, match="100"):
        rules.targets([f"a{n}@x.example" for n in range(101)])


@pytest.mark.parametrize(
    ("ways", "start", "circle"),
    [
        ({"a": ["b"], "b": ["c"]}, "a", []),
        ({"a": ["a"]}, "a", ["a", "a"]),
        ({"a": ["x", "b"], "b": ["c"], "c": ["a"]}, "a", ["a", "b", "c", "a"]),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, "a", []),
        ({"a": ["b"], "b": ["c"], "c": ["b"]}, "a", ["b", "c", "b"]),
        ({"a": ["b", "c"], "b": [], "c": ["c"]}, "a", ["c", "c"]),
    ],
)
def test_a_circle_is_found_and_told(ways, start, circle):
    assert rules.circle(start, lambda target: ways.get(target, [])) == circle
