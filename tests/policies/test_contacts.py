"""Contacts as wishes: whose they are, what is refused, and what goes with whom."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership, User
from accounts.services import remove_person
from accounts.wishes import wishes
from domains.services import delete_mailbox
from policies import rules
from policies.models import Contact
from policies.outgoing import memberships, outgoing

NONNA = "nonna.rosa@gmail.com"


def add(owner, address=NONNA, **facts):
    whose = "person" if isinstance(owner, User) else "community"
    with wishes("anna@myfamily.net", "test"):
        row = Contact(address=address, **{whose: owner}, **facts)
        row.save()
    return row


def test_a_contact_has_one_form_and_remembers_who_wrote_it(household):
    row = add(household.people["emma"], " Nonna.Rosa@Gmail.COM ", name="Nonna  Rosa")
    assert (row.address, row.name, row.direction, row.kind) == (NONNA, "Nonna Rosa", "both", "allowed")
    assert (row.by, row.label()) == ("anna@myfamily.net", f"{NONNA} of emma@myfamily.net")
    entry = AuditEntry.objects.order_by("pk").last()
    assert entry
    assert (entry.kind, entry.after["address"]) == ("contact", NONNA)  # type: ignore[index]
    when = row.when
    with wishes("marco@myfamily.net", "test"):
        row.save()
    assert (row.refreshed().by, row.refreshed().when) == ("anna@myfamily.net", when)


def test_an_entry_stands_once_in_a_list(household):
    add(household.people["emma"])
    add(household.people["luca"])
    add(household.family)
    with pytest.raises(ValidationError, match="already in the list"):
        add(household.people["emma"], NONNA.upper())
    with pytest.raises(ValidationError, match="already in the list"):
        add(household.family, NONNA)


def test_a_list_is_one_persons_or_one_communitys(household):
    for owners in ({}, {"person": household.people["emma"], "community": household.family}):
        with pytest.raises(ValidationError, match="whose list"), wishes("a test", "test"):
            Contact(address=NONNA, **owners).save()
    row = add(household.family)
    with pytest.raises(IntegrityError), connection.cursor() as cursor, wishes("a test", "test"):
        cursor.execute("UPDATE policies_contact SET person_id = %s", [household.people["emma"].pk])
    assert row.refreshed().person is None


@pytest.mark.parametrize("facts", [{"kind": "maybe"}, {"direction": "up"}, {"assurance": "sure"}, {"address": "x"}])
def test_unknown_words_are_refused(household, facts):
    with pytest.raises(ValidationError) as refused:
        add(household.people["emma"], **{"address": NONNA, **facts})
    assert list(refused.value.message_dict) == list(facts)


@pytest.mark.parametrize("entry", ["@gmail.com", "@myfamily.net", "@mybusiness.com", "@co.uk"])
def test_danger_is_refused_unless_confirmed(household, entry):
    with pytest.raises(ValidationError, match=f"“{entry}”"):
        add(household.people["emma"], entry)
    assert add(household.people["emma"], entry, confirmed=True).confirmed
    add(household.people["luca"], entry, kind="blocked")


def test_nobody_blocks_a_guardian_or_whom_the_family_always_hears(household):
    household_list = add(household.family, "doctor@clinic.example", kind="always")
    for entry in ("anna@myfamily.net", "doctor@clinic.example"):
        with pytest.raises(ValidationError, match="cannot be blocked"):
            add(household.people["emma"], entry, kind="blocked")
    add(household.people["emma"], "luca@myfamily.net", kind="blocked")
    with wishes("a test", "test"):
        household_list.delete()
    add(household.people["emma"], "doctor@clinic.example", kind="blocked")


def test_a_list_goes_with_its_person(household):
    add(household.people["emma"])
    with wishes("a test", "test"):
        delete_mailbox(household.mailboxes["emma"])
        remove_person(household.people["emma"])
    assert not Contact.objects.exists()
    gone = AuditEntry.objects.filter(kind="contact", after__isnull=True)
    assert [entry.what for entry in gone] == [f"{NONNA} of emma@myfamily.net"]


def test_more_different_lists_than_there_is_room_for_are_refused(household, monkeypatch):
    monkeypatch.setattr("policies.triggers.MOST_LISTS", 3)
    add(household.people["emma"])  # her list; luca's, a starter's, is another
    add(household.people["sara"], kind="blocked")
    with pytest.raises(ValidationError, match="more than 3 different lists"):
        add(household.people["paolo"], "another@gmail.com", kind="blocked")
    add(household.people["paolo"], kind="blocked")  # the same list as Sara's
    membership = Membership.objects.get(user=household.people["ivo"])
    membership.level = "inside"
    with pytest.raises(ValidationError, match="different lists"), wishes("a test", "test"):
        membership.save()
    assert outgoing(memberships()).count() == 3


def test_only_the_bound_are_read_in_a_fixed_number_of_queries(household):
    add(household.people["emma"], direction="in")
    with CaptureQueriesContext(connection) as captured:
        found = outgoing(memberships())
    assert len(captured) == 2
    who = [household.people[name].pk for name in ("emma", "luca")]
    assert [bound.person for bound in found.people] == who
    assert not any(bound.listed for bound in found.people)
    assert rules.MOST_LISTS == 128
