"""Changes in words: every model that is a wish has a sentence for each thing that can be done to it."""

import json
from typing import Any

import pytest
from django.apps import apps

from accounts.models import AuditEntry, Membership
from accounts.wishes import Wish, wishes
from domains.services import delete_alias, delete_mailbox
from policies.change_words import lines
from policies.models import Contact, FilterRule, Forwarding, Vacation
from policies.sentences.changes import DISCREET, SENTENCES, Change, changed, discreet
from tests.household import Household

ANNA = "anna@myfamily.net"
NAMES = {ANNA: "Anna", "emma@myfamily.net": "Emma"}
RULE = {"match": "all", "when": [{"field": "subject", "op": "contains", "value": "compiti"}],
        "then": [{"action": "file", "folder": "Scuola"}], "active": True}  # fmt: skip
WHAT = {
    "acknowledgement": "emma@myfamily.net has read version 2 of Fioretti family",
    "alias": "kids@myfamily.net",
    "answer": "zio@x.example in letter 7",
    "community": "Fioretti family",
    "contact": "nonna.rosa@gmail.com of emma@myfamily.net",
    "domain": "myfamily.net",
    "filterrule": "0123456789abcdef of emma@myfamily.net",
    "mailboxperson": "emma@myfamily.net at info@mybusiness.com",
    "membership": "emma@myfamily.net in Fioretti family",
    "usagepolicy": "version 2 of Fioretti family",
}
VALUES: dict[str, dict[str, Any]] = {
    "alias": {"targets": ["emma@myfamily.net"]},
    "answer": {"choice": "once"},
    "contact": {"kind": "allowed", "direction": "in"},
    "filterrule": RULE,
    "forwarding": {"to": ["a@x.example"]},
    "membership": {"role": "protected", "level": "starter"},
}


def kinds() -> list[str]:
    return sorted(str(model._meta.model_name) for model in apps.get_models() if issubclass(model, Wish))


def change(kind: str, before: Any, after: Any, who: str = ANNA) -> Change:
    return Change(who, kind, WHAT.get(kind, "emma@myfamily.net"), before, after, NAMES)


@pytest.mark.parametrize("kind", kinds())
def test_every_wish_has_a_sentence_for_whatever_is_done_to_it(kind: str) -> None:
    assert kind in SENTENCES, f"policies.sentences.changes says nothing of a {kind}"
    model = next(model for model in apps.get_models() if model._meta.model_name == kind)
    values = {field.name: "x" for field in model._meta.concrete_fields} | VALUES.get(kind, {})
    told = [change(kind, None, values), change(kind, values, None)]
    told += [change(kind, {name: values[name]}, {name: values[name]}) for name in values]
    for one in told:
        for openly in (True, False):
            said = str(changed(one, openly=openly))
            assert said.startswith("Anna ")
            assert "%(" not in said
            assert "?" not in said or kind == "answer"


def test_a_kind_that_nobody_knows_is_private() -> None:
    assert str(changed(change("secret", None, {"x": 1}), openly=False)) == "Anna changed something of ?."
    assert discreet(change("secret", None, {}))


SAID: dict[str, tuple[tuple[str, Any, Any], str]] = {
    "in": (("contact", None, {"kind": "allowed", "direction": "in"}), "Anna let nonna.rosa@gmail.com write to Emma."),
    "both": (
        ("contact", None, {"kind": "allowed", "direction": "both"}),
        "Anna let nonna.rosa@gmail.com and Emma write to each other.",
    ),
    "blocked": (("contact", {"kind": "allowed"}, {"kind": "blocked"}), "Anna blocked nonna.rosa@gmail.com for Emma."),
    "off": (
        ("contact", {"kind": "allowed", "direction": "in"}, None),
        "Anna took nonna.rosa@gmail.com off the list of Emma.",
    ),
    "suspended": (("mailbox", {"active": True}, {"active": False}), "Anna suspended the mailbox emma@myfamily.net."),
    "password": (("user", {"password": "•••"}, {"password": "•••"}), "Anna changed the password of Emma."),
    "level": (("membership", {"level": ""}, {"level": "starter"}), "Anna set the level of Emma: Starter."),
    "rule": (
        ("filterrule", None, RULE),
        "Anna gave Emma a rule: When the subject contains “compiti”, file it in “Scuola”.",
    ),
    "alias": (
        ("alias", {"targets": []}, {"targets": ["a@x.example"]}),
        "Anna made the alias kids@myfamily.net lead to a@x.example.",
    ),
}


