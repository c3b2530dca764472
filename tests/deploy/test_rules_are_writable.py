"""Whatever a rule of the wishes may say can be written for the mail host: what could not be is refused at the door."""

from datetime import date

import pytest
from hypothesis import given, settings, strategies as st

from accounts.rules import Refused
from deploy.gather import filter_of
from deploy.render.filters import LINE, recipes
from policies import filters
from policies.filter_words import rule_sentence
from policies.filtering import Filtered, Ruled
from tests.strategies import FOLDERS, filter_rules, hostile_text

KEY = "00000000000000aa"
TEXT_FIELDS = st.sampled_from(["from", "to", "subject", "list", "body", "header:x-test"])


def written(match, when, then, key=KEY):
    """The recipes of one rule."""
    rule = Ruled(key, rule_sentence(match, when, then), match, when, then)
    days = [(date(2026, 8, 1), date(2026, 8, 9))]
    return recipes(filter_of(Filtered("emma@myfamily.net", "Europe/Rome", "en", [rule], days)), KEY)


@settings(max_examples=300)
@given(filter_rules())
def test_what_is_accepted_can_be_written(rule):
    text = written(rule["match"], filters.when(rule["when"]), filters.then(rule["then"]))
    assert text.endswith("RULES_OK=yes\n")


@settings(max_examples=300)
@given(TEXT_FIELDS, hostile_text(), hostile_text())
def test_any_text_is_refused_or_can_be_written(field, text, name):
    try:
        when = filters.when([{"field": field, "op": "contains", "value": text}])
        then = filters.then([{"action": "file", "folder": name}, {"action": "copy", "folder": f"x/{name}"}])
    except Refused:
        return
    assert written("all", when, then)


@given(st.integers(1, 50), FOLDERS, hostile_text(20))
def test_spam_can_be_written(over, folder, tag):
    try:
        setting = filters.points(over), filters.folder(folder), filters.tag(tag)
    except Refused:
        return
    assert written(*filters.spam_rule(*setting), key="spam")


@pytest.mark.parametrize("sign", ["x", "ж", "Ὦ", "日", "💛", "(", "\\", "ẞ", "ﬀ"])
@pytest.mark.parametrize("field", ["subject", "body", "header:x-test"])
def test_the_longest_text_can_be_written(field, sign):
    when = filters.when([{"field": field, "op": "contains", "value": sign * filters.MOST_TEXT}])
    text = written("all", when, [{"action": "flag"}])
    assert max(map(len, text.encode().splitlines())) < LINE


def test_the_longest_folders_can_be_written():
    for folder in ("日" * 60 + "/" + "日" * 12, "a/" * 99 + "b", "&" * 60, '"' * 60, "\\" * 60, "'" * 60):
        assert written("all", [], [{"action": "file", "folder": filters.folder(folder)}])
