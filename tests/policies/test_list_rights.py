"""Who may see and change whose list."""

import pytest

from accounts.services import join
from accounts.wishes import wishes
from policies import rights

EVERYBODY = ("marco", "anna", "emma", "luca", "rita", "sara", "paolo", "ivo", "gino", "olivia")


@pytest.mark.parametrize(
    ("whose", "keepers", "others_who_see"),
    [
        ("emma", {"marco", "anna"}, {"emma"}),
        ("sara", {"marco", "olivia", "rita"}, {"sara"}),
        ("rita", set(), {"rita"}),  # a manager without a level: no list binds her
        ("anna", set(), {"anna"}),
    ],
)
def test_a_list_is_kept_by_who_stands_above_and_seen_by_whom_it_binds(household, whose, keepers, others_who_see):
    owner = household.people[whose]
    people = {name: household.people[name] for name in EVERYBODY}
    assert {name for name, person in people.items() if rights.may_keep_list(person, owner)} == keepers
    assert {name for name, person in people.items() if rights.may_see_list(person, owner)} == keepers | others_who_see
    assert rights.may_write_entry(owner, owner, "blocked")
    assert not rights.may_write_entry(owner, owner, "allowed")


def test_the_list_of_a_community_is_kept_by_guardians_or_owners(household):
    people = {name: household.people[name] for name in EVERYBODY}
    family, business = household.family, household.business
    assert {name for name, person in people.items() if rights.may_keep_list(person, family)} == {"marco", "anna"}
    assert {name for name, person in people.items() if rights.may_keep_list(person, business)} == {"marco", "olivia"}
    assert not rights.may_see_list(people["emma"], business)
    assert rights.may_see_list(people["ivo"], business)


def test_who_is_bound_twice_is_kept_by_who_stands_above_in_both(household):
    luca, marco = household.people["luca"], household.people["marco"]
    with wishes("a test", "test"):
        join(luca, household.business, "member")
    assert rights.may_keep_list(marco, luca)
    assert not rights.may_keep_list(household.people["anna"], luca)
    assert not rights.may_keep_list(household.people["olivia"], luca)


def test_an_administrator_keeps_no_list_for_that(household):
    with wishes("a test", "test"):
        household.person("olivia", administrator=True)
    assert not rights.may_keep_list(household.people["olivia"], household.people["emma"])