@pytest.mark.parametrize("case", SAID)
def test_it_is_said_as_a_parent_would(case: str) -> None:
    args, said = SAID[case]
    assert str(changed(change(*args), openly=True)) == said


def test_her_own_password_is_hers() -> None:
    own = change("user", {"password": "•••"}, {"password": "•••"}, who="emma@myfamily.net")
    assert str(changed(own, openly=True)) == "Emma chose a new password."


@pytest.mark.parametrize("kind", sorted(DISCREET))
def test_what_is_private_is_not_in_the_discreet_sentence(kind: str) -> None:
    values = {
        "kind": "allowed",
        "direction": "in",
        "level": "starter",
        "text": "secret",
        "to": ["secret@x.example"],
        **RULE,
    }
    said = str(changed(change(kind, None, values), openly=False))
    for word in ("nonna", "secret", "compiti", "Scuola", "starter", "Starter", "zio@", "let "):
        assert word not in said


@pytest.fixture
def busy(household: Household) -> Household:
    """Everything private, done by Anna or by those it is about."""
    with wishes("command line", "test"):
        for name, level in (("emma", "starter"), ("gino", "partners")):
            row = Membership.objects.get(user=household.people[name])
            row.level = level
            row.save()
    for name in ("emma", "gino", "anna"):
        box = household.mailboxes[name]
        with wishes(household.people[name], "test"):
            Contact(person=household.people[name], address=f"zia-{name}@x.example", kind="blocked").save()
            FilterRule(mailbox=box, then=[{"action": "file", "folder": f"Secret-{name}"}]).save()
            Vacation(mailbox=box, text="x", first="2026-01-01", last="2026-01-02").save()
            Forwarding(mailbox=box, to=[household.people["marco"].address]).save()
    return household


def read(house: Household, who: str) -> str:
    entries = list(AuditEntry.objects.exclude(generation=1).order_by("pk"))
    return json.dumps([line.text for line in lines(house.people[who], entries)])


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("marco", {"emma": "all", "gino": "all", "anna": ""}),  # guardian, owner, and a second guardian
        ("anna", {"emma": "all", "gino": "", "anna": "all"}),
        ("olivia", {"emma": "", "gino": "all", "anna": ""}),
        ("rita", {"emma": "", "gino": "all", "anna": ""}),
        ("emma", {"emma": "all", "gino": "", "anna": ""}),
        ("sara", {"emma": "", "gino": "", "anna": ""}),
    ],
)
def test_of_others_everybody_reads_what_she_may_see(busy: Household, who: str, seen: dict[str, str]) -> None:
    text = read(busy, who)
    for name, sight in seen.items():
        for secret in (f"zia-{name}", f"Secret-{name}"):
            assert (secret in text) == bool(sight), f"{who} reads of {name}: {secret}"


def test_an_administrator_who_is_nobody_s_parent_reads_no_lists(busy: Household) -> None:
    with wishes("test", "test"):
        busy.settle("ulla", busy.home, "guardian")
        busy.people["ulla"].memberships.get().refreshed().delete()
        busy.person("ulla", administrator=True)
    text = read(busy, "ulla")
    for word in ("zia-", "Secret-", "Starter", "Partners"):
        assert word not in text
    assert "Emma changed the list of Emma." in text
    assert "The command line changed what counts for Gino." in text


def test_whoever_has_the_address_next_shows_nothing_of_who_had_it(busy: Household) -> None:
    """An administrator who deletes a child and makes her anew as his own reads nothing of before."""
    with wishes("test", "test"):
        delete_alias(busy.aliases["kids@myfamily.net"])
        delete_mailbox(busy.mailboxes["emma"].refreshed(), with_people=True)
    with wishes("test", "test"):
        busy.settle("emma", busy.home, "protected")
    assert "zia-emma" not in read(busy, "anna")
    assert "Secret-emma" not in read(busy, "anna")


def test_the_number_of_queries_does_not_grow(busy: Household, django_assert_num_queries: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    entries = list(AuditEntry.objects.order_by("pk"))
    with CaptureQueriesContext(connection) as few:
        lines(busy.people["marco"], entries[:3])
    with CaptureQueriesContext(connection) as many:
        lines(busy.people["marco"], entries * 3)
    assert len(many) <= len(few) + 1
