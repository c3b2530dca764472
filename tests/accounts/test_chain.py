"""The audit log is a chain: whatever is changed, cut out, swapped or cut off is found."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from accounts.chain import Head, examined, head, read_head
from accounts.models import AuditEntry, Membership, User, Wishes
from accounts.wishes import SEALED, note_act, sealed, wishes
from domains.models import Domain, Mailbox
from domains.services import add_mailbox
from policies.models import Contact, FilterRule
from tests.household import Household


def sql(text: str, *values: str | int) -> None:
    """What somebody does who has the database in hand."""
    with connection.cursor() as cursor:
        cursor.execute(text, values)


@pytest.fixture
def log(household: Household) -> list[int]:
    """The numbers of the entries, the oldest first."""
    note_act("Marco", "queue", "letter 4XYZ", {"removed": "from the queue"})
    return list(AuditEntry.objects.values_list("pk", flat=True))


def test_the_whole_chain_holds(log: list[int]) -> None:
    newest = head(Wishes.current())
    assert newest
    assert newest.number == log[-1]
    assert examined(newest) == (len(log), None, True)


@pytest.mark.parametrize("column", [name for name in SEALED if name not in ("when", "before", "after", "generation")])
def test_a_changed_entry_is_found(log: list[int], column: str) -> None:
    value = 987 if column == "person" else " 987 " if column == "communities" else "somebody else"
    sql(f"UPDATE accounts_auditentry SET {column} = %s WHERE id = %s", value, log[3])  # noqa: S608 - of our own
    assert examined().wrong == log[3]


def test_what_was_written_is_sealed_too(log: list[int]) -> None:
    row = AuditEntry.objects.exclude(after=None).order_by("pk")[2]
    sql(
        "UPDATE accounts_auditentry SET after = %s WHERE id = %s",
        json.dumps({**(row.after or {}), "name": "Eve"}),
        row.pk,
    )
    assert examined().wrong == row.pk


def test_a_deleted_entry_is_found(log: list[int]) -> None:
    sql("DELETE FROM accounts_auditentry WHERE id = %s", log[4])
    assert examined().wrong == log[5]


def test_two_swapped_entries_are_found(log: list[int]) -> None:
    sql("UPDATE accounts_auditentry SET id = %s WHERE id = %s", 999_999, log[4])
    sql("UPDATE accounts_auditentry SET id = %s WHERE id = %s", log[4], log[5])
    sql("UPDATE accounts_auditentry SET id = %s WHERE id = %s", log[5], 999_999)
    assert examined().wrong == log[4]


def test_a_log_that_was_cut_or_replaced_does_not_hold_the_head(log: list[int]) -> None:
    newest = head(Wishes.current())
    sql("DELETE FROM accounts_auditentry WHERE id = %s", log[-1])
    assert examined().wrong is None, "what is left is a chain"
    assert not examined(newest).holds_head
    sql("DELETE FROM accounts_auditentry")
    note_act("Eve", "queue", "nothing happened", {})
    assert examined(newest) == (1, None, False)


def test_the_head_is_that_of_its_generation(household: Household) -> None:
    before = Wishes.current()
    first = head(before)
    with wishes("Marco", "test"):
        household.family.name = "Fioretti"
        household.family.save()
    assert head(before) == first
    assert head(Wishes.current()) != first
    assert head(0) is None
    assert examined(first).holds_head


def test_a_head_is_read_as_it_was_written() -> None:
    newest = Head(12, "0" * 64)
    assert read_head(str(newest)) == newest
    assert read_head("") is None
    for text in ("12", "x" + "0" * 64, f"12 {'0' * 63}", f"-1 {'0' * 64}", f"12 {'0' * 64}\n"):
        with pytest.raises(ValueError, match="is no head"):
            read_head(text)


def test_an_entry_from_before_it_said_whom_it_concerns_keeps_its_digest() -> None:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    row = [when, 1, "Marco", "load", "user", "emma@myfamily.net", None, {"name": "Emma"}]
    assert sealed("", [*row, None, "", "", ""]) == "b363056d72c225571cd8df25d4d5b15bafed2b87d67ad920b8607740668cf711"
    assert sealed("", [*row, 3, " 1 ", "emma@myfamily.net", ""]) != sealed("", [*row, None, "", "", ""])


def test_an_entry_says_whom_it_concerns(household: Household) -> None:
    emma, family = household.people["emma"], household.family
    with wishes("Anna", "test"):
        Contact(person=emma, address="nonna.rosa@gmail.com").save()
        Contact(community=family, address="@scuola-verdi.edu.it").save()
        FilterRule(mailbox=household.mailboxes["emma"], then=[{"action": "flag"}]).save()
        FilterRule(mailbox=household.mailboxes["info"], then=[{"action": "flag"}]).save()
        Domain(name="backup.example", kind="backup", relay_to="mx.other.example").save()
        household.person("marco", name="Marco Fioretti")
    both = "".join(f" {pk} " for pk in sorted((family.pk, household.business.pk)))
    found = AuditEntry.objects.order_by("pk").values_list("kind", "person", "communities", "whose")[:1000]
    assert list(found)[-6:] == [
        ("contact", emma.pk, f" {family.pk} ", emma.address),
        ("contact", None, f" {family.pk} ", family.name),
        ("filterrule", emma.pk, f" {family.pk} ", emma.address),
        ("filterrule", None, f" {household.business.pk} ", "info@mybusiness.com"),
        ("domain", None, "", "backup.example"),
        ("user", household.people["marco"].pk, both, "marco@myfamily.net"),
    ]


def test_who_comes_and_goes_in_one_block_is_of_her_community(household: Household) -> None:
    with wishes("Marco", "test"):
        person = User(address="ugo@myfamily.net", name="Ugo")
        person.save()
        membership = Membership(community=household.family, user=person, role="guardian")
        membership.save()
        mailbox = add_mailbox(Mailbox(domain=household.home, address="ugo@myfamily.net"), [person])
    with wishes("Marco", "test"):
        for row in (*mailbox.mailboxperson_set.all(), mailbox, membership, person):
            row.delete()
    entries = AuditEntry.objects.filter(what__startswith="ugo@")
    assert {entry.communities for entry in entries} == {f" {household.family.pk} "}
    assert entries.filter(kind="user").count() == 2


@pytest.mark.nightly(0.5)
@pytest.mark.timeout(1200)
def test_a_million_entries_are_followed_in_a_minute_and_little_memory(db: None) -> None:
    many, previous = 1_000_000, ""
    when, after = datetime(2026, 1, 1, tzinfo=UTC), {"name": "Emma", "language": "it"}
    names = ", ".join(f'"{name}"' for name in (*SEALED, "digest"))
    rows: list[Any] = []
    for number in range(many):
        values = [when, number, "Marco", "page", "user", f"p{number}@x.example", None, after, number, " 1 ", "x", "s"]
        previous = sealed(previous, values)
        rows.append((*values[:6], None, json.dumps(after), *values[8:], previous))
    marks = ", ".join(["%s"] * len(rows[0]))
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO accounts_auditentry ({names}) VALUES ({marks})", rows)  # noqa: S608
    began = time.process_time()
    assert examined(Head(1, previous)) == (many, None, True)
    assert time.process_time() - began < 120
