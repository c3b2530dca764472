"""Whom one may write to, through real Postfix: a child's whole letter waits, a business refuses with its sentence."""

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from deploy.snapshot import Alias, Bond, Circle, Domain, Mailbox, Sender, Snapshot
from tests.host.letters import HASH, HOUSE, answer, letter, signed_in
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
NAMES = ("anna@myfamily.net", "emma@myfamily.net", "luca@myfamily.net", "theo@myfamily.net")
WORK = ("gino@mybusiness.com", "ivo@mybusiness.com", "rita@mybusiness.com", "sara@mybusiness.com")
ANNA, EMMA, LUCA, THEO = NAMES
GINO, IVO, RITA, SARA = WORK
EMMAS = "emma.scuola@myfamily.net"  # another mailbox of Emma's
KEYS = {address: f"{number:016x}" for number, address in enumerate([*NAMES, *WORK, EMMAS], 1)}
LOGINS = {EMMA: (EMMA, EMMAS), EMMAS: (EMMA, EMMAS)}
NONNA, SCHOOL, STRANGER = "nonna.rosa@gmail.com", "preside@scuola-verdi.edu.it", "stranger@outside.example"
PARTNERS_ONLY = "You may write to your own people and to listed partners only: ask the owner."
INSIDE_ONLY = "You may write to your own people only: ask the owner."

