"""What may be answered to a question, and that the mail host then does what the answer promised."""

import pytest
from hypothesis import given, settings, strategies as st

from deploy.snapshot import Entry, Gate
from policies import asking
from policies.asking import Asked, Proof
from policies.differences import compared, foreign
from tests.deploy.test_who_decides import OUTSIDE, PROOFS, Seen, household as snapshot, rendered_says

ROSA = "rosa@a.example"
REAL = Proof("pass", ROSA, "dmarc")


def asked(**facts):
    usual = {"direction": "in", "station": "in-5", "reason": "stranger", "address": ROSA, "proof": REAL}
    return Asked(**{**usual, "list_id": "none", "listed": "", "lists": True, **facts})


@pytest.mark.parametrize(
    ("facts", "choices"),
    [
        ({}, "once always no block"),
        ({"proof": Proof("none", ROSA, "-")}, "once always no block"),
        ({"proof": Proof("fail", ROSA, "dmarc")}, "once always no block"),
        ({"proof": Proof("fail", ROSA, "unchecked")}, "once no block"),
        ({"proof": Proof("fail", "anna@home.example", "login")}, "once no"),  # somebody pretends to be one of ours
        ({"reason": "malformed", "station": "in-1", "address": "", "proof": Proof("malformed")}, "once no"),
        ({"reason": "unproven", "station": "in-3", "listed": "allowed"}, "once always no"),  # a name that was borrowed
        ({"reason": "content", "station": "in-6", "listed": "allowed"}, "once no block"),
        ({"reason": "content", "station": "in-6", "listed": "always"}, "once no"),
        ({"list_id": "news.lists.example"}, "once no block"),  # an entry lets nobody in who comes through a list
        ({"list_id": "news.a.example"}, "once always no block"),
        ({"lists": False}, "once no block"),
        ({"listed": "blocked"}, "once no block"),
        ({"address": "a*b@a.example"}, "once no"),  # nothing that a list can hold
        ({"direction": "out", "station": "out-2", "proof": Proof("malformed")}, "once always no block"),
    ],
)
def test_only_what_can_be_done_may_be_answered(facts, choices):
    assert " ".join(asking.choices(asked(**facts))) == choices


@pytest.mark.parametrize(
    ("fact", "assurance"),
    [
        ("pass rosa@a.example dkim", ("proven", "")),
        ("none rosa@a.example ip:192.0.2.0/24", ("pinned", "ip:192.0.2.0/24")),
        ("none rosa@a.example dkim:mailer.example", ("pinned", "dkim:mailer.example")),
        ("none rosa@a.example -", ("unproven", "")),
        ("fail rosa@a.example dmarc", ("unproven", "")),
        ("malformed", ("unproven", "")),
        (None, ("unproven", "")),
    ],
)
def test_an_entry_asks_for_as_much_as_the_letter_shows(fact, assurance):
    assert asking.assurance(asking.proof(fact)) == assurance


@pytest.mark.parametrize(
    ("choice", "fact", "like", "direction", "doubts"),
    [
        ("always", "pass rosa@a.example dmarc", "", "in", ()),
        ("always", "none rosa@a.example -", "", "in", ("unproven",)),
        ("always", "none rosa@a.example -", "", "out", ()),
        ("once", "none rosa@a.example -", "", "in", ()),
        ("once", "pass rosa@a.example dmarc", "r0sa@a.example", "in", ("like",)),
        ("always", "fail rosa@a.example dmarc", "r0sa@a.example", "in", ("like", "unproven")),
        ("always", "pass rosa@a.example dmarc", "r0sa@a.example", "out", ("like",)),
        ("no", "none rosa@a.example -", "r0sa@a.example", "in", ()),
        ("block", "none rosa@a.example -", "r0sa@a.example", "in", ()),
    ],
)
def test_what_lets_somebody_in_without_proof_or_in_disguise_is_looked_at_twice(choice, fact, like, direction, doubts):
    assert asking.doubts(choice, asking.proof(fact), like, direction) == doubts


LETTERS = st.builds(
    lambda proof, address, list_id: Seen(proof[0], address, proof[1], "none", list_id, False, "x@a.example"),
    PROOFS,
    st.sampled_from(OUTSIDE[:4]),
    st.sampled_from(("none", "none", "news.a.example", "x.lists.example")),
)


def listed(entry):
    """A house in which a child's list has one entry."""
    return snapshot([Gate("Home", (("", "hold"),), True, True, (entry,))], ())


@settings(max_examples=60)
@given(LETTERS)
def test_what_always_promises_the_mail_host_does(seen):
    held = rendered_says(listed(Entry("nobody@elsewhere.example", "allowed")), seen).split()
    shown = Proof("malformed") if seen.verdict == "malformed" else Proof(seen.verdict, seen.address, seen.how)
    address = "" if seen.verdict == "malformed" else seen.address
    facts = {"station": held[1], "reason": held[2], "proof": shown, "address": address, "list_id": seen.list_id}
    may = "always" in asking.choices(asked(**facts))
    entry = Entry(seen.address, "allowed", *asking.assurance(shown))
    assert may == (rendered_says(listed(entry), seen) == "deliver in-8 -")


@settings(max_examples=60)
@given(LETTERS, st.sampled_from(["proven", "pinned", "unproven"]), st.sampled_from(["", "ip:192.0.2.0/24"]))
def test_what_counts_as_shown_is_what_the_mail_host_counts(seen, assurance, evidence):
    entry = Entry(seen.address, "allowed", assurance, evidence if assurance == "pinned" else "")
    shown = Proof("malformed") if seen.verdict == "malformed" else Proof(seen.verdict, seen.address, seen.how)
    comes_in = rendered_says(listed(entry), seen) == "deliver in-8 -"
    through = asking.through_a_list(seen.list_id, shown)
    assert comes_in == (asking.shows(assurance, entry.evidence, shown) and not through)


@given(st.text(max_size=30), st.text(max_size=30))
def test_two_addresses_are_compared_letter_for_letter(one, other):
    first, second = compared(one, other)
    assert ("".join(piece.text for piece in first), "".join(piece.text for piece in second)) == (one, other)
    same = [[piece.text for piece in pieces if piece.same] for pieces in (first, second)]
    assert same[0] == same[1]
    assert all(piece.same for piece in (*first, *second)) == (one == other)


def test_what_differs_and_what_is_foreign_is_marked():
    assert compared("r0sa@a.example", "rosa@a.example")[0] == [("r", True), ("0", False), ("sa@a.example", True)]
    assert foreign("rosa@gmаil.com") == [("rosa@gm", True), ("а", False), ("il.com", True)]
