"""What a filter rule may say: one normal form for what is accepted, a sentence for what is not."""

import time
from contextlib import suppress

import pytest
from django.utils.translation import override
from hypothesis import given, strategies as st

from accounts.rules import Refused
from deploy.render.facts import KINDS
from policies import filters
from policies.filter_words import rule_sentence
from tests.strategies import filter_rules, hostile_text

SUBJECT = {"field": "subject", "op": "contains", "value": "compiti"}


def condition(field, op, value=""):
    return filters.condition({"field": field, "op": op, "value": value})


@given(filter_rules())
def test_the_normal_form_is_the_normal_form_of_itself(rule):
    when, then = filters.when(rule["when"]), filters.then(rule["then"])
    assert filters.when(when) == when
    assert filters.then(then) == then
    assert sum(row["action"] in filters.ENDING for row in then) <= 1


@given(filter_rules())
def test_each_rule_is_one_line_in_either_language(rule):
    when, then = filters.when(rule["when"]), filters.then(rule["then"])
    for language in ("en", "it"):
        with override(language):
            said = rule_sentence(rule["match"], when, then)
        assert said.isprintable()
        assert len(said.splitlines()) == 1
        for row in when:
            assert row["field"] in ("attachment", "size", *filters.ADDRESSES) or row["value"] in said


@given(hostile_text())
def test_any_text_is_a_value_in_normal_form_or_refused(text):
    for rule in (filters.phrase, filters.folder, filters.tag, filters.letter, filters.subject, filters.target):
        found = None
        with suppress(Refused):
            found = rule(text)
        assert found is None or rule(found) == found


@pytest.mark.parametrize(
    ("row", "stored"),
    [
        (("from", "is", " Nonna@BÜCHER.example"), "nonna@xn--bcher-kva.example"),
        (("from", "domain", "@Scuola.it"), "scuola.it"),
        (("to", "ends", "@bücher.example"), "@xn--bcher-kva.example"),
        (("subject", "contains", " Compiti  di\u00a0casa "), "Compiti di casa"),
        (("subject", "is", "cafe\u0301"), "café"),
        (("size", "over", "1024k"), "1M"),
        (("size", "not under", 500), "500"),
        (("size", "over", "1000 KB"), "1000K"),
        (("spam", "over", 7), "7"),
        (("attachment", "is", "pdf"), "pdf"),
        (("recipient", "is", "emma+game@myfamily.net"), "emma+game@myfamily.net"),
        (("list", "is", "<Genitori.Scuola.it>"), "genitori.scuola.it"),
    ],
)
def test_a_value_has_one_form(row, stored):
    assert condition(*row)["value"] == stored


def test_a_header_has_one_form():
    found = condition("Header:X-Priority ", "not exists")
    assert found == {"field": "header:x-priority", "op": "not exists", "value": ""}


@pytest.mark.parametrize(
    "row",
    [
        ("subject", "regex", "x"), ("subject", "over", "5"), ("body", "is", "x"), ("body", "not exists", ""),
        ("recipient", "exists", ""), ("animal", "is", "x"), ("header", "is", "x"), ("header:", "is", "x"),
        ("header:x:y", "is", "x"), ("header:X-Mailadmin-From", "is", "x"), ("header:a\nb", "is", "x"),
        ("header:né", "exists", ""),
        ("header:-x", "exists", ""), ("body", "contains", "İ" * 201), ("subject", "contains", ""),
        ("subject", "contains", " \u00a0 "),
        ("subject", "contains", "x" * 401), ("subject", "contains", "a\nb"), ("subject", "contains", "a\x00b"),
        ("subject", "contains", "\ud800"), ("subject", "contains", "\u0378"), ("subject", "contains", 5),
        ("subject", "contains", None), ("subject", "contains", ["x"]), ("subject", "exists", "x"),
        ("from", "is", "nonna"), ("from", "domain", "it"), ("from", "contains", "Nonna Rosa"),
        ("from", "starts", "nonné"), ("from", "is", ""), ("to", "ends", "@bücher"),
        ("size", "over", "0"), ("size", "over", "-1"), ("size", "over", "5T"), ("size", "over", True),
        ("size", "over", "2G"), ("size", "over", "1" * 30), ("spam", "over", 0), ("spam", "over", "51"),
        ("spam", "over", "5.5"), ("spam", "over", True), ("attachment", "is", "virus"), ("list", "is", "a b"),
        ("subject", "not not is", "x"), ("subject", "NOT is", "x"), ("subject", 5, "x"), (["subject"], "is", "x"),
        ("subject", ["is"], "x"), ("subject", "", "x"), ("spam", "over", "٧"), ("size", "over", "٧K"),
    ],
)  # fmt: skip
def test_what_no_condition_can_be_is_refused(row):
    with pytest.raises(Refused):
        condition(*row)


