"""What the rules of a policy claim: what a station enforces and nothing else; what a version may hold."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils.translation import override
from hypothesis import given, strategies as st

from accounts import rules as account_rules
from accounts.rules import Refused
from policies import levels, usage
from policies.sentences.usage import TITLES, Use, of_level, usage as claimed
from policies.usage import beyond
from policies.usage_words import paragraphs

KINDS = [(kind, level) for kind, found in account_rules.LEVELS.items() for level in found]
SETTINGS = {
    "incoming": ["list", "proven", "anyone"],
    "outgoing": ["list", "tell", "anyone"],
    "sight": ["held", "contacts", "nothing"],
    "hours": ["07:00-20:00", "always"],
    "links": ["hold", "anything"],
}
ANY_SETTINGS = st.fixed_dictionaries({switch: st.sampled_from(found) for switch, found in SETTINGS.items()})


@given(st.sampled_from(KINDS), ANY_SETTINGS)
def test_a_switch_is_claimed_only_where_a_station_enforces_it(pair, found):
    kind, level = pair
    claims = of_level(kind, level, {**levels.TABLE[level], **found})
    for switch, setting in (key.split("=") for key in claims if "=" in key):
        assert levels.active(switch, setting)
    assert not any(key.startswith(("links", "words", "attachments", "limits")) for key in claims)
    assert "outgoing=tell" not in claims


def test_what_no_station_enforces_any_more_is_claimed_no_more(monkeypatch):
    assert "outgoing=list" in of_level("family", "starter", levels.TABLE["starter"])
    monkeypatch.setattr(levels, "ACTIVE", {"sight": frozenset({"held"})})
    assert [key for key in of_level("family", "starter", levels.TABLE["starter"]) if "=" in key] == ["sight=held"]


def test_what_a_station_begins_to_enforce_is_not_forgotten():
    spoken = {key for kind, level in KINDS for key in of_level(kind, level, levels.TABLE[level])}
    for switch, settings in levels.ACTIVE.items():
        used = {levels.TABLE[level][switch] for _kind, level in KINDS} & settings
        assert {f"{switch}={setting}" for setting in used} <= spoken


def test_the_rules_are_those_of_the_levels_in_use():
    found = dict(claimed(Use("family", {"explorer", "starter"})))
    assert list(found) == ["everybody", "bound", "starter", "explorer"]
    assert list(found["starter"]) == ["incoming=list", "answers", "outgoing=list", "hours=07:00-20:00", "sight=held"]
    assert list(found["explorer"]) == ["incoming=proven", "hours=07:00-22:30", "sight=contacts"]
    assert list(dict(claimed(Use("family", set())))) == ["everybody"]


def test_in_a_business_nothing_waits_where_anybody_may_write():
    found = dict(claimed(Use("business", {"standard", "inside", "partners"}, {"out"})))
    assert list(found["standard"]) == ["incoming=anyone", "outgoing=anyone"]
    assert list(found["bound"]) == ["blocked=out"]
    assert "partners on the list" in found["partners"]["outgoing=list"]
    assert "own people only" in found["inside"]["outgoing=list"]


@pytest.mark.parametrize("language", ["en", "it"])
def test_every_paragraph_has_words_in_each_language(language):
    for kind, found in account_rules.LEVELS.items():
        with override("en"):
            english = paragraphs(Use(kind, set(found), {"in", "out"}))
        with override(language):
            mine = paragraphs(Use(kind, set(found), {"in", "out"}))
        assert [one["lines"].keys() for one in mine] == [one["lines"].keys() for one in english]
        for one, other in zip(mine, english, strict=True):
            assert usage.paragraph(one) == one
            pairs = zip(one["lines"].values(), other["lines"].values(), strict=True)
            assert all(said and (said == there) == (language == "en") for said, there in pairs)
    assert set(TITLES) == {"everybody", "bound"}


def made(about="starter", **lines):
    return {"about": about, "title": about.title(), "lines": lines}


def test_a_difference_is_what_is_claimed_and_not_how():
    then = [made(a="Old words", b="Gone"), made("learner", a="x")]
    today = [made(a="Better words", c="New")]
    assert beyond(today, then) == [made(c="New")]
    assert beyond(then, today) == [made(b="Gone"), made("learner", a="x")]
    assert beyond(then, then) == []


@pytest.mark.parametrize(
    "value",
    [
        None, [], {"xx": []}, {"en": {}}, {"en": [{}]}, {"en": ["x"]}, {"en": [made() | {"more": 1}]},
        {"en": [made(a=1)]}, {"en": [made(a="\u202eevil")]}, {"en": [made(a="x" * 601)]}, {"en": [made()] * 41},
        {"en": [{"about": [], "title": "x", "lines": {}}]}, {"en": [{"about": "x", "title": "x", "lines": []}]},
    ],
)  # fmt: skip
def test_rules_that_no_version_has_are_refused(value):
    with pytest.raises(Refused):
        usage.generated(value)


@pytest.mark.parametrize("value", [0, -1, True, "1", 1.0, None, 10**9])
def test_a_version_has_a_number(value):
    with pytest.raises(Refused):
        usage.number(value)


@pytest.mark.parametrize("value", [None, "2026-01-01", date(2026, 1, 1), datetime(2026, 1, 1)])  # noqa: DTZ001
def test_a_moment_knows_its_zone(value):
    with pytest.raises(Refused):
        usage.moment(value)
    now = datetime.now(UTC)
    assert usage.moment(now) == now


def test_the_last_day_of_an_exception_is_the_first_that_ends():
    today = date(2026, 12, 31)
    rows = [{"until": str(today + timedelta(days)), "outgoing": "list"} for days in (-1, 3, 1)]
    assert levels.last_day(rows, "outgoing", today) == date(2027, 1, 1)
    assert levels.last_day(rows, "incoming", today) is None
