"""The lists of whom people may write to: what a class answers is what the policy says."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from deploy.render import Unwritable, render
from deploy.render.reading import read_map
from deploy.snapshot import Alias, Bond, Circle, Domain, Mailbox, Sender, Snapshot
from policies.rules import MOST_LISTS, matches
from tests.deploy.household import HASH, HOUSEHOLD

AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
OWN = ("a@one.example", "b@one.example", "c@two.example")
ALIASES = (
    Alias("@two.example", ("b@one.example",)),
    Alias("all@one.example", ("a@one.example", "c@two.example")),
    Alias("far@one.example", ("x@out.example",)),
    Alias("further@two.example", ("far@one.example", "a+x@one.example")),
)
NAMES = ("one.example", "two.example", "twin.example", "out.example", "sub.out.example")
LOCALS = ("a", "b", "c", "x", "x+y", "far", "all")
RECIPIENTS = [f"{local}@{name}" for name in NAMES for local in (*LOCALS, "a+y", "further", "nobody")]
ENTRIES = st.sets(
    st.sampled_from([*(f"{local}@{name}" for name in NAMES for local in LOCALS), *(f"@{n}" for n in NAMES)]), max_size=4
).map(lambda found: tuple(sorted(found)))
STRANGERS = st.sampled_from(["ask", "refuse", "anyone"]).map(lambda what: (("", what),))
CIRCLES = st.builds(
    Circle,
    name=st.just("circle"),
    mailboxes=st.sets(st.sampled_from(OWN)).map(sorted).map(tuple),
    guardians=st.sampled_from([(), ("b@one.example",)]),
    always=ENTRIES,
    allowed=ENTRIES,
    blocked=ENTRIES,
)
BONDS = st.builds(Bond, circle=st.just("circle"), strangers=STRANGERS, listed=st.booleans(), sentence=st.just("No."))


def host(circles: tuple[Circle, ...], *senders: Sender) -> Snapshot:
    return Snapshot(
        generation=1,
        host="primary",
        role="primary",
        domains=(Domain("one.example", "mail"), Domain("twin.example", "alias", "one.example"),
                 Domain("two.example", "mail")),
        mailboxes=tuple(Mailbox(box, f"{n:016x}", (box,), HASH, 0, active=True) for n, box in enumerate(OWN)),
        aliases=ALIASES,
        circles=circles,
        senders=senders,
    )  # fmt: skip


def maps(snapshot: Snapshot, at: datetime = AT) -> dict[str, dict[str, str]]:
    files = render(snapshot, at, "/mail")
    return {path[8:]: read_map(data.decode()) for path, data in files.items() if path.startswith("postfix/")}


def asked(found: dict[str, dict[str, str]], login: str, recipient: str) -> str:
    """What Postfix does with a recipient, as main.cf has it look them up: `permit`, `hold` or `reject`."""
    local, _at, name = recipient.rpartition("@")
    keys = [recipient, f"{local.partition('+')[0]}+@{name}" if "+" in local else recipient, f"@{name}"]
    for word in found["sasl_class"][login].split(", "):
        said = word
        if re.fullmatch(r"out_\d{3}", word):
            listed = [f"{word[-3:]}={key}" for key in keys]
            said = next((found["lists"][key] for key in listed if key in found["lists"]), "")
        for answer, meaning in (("permit", "permit"), ("ask", "hold"), ("REJECT", "reject"), ("say", "reject")):
            if said.startswith(answer):
                return meaning
    raise AssertionError("the service ends in reject, and nobody should come to that")


def home(address: str) -> str:
    """An address of ours in one form; others as they are."""
    local, _at, name = address.rpartition("@")
    name = {"twin.example": "one.example"}.get(name, name)
    return f"{local.partition('+')[0]}@{name}" if name in ("one.example", "two.example") else f"{local}@{name}"


def ends(address: str) -> set[str]:
    """Where it finally goes, straight from the table above."""
    here = home(address)
    if here in OWN or not here.endswith(("@one.example", "@two.example")):
        return {here}
    alias = {row.address: row.targets for row in ALIASES}
    return {end for target in alias.get(here, alias.get("@" + here.rpartition("@")[2], ())) for end in ends(target)}


def itself_listed(circle: Circle, sender: Sender, address: str, known: bool) -> bool:
    """True when an address of ours is blocked by name, or by its domain where only a catch-all takes it."""
    blocked = set(map(home, (*circle.blocked, *sender.blocked)))
    return address in blocked or (not known and "@" + address.rpartition("@")[2] in blocked)


def verdict(circle: Circle, bond: Bond, sender: Sender, address: str, *, domains: bool = True) -> str:
    """What one bond says of one final address: an address before a domain, always before blocked before allowed."""
    allowed = [*circle.mailboxes, *((*sender.allowed, *circle.allowed) if bond.listed else ())]
    rows = [([*circle.guardians, *circle.always, *sender.always], "permit"),
            ([*circle.blocked, *sender.blocked], "reject"), (allowed, "permit")]  # fmt: skip
    local, _at, name = address.rpartition("@")
    for domain in (False, True) if domains else (False,):
        for listed, what in rows:
            found = [home(entry) for entry in listed if entry.startswith("@") == domain]
            stripped = f"{local.partition('+')[0]}@{name}"
            if any(matches(e, address) or (what == "reject" and matches(e, stripped)) for e in found):
                return what
    return {"anyone": "permit", "ask": "hold", "refuse": "reject"}[bond.strangers[0][1]]


@given(circle=CIRCLES, bond=BONDS, always=ENTRIES, allowed=ENTRIES, blocked=ENTRIES)
def test_a_class_says_what_the_policy_says(circle, bond, always, allowed, blocked):
    login = "a@one.example"
    sender = Sender((login,), (bond,), always, allowed, blocked)
    found = maps(host((circle,), sender))
    for recipient in RECIPIENTS:
        finals = ends(recipient)
        if not finals:
            continue  # nobody's: refused before any list is asked
        worst = {verdict(circle, bond, sender, final) for final in finals}
        known = home(recipient) in (*OWN, *(alias.address for alias in ALIASES))
        if home(recipient).endswith(("@one.example", "@two.example")):  # its own name can be blocked, not allowed
            itself = verdict(circle, bond, sender, home(recipient), domains=not known)
            worst |= {itself} & {"reject"} if itself_listed(circle, sender, home(recipient), known) else set()
        meant = next(what for what in ("reject", "hold", "permit") if what in worst)
        assert asked(found, login, recipient) == meant, recipient


@given(circle=CIRCLES, bonds=st.lists(BONDS, min_size=2, max_size=2), entries=st.tuples(ENTRIES, ENTRIES, ENTRIES))
def test_two_bonds_allow_what_each_allows(circle, bonds, entries):
    login, other = "a@one.example", replace(circle, name="other")
    both = (bonds[0], replace(bonds[1], circle="other"))
    found = maps(host((circle, other), Sender((login,), both, *entries)))
    alone = [maps(host((circle, other), Sender((login,), (bond,), *entries))) for bond in both]
    for recipient in RECIPIENTS:
        if ends(recipient):
            said = {asked(one, login, recipient) for one in alone}
            assert (asked(found, login, recipient) == "permit") == (said == {"permit"}), recipient
            assert asked(found, login, recipient) != "hold" or said in ({"permit", "hold"}, {"hold"})


def test_an_exception_ends_by_the_clock():
    emma = "emma@myfamily.net"
    assert maps(HOUSEHOLD, datetime(2026, 6, 30, 21, 59, tzinfo=UTC))["sasl_class"][emma] == "permit"
    assert maps(HOUSEHOLD, datetime(2026, 6, 30, 22, 0, tzinfo=UTC))["sasl_class"][emma].endswith(", ask_first, permit")


def with_lists(count: int) -> Snapshot:
    logins = [f"p{n}@one.example" for n in range(count)]
    bond = Bond("circle", (("", "ask"),))
    boxes = tuple(Mailbox(login, f"{n + 9:016x}", (login,), HASH, 0, active=True) for n, login in enumerate(logins))
    people = tuple(Sender((one,), (bond,), allowed=(f"f{n}@out.example",)) for n, one in enumerate(logins))
    start = host((Circle("circle"),), *people)
    return replace(start, mailboxes=(*start.mailboxes, *boxes))


def test_every_different_list_has_a_class_and_equal_ones_share_it():
    found = maps(with_lists(MOST_LISTS))
    words = [found["sasl_class"][f"p{n}@one.example"].split(", ")[0] for n in range(MOST_LISTS)]
    assert len(set(words)) == MOST_LISTS
    assert set(found["lists"]) == {f"{word[-3:]}=f{n}@out.example" for n, word in enumerate(words)}
    same = with_lists(3)
    same = replace(same, senders=tuple(replace(sender, allowed=("f@out.example",)) for sender in same.senders))
    assert len(maps(same)["lists"]) == 1


def test_one_list_too_many_is_refused_in_a_sentence():
    with pytest.raises(Unwritable, match=r"129 different lists .*: at most 128\."):
        maps(with_lists(MOST_LISTS + 1))


def test_a_list_keeps_its_class_when_another_one_changes():
    few = with_lists(5)
    before = maps(few)["sasl_class"]
    changed = replace(few.senders[2], allowed=("someone@else.example",))
    after = maps(replace(few, senders=(*few.senders[:2], changed, *few.senders[3:])))["sasl_class"]
    assert {login for login in before if before[login] != after[login]} <= {"p2@one.example"}


@pytest.mark.parametrize(
    "bond",
    [
        Bond("nowhere", (("", "ask"),)),
        Bond("circle", (("", "delete"),)),
        Bond("circle", (("2020-01-01T00:00:00+00:00", "ask"),)),
        Bond("circle", (("once", "ask"), ("", "ask"))),
        Bond("circle", (("", "refuse"),), sentence="Nò."),
        Bond("circle", (("", "refuse"),), sentence="No.\nx@y.example permit"),
    ],
)
def test_what_cannot_be_written_is_refused(bond):
    with pytest.raises(Unwritable):
        maps(host((Circle("circle"),), Sender(("a@one.example",), (bond,))))


@pytest.mark.parametrize(
    "entry", ["@*", "@", "", "a@b c.example", "a,b@x.example", "A@x.example", "a@x.example permit"]
)
def test_an_entry_that_is_none_is_refused(entry):
    with pytest.raises(Unwritable):
        maps(host((Circle("circle", blocked=(entry,)),), Sender(("a@one.example",), (Bond("circle", (("", "ask"),)),))))