def test_ten_megabytes_are_refused_at_once():
    start, large = time.perf_counter(), "à" * 10_000_000
    for rule in (filters.phrase, filters.folder, filters.tag, filters.letter, filters.subject, filters.target):
        with pytest.raises(Refused) as refused:
            rule(large)
        assert len(str(refused.value)) < 300
    for field, op in (("subject", large), (large, "is"), ("from", "is"), ("size", "over"), ("spam", "over")):
        with pytest.raises(Refused):
            condition(field, op, large)
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "name",
    ["Scuola", "Scuola/Compiti", "Con  due spazi", "Größe & Co", "日本語", "a~b", "Trash", "Junk", "$HOME", "-rf", "'",
     "💛", '"', "\\", "x" * 60],
)  # fmt: skip
def test_a_folder_keeps_its_name(name):
    assert filters.folder(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", " ", "/", "Scuola/", "/Scuola", "a//b", "..", ".hidden", "Scuola.Compiti", "a/../b", "~root", "a/~b", "INBOX",
     "inbox", "Inbox/x", " InBoX ", "x" * 61, "日" * 60 + "/" + "日" * 20,
     "a\nb", "a\x00", "a\u202eb", "a/b/" * 40, "👨\u200d👩", "50%",
     "*", "a\u00a0b", "日" * 60 + "/" + "日" * 13 + "aaaa", None, 5, ["x"]],
)  # fmt: skip
def test_what_no_folder_can_be_is_refused(name):
    with pytest.raises(Refused):
        filters.folder(name)


def test_levels_of_a_folder_lose_the_blanks_around_them():
    assert filters.folder("Scuola / Compiti") == "Scuola/Compiti"


@pytest.mark.parametrize(
    ("name", "coded"),
    [("Entwürfe", "Entw&APw-rfe"), ("a&b", "a&-b"), ("台北", "&U,BTFw-"), ("ÿ/é", "&AP8-/&AOk-"), ("💛", "&2D3cmw-")],
)
def test_a_name_in_modified_utf7(name, coded):
    assert filters.utf7(name) == coded


def test_actions_are_put_in_order_and_said_once():
    file, flag = {"action": "file", "folder": "A"}, {"action": "flag"}
    assert filters.then([file, flag, flag, file]) == [flag, file]
    assert filters.when([SUBJECT, SUBJECT]) == [SUBJECT]


@pytest.mark.parametrize(
    "rows",
    [
        [], None, "file", {"action": "flag"}, ["flag"], [{"action": "pipe", "to": "x"}], [{"action": "file"}],
        [{"action": "flag", "folder": "x"}], [{"action": "file", "folder": "A"}, {"action": "file", "folder": "B"}],
        [{"action": "file", "folder": "A"}, {"action": "discard"}], [{"action": "stop"}, {"action": "discard"}],
        [{"action": "forward"}], [{"action": "forward", "to": "|sh"}], [{"action": "forward", "to": ["a@b.example"]}],
        [{"action": "copy", "folder": ""}], [{"action": "tag", "tag": "x"}], [{}],
        [{"action": "copy", "folder": f"{number}"} for number in range(11)],
    ],
)  # fmt: skip
def test_what_no_rule_does_is_refused(rows):
    with pytest.raises(Refused):
        filters.then(rows)


def test_too_many_conditions_are_refused():
    rows = [{**SUBJECT, "value": f"{number}"} for number in range(21)]
    assert len(filters.when(rows[:20])) == 20
    with pytest.raises(Refused, match="20"):
        filters.when(rows)


@pytest.mark.parametrize("rows", [None, "x", {"field": "subject"}, [SUBJECT, 5], [{**SUBJECT, "regex": True}]])
def test_what_are_no_conditions_is_refused(rows):
    with pytest.raises(Refused):
        filters.when(rows)


@pytest.mark.parametrize("value", ["[Spam]", "", "***", "a b", "x" * 20, "%s", '"'])
def test_a_tag_is_plain(value):
    assert filters.tag(value) == value


@pytest.mark.parametrize("value", ["é", "x" * 21, "a\nb", None, "=?utf-8?q?x?=\r\n"])
def test_what_no_tag_can_be_is_refused(value):
    with pytest.raises(Refused):
        filters.tag(value)


def test_an_answer_is_lines_of_text():
    assert filters.letter("\r\nCiao,\r\n\r\n torno il 2.  \n") == "Ciao,\n\ntorno il 2."
    for text in ("", " \n ", "x" * 5001, "a\x00b", "a\rb", 5, None):
        with pytest.raises(Refused):
            filters.letter(text)


@pytest.mark.parametrize("value", [0, 91, True, "7", 7.0, None])
def test_days_between_two_answers(value):
    assert filters.days(7) == 7
    with pytest.raises(Refused):
        filters.days(value)


def test_forwards_are_addresses_each_once():
    assert filters.targets(["B@x.example", "a@x.example", "b@X.example"]) == ["a@x.example", "b@x.example"]
    for value in ([], None, "a@x.example", ["x"], [5], [f"a{number}@x.example" for number in range(21)]):
        with pytest.raises(Refused):
            filters.targets(value)


def test_the_kinds_of_attachments_are_those_of_the_facts():
    assert set(filters.ATTACHMENTS) == set(KINDS)


@given(st.integers(1, 1 << 30))
def test_a_size_keeps_its_bytes(count):
    assert filters.size_in_bytes(filters.size(count)) == count