PEOPLE = Snapshot(
    generation=1,
    host="primary",
    role="primary",
    domains=(
        Domain("mybusiness.com", "mail"),
        Domain("myfamily.net", "mail"),
        Domain("old-family.net", "alias", "myfamily.net"),
    ),
    mailboxes=tuple(
        sorted(Mailbox(one, key, LOGINS.get(one, (one,)), HASH, 0, active=True) for one, key in KEYS.items())
    ),
    aliases=(
        Alias("@mybusiness.com", (RITA,)),
        Alias("@myfamily.net", (ANNA,)),
        Alias("friends@myfamily.net", (ANNA, STRANGER)),
        Alias("grandma@myfamily.net", (NONNA,)),
        Alias("kids@myfamily.net", (EMMA, LUCA)),
        Alias("partner@mybusiness.com", ("orders@partner.example",)),
    ),
    circles=(
        Circle("Family", (ANNA, EMMA, EMMAS, LUCA, THEO), guardians=(ANNA,), always=("doctor@clinic.example",)),
        Circle("Work", WORK, allowed=("@partner.example",), blocked=("spy@partner.example",)),
    ),
    senders=(
        Sender((EMMA, EMMAS), (Bond("Family", (("", "ask"),)),), allowed=("@scuola-verdi.edu.it", NONNA, RITA),
               blocked=("bidello@scuola-verdi.edu.it", THEO)),
        Sender((GINO,), (Bond("Work", (("", "refuse"),), sentence=PARTNERS_ONLY),)),
        Sender((IVO,), (Bond("Work", (("", "refuse"),), listed=False, sentence=INSIDE_ONLY),)),
        Sender((LUCA,), (Bond("Family", (("", "anyone"),)),), blocked=("bully@outside.example",)),
        Sender((SARA,), (Bond("Work", (("", "anyone"),)),)),
    ),
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _people(mailhost: MailHost) -> Any:
    mailhost.apply(PEOPLE)
    yield
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL", "hold")
    mailhost.apply(HOUSE)


def queue(host: MailHost) -> list[dict[str, Any]]:
    """Every letter in the queue, with all its recipients."""
    listed = host.run("postqueue", "-c", str(host.layout.postfix), "-j")
    return [json.loads(line) for line in listed.stdout.decode().splitlines()]


def send(host: MailHost, login: str, sender: str, *recipients: str) -> str:
    """Send a letter; its queue id."""
    with signed_in(host.layout, login) as dialogue:
        dialogue.mail(sender)
        for recipient in recipients:
            assert dialogue.rcpt(recipient)[0] == 250, recipient
        code, text = dialogue.data(letter(uuid.uuid4().hex, author=login))
    assert code == 250, text
    return text.decode().rpartition(" ")[2]


def held(host: MailHost, queue_id: str) -> set[str]:
    """The recipients with whom a letter is held; nobody when it is not."""
    found = [one for one in queue(host) if one["queue_id"] == queue_id and one["queue_name"] == "hold"]
    return {person["address"] for one in found for person in one["recipients"]}


def went(host: MailHost, queue_id: str) -> bool:
    """True when a letter was taken up for delivery."""
    return f"{queue_id}: from=<" in host.log() and "queue active" in host.log().partition(f"{queue_id}: from=<")[2]


@pytest.mark.parametrize(
    "recipients",
    [
        (STRANGER,),
        (NONNA, STRANGER),
        (ANNA, NONNA, STRANGER),  # as with a blind copy: the letter names Nonna, the envelope both
        ("friends@myfamily.net",),
        ("friends@old-family.net",),
        (f"@scuola-verdi.edu.it:{STRANGER}",),
        (f"@gmail.com,@scuola-verdi.edu.it:{STRANGER}",),
        ("nonna.rosa+x@gmail.com",),
        ("xnonna.rosa@gmail.com",),
        ("nonnaxrosa@gmail.com",),
        ("nonna.rosa@gmail.com.evil.example",),
        ("preside@notscuola-verdi.edu.it",),
        ("preside@blog.scuola-verdi.edu.it",),
        ("stranger%outside.example@scuola-verdi.edu.it",),
        ("outside.example!stranger@scuola-verdi.edu.it",),
        ('"stranger@outside.example"@scuola-verdi.edu.it',),
        (GINO,),
        ("stranger@[192.0.2.1]",),
        ("stranger%outside.example@nowhere.myfamily.net",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("sender", [EMMA, ""])
def test_one_stranger_holds_a_childs_whole_letter(mailhost: MailHost, recipients: tuple[str, ...], sender: str) -> None:
    queue_id = send(mailhost, EMMA, sender, *recipients)
    assert len(held(mailhost, queue_id)) >= len(recipients)
    assert not went(mailhost, queue_id)


def test_a_letter_that_is_held_is_whole(mailhost: MailHost) -> None:
    queue_id = send(mailhost, EMMA, EMMA, NONNA, STRANGER)
    assert held(mailhost, queue_id) == {NONNA, STRANGER}
    shown = mailhost.run("postcat", "-c", str(mailhost.layout.postfix), "-q", queue_id).stdout
    assert b"Ciao!" in shown
    mailhost.run("postqueue", "-c", str(mailhost.layout.postfix), "-f")
    assert held(mailhost, queue_id) == {NONNA, STRANGER}


@pytest.mark.parametrize(
    "recipient",
    [
        NONNA,
        NONNA.upper(),
        SCHOOL,
        "Preside+x@Scuola-Verdi.EDU.it",
        ANNA,
        "anna+diary@myfamily.net",
        "anna@old-family.net",
        LUCA,
        RITA,
        "rita+x@mybusiness.com",
        "kids@myfamily.net",
        "grandma@myfamily.net",
        "grandma+x@old-family.net",
        "doctor@clinic.example",
        "anything@myfamily.net",
        "anything@mybusiness.com",
    ],
)
def test_a_child_writes_to_her_family_and_her_list(mailhost: MailHost, recipient: str) -> None:
    queue_id = send(mailhost, EMMA, EMMA, recipient)
    wait_for(lambda: went(mailhost, queue_id), "the letter to go")


@pytest.mark.parametrize(
    ("login", "sender", "recipient", "said"),
    [
        (EMMA, EMMA, "bidello@scuola-verdi.edu.it", "blocked in your list"),
        (EMMA, EMMA, "bidello+x@scuola-verdi.edu.it", "blocked in your list"),
        (EMMA, EMMA, THEO, "blocked in your list"),
        (EMMA, EMMA, "theo+x@old-family.net", "blocked in your list"),
        (EMMA, LUCA, NONNA, "not owned by user"),
        (LUCA, LUCA, "bully@outside.example", "blocked in your list"),
        (LUCA, LUCA, "Bully+again@outside.example", "blocked in your list"),
        (SARA, SARA, "spy@partner.example", "blocked in your list"),
        (GINO, GINO, STRANGER, PARTNERS_ONLY),
        (GINO, "", STRANGER, PARTNERS_ONLY),
        (GINO, GINO, ANNA, PARTNERS_ONLY),
        (GINO, GINO, "orders@sub.partner.example", PARTNERS_ONLY),
        (GINO, GINO, "spy@partner.example", "blocked in your list"),
        (IVO, IVO, "orders@partner.example", INSIDE_ONLY),
        (IVO, IVO, "partner@mybusiness.com", INSIDE_ONLY),
    ],
)
def test_who_is_refused_is_told_why(mailhost: MailHost, login: str, sender: str, recipient: str, said: str) -> None:
    with signed_in(mailhost.layout, login) as dialogue:
        told = answer(dialogue, sender, recipient)
    assert told.startswith("55")
    assert said in told


@pytest.mark.parametrize(
    ("login", "recipients"),
    [
        (ANNA, [STRANGER, "nonna.rosa+x@gmail.com", "friends@myfamily.net", THEO, "bully@outside.example"]),
        (LUCA, [STRANGER, NONNA, THEO, GINO]),
        (SARA, [STRANGER, "orders@partner.example", "orders+7@partner.example", EMMA]),
        (RITA, [STRANGER, "spy@partner.example"]),
        (
            GINO,
            ["orders@partner.example", "orders+7@partner.example", IVO, "partner@mybusiness.com", "x@mybusiness.com"],
        ),
        (IVO, [GINO, "gino+x@mybusiness.com", "x@mybusiness.com"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_everybody_else_is_let_go(mailhost: MailHost, login: str, recipients: list[str]) -> None:
    queue_id = send(mailhost, login, login, *recipients)
    wait_for(lambda: went(mailhost, queue_id), "the letter to go")


def test_a_person_is_bound_under_each_of_her_logins(mailhost: MailHost) -> None:
    queue_id = send(mailhost, EMMAS, EMMA, STRANGER)
    assert held(mailhost, queue_id) == {STRANGER}


def test_a_hack_with_percent_at_home_is_refused(mailhost: MailHost) -> None:
    """Where a catch-all takes everything, the letter goes to whom the catch-all leads to, and nowhere else."""
    queue_id = send(mailhost, EMMA, EMMA, "stranger%outside.example@myfamily.net")
    assert held(mailhost, queue_id) == {ANNA}
    mailhost.apply(replace(PEOPLE, aliases=PEOPLE.aliases[2:]))
    try:
        with signed_in(mailhost.layout, EMMA) as dialogue:
            assert answer(dialogue, EMMA, "stranger%outside.example@myfamily.net").startswith("550 5.1.1")
    finally:
        mailhost.apply(PEOPLE)


def test_a_change_of_a_list_is_obeyed_by_the_next_session(mailhost: MailHost) -> None:
    sender = PEOPLE.senders[0]
    wider = replace(sender, allowed=(*sender.allowed, STRANGER))
    narrower = replace(sender, allowed=())
    try:
        for number in range(3):
            mailhost.apply(replace(PEOPLE, senders=(wider, *PEOPLE.senders[1:])))
            queue_id = send(mailhost, EMMA, EMMA, STRANGER)
            assert not held(mailhost, queue_id), number
            mailhost.apply(replace(PEOPLE, senders=(narrower, *PEOPLE.senders[1:])))
            queue_id = send(mailhost, EMMA, EMMA, NONNA)
            assert held(mailhost, queue_id) == {NONNA}, number
    finally:
        mailhost.apply(PEOPLE)


def test_the_lists_can_be_read(mailhost: MailHost) -> None:
    mailhost.apply(replace(PEOPLE, aliases=PEOPLE.aliases[1:]))
    before = len(mailhost.log())
    send(mailhost, GINO, GINO, "orders@partner.example")
    said = mailhost.log()[before:].splitlines()
    assert not [line for line in said if "warning: " in line or "error: " in line]  # `error` is a transport, too
    assert mailhost.run("postconf", "-c", str(mailhost.layout.postfix), "-n").stderr == b""
    mailhost.apply(PEOPLE)
