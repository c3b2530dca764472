"""The table of levels, and what is in force on a day."""

from datetime import date, timedelta

from hypothesis import given, strategies as st

from accounts import rules
from policies import levels

LEVELS = [level for kind in rules.LEVELS.values() for level in kind]
TODAY = date(2026, 12, 31)
DAYS = st.integers(0, 10).map(lambda days: TODAY + timedelta(days))
OVERRIDES = st.lists(
    st.builds(
        lambda until, outgoing: {"until": until.isoformat(), "outgoing": outgoing},
        DAYS,
        st.sampled_from(["list", "tell", "anyone"]),
    ),
    max_size=4,
)


def test_the_table_has_every_level_every_switch_and_settings_that_the_doors_accept():
    assert sorted(levels.TABLE) == sorted(LEVELS)
    for row in levels.TABLE.values():
        assert tuple(row) == tuple(rules.SWITCHES)
        for switch, setting in row.items():
            assert rules.switch(switch, setting) == setting


def test_the_levels_say_what_the_policy_says():
    table = levels.TABLE
    assert [table[level]["outgoing"] for level in rules.LEVELS["family"]] == ["list", "list", "tell", "anyone"]
    assert [table[level]["incoming"] for level in rules.LEVELS["family"]] == ["list", "list", "proven", "anyone"]
    assert [table[level]["outgoing"] for level in rules.LEVELS["business"]] == ["anyone", "anyone", "list", "list"]
    assert levels.effective("", [], TODAY)["outgoing"] == "anyone"


def test_only_what_a_station_enforces_is_active():
    assert levels.active("outgoing", "list")
    assert not levels.active("outgoing", "tell")  # anyone may be written to, but nobody is told yet
    assert levels.active("hours", "07:00-20:00")
    assert levels.active("hours", "06:10-19:30")
    assert levels.active("hours", levels.ALWAYS)
    for switch, settings in levels.ACTIVE.items():
        assert all(rules.switch(switch, setting) for setting in settings)


def test_an_exception_holds_until_the_end_of_its_last_day():
    exception = [{"outgoing": "anyone", "until": "2026-12-31"}]
    assert levels.effective("starter", exception, TODAY)["outgoing"] == "anyone"
    assert levels.effective("starter", exception, TODAY + timedelta(1))["outgoing"] == "list"
    assert levels.effective("starter", exception, TODAY)["hours"] == "07:00-20:00"


def test_the_exception_that_ends_first_lies_inside_the_other():
    both = [{"outgoing": "list", "until": "2027-01-02"}, {"outgoing": "anyone", "until": "2027-06-30"}]
    assert levels.course("explorer", both, "outgoing") == [
        (date(2027, 1, 2), "list"),
        (date(2027, 6, 30), "anyone"),
        (None, "tell"),
    ]


@given(OVERRIDES, DAYS)
def test_the_course_of_a_switch_is_its_setting_on_every_day(overrides, day):
    steps = levels.course("starter", overrides, "outgoing")
    found = next(setting for until, setting in steps if until is None or day <= until)
    assert found == levels.effective("starter", overrides, day)["outgoing"]
