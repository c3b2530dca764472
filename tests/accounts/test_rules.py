"""What every door accepts and refuses, by example and for any text."""

import pytest
from hypothesis import given, strategies as st

from accounts import rules

HOSTILE = ["\n", "\r", "\0", "\t", "\x1b", "\x7f", "\u202e", "\u2028", "\ufeff", "\ue000", "\ud800"]


@pytest.mark.parametrize("character", HOSTILE)
@pytest.mark.parametrize("rule", [rules.name, rules.address, rules.domain_name, rules.line])
def test_a_character_that_cannot_be_seen_is_refused(rule, character):
    for text in (f"anna{character}@myfamily.net", f"anna@my{character}family.net", f"anna@myfamily.net{character}"):
        with pytest.raises(rules.Refused):
            rule(text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Anna@MyFamily.NET", "anna@myfamily.net"),
        (" anna@myfamily.net ", "anna@myfamily.net"),
        ("o'brien@example.ie", "o'brien@example.ie"),
        ("nonna.rosa+casa@gmail.com", "nonna.rosa+casa@gmail.com"),
        ("info@Bücher.example", "info@xn--bcher-kva.example"),
        ("info@XN--BCHER-KVA.example", "info@xn--bcher-kva.example"),
        ("info@例え.テスト", "info@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_an_address_has_one_form(typed, stored):
    assert rules.address(typed) == stored


@pytest.mark.parametrize(
    "text",
    [
        "", "anna", "@myfamily.net", "anna@", "anna@localhost", "anna@127.0.0.1", "anna@[127.0.0.1]", "|x@myfamily.net",
        "#x@myfamily.net", "/x@myfamily.net", '"anna"@myfamily.net', "an na@myfamily.net", "anna@my family.net",
        ".anna@myfamily.net", "anna.@myfamily.net", "an..na@myfamily.net", "-anna@myfamily.net", "anna@-my.net",
        "anna@my-.net", "anna@my..net", "anna@myfamily.net.", "anna@my_family.net", "anna%evil@myfamily.net",
        "evil!anna@myfamily.net", "a@b@myfamily.net", "anna@myfamily.123", "é@myfamily.net", "a`id`@myfamily.net",
        "a$(id)@myfamily.net", "a{b}@myfamily.net", "a*@myfamily.net", "a,b@myfamily.net", "a;b@myfamily.net",
        "a:b@myfamily.net", "<anna@myfamily.net>", "anna@xn--a.net", "a" * 65 + "@myfamily.net",
        "a@" + ".".join(["b" * 60] * 5), "a" * 160 + "@" + "b" * 160, None, 7, b"anna@myfamily.net", ["anna"],
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_a_sentence(text):
    with pytest.raises(rules.Refused) as refused:
        rules.address(text)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 250


@given(st.text())
def test_any_text_is_refused_or_stable(text):
    for rule in (rules.address, rules.domain_name, rules.name):
        try:
            stored = rule(text)
        except rules.Refused:
            continue
        assert rule(stored) == stored
        assert stored.isprintable()


@given(st.from_regex(r"[a-z0-9.+'_-]{1,20}@[a-z0-9-]{1,12}(\.[a-z0-9-]{1,12}){1,3}", fullmatch=True))
def test_an_accepted_address_is_lower_case_ascii_that_no_map_misreads(text):
    try:
        stored = rules.address(text)
    except rules.Refused:
        return
    assert stored == stored.lower()
    assert stored.isascii()
    assert not set(stored) & set(' \t,:;#|/\\"`$%!*?^{}()<>[]')


@pytest.mark.parametrize("value", [True, 3, "x", [["2026-01-02", "2026-01-01"]], [["2026-01-01"]], [[1, 2]]])
def test_holidays_end_after_they_begin(value):
    with pytest.raises(rules.Refused):
        rules.holidays(value)


@pytest.mark.parametrize(
    "value",
    [{}, {"until": "2026-12-31"}, {"hours": "07:00-20:30"}, {"hours": "7-20", "until": "2026-12-31"},
     {"nonsense": "x", "until": "2026-12-31"}, {"incoming": ["list"], "until": "2026-12-31"}],
)  # fmt: skip
def test_an_exception_names_a_switch_a_setting_and_its_end(value):
    with pytest.raises(rules.Refused):
        rules.override(value)
    assert rules.override({"hours": "07:00-20:30", "until": "2026-12-31"})["hours"] == "07:00-20:30"


@pytest.mark.parametrize("value", ["short", "x" * 129, "eight\ncharacters", "eight\0characters", 12345678, None])
def test_a_password_that_cannot_be_typed_is_refused(value):
    with pytest.raises(rules.Refused):
        rules.password(value)
