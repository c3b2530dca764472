"""POLICY's attempts of a child to write to whom her list does not name, through submission and the hold queue."""

import json
from collections.abc import Sequence

import pytest

from tests.host.family import EMMA, LUCA, MARCO, NONNA, fate, settle, written
from tests.host.letters import answer, signed_in
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
FRIEND = "friend@elsewhere.example"


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> MailHost:
    settle(mailhost)
    return mailhost


def send(host: MailHost, to: Sequence[str], sender: str = EMMA) -> str:
    """A letter of Emma's; the token by which it is found."""
    token, raw = written(f"From: {EMMA}", to="undisclosed-recipients:;")
    with signed_in(host.layout, EMMA) as dialogue:
        dialogue.sendmail(sender, list(to), raw)
    return token


def queued(host: MailHost, token: str) -> dict[str, object] | None:
    """What Postfix's queue says of a letter."""
    postfix = str(host.layout.postfix)
    for line in host.run("postqueue", "-c", postfix, "-j").stdout.splitlines():
        entry: dict[str, object] = json.loads(line)
        if token.encode() in host.run("postcat", "-c", postfix, "-qh", str(entry["queue_id"])).stdout:
            return entry
    return None


def held(host: MailHost, token: str, recipients: set[str]) -> bool:
    """Whether a letter is held whole, with all of its recipients."""
    entry = wait_for(lambda: queued(host, token), "the letter in the queue")
    assert {one["address"] for one in entry["recipients"]} == recipients
    return bool(entry["queue_name"] == "hold")


@pytest.mark.parametrize(
    ("to", "sender"),
    [
        ([NONNA, FRIEND], EMMA),
        ([FRIEND, NONNA], EMMA),
        ([MARCO, FRIEND], EMMA),
        ([FRIEND], EMMA),
        ([FRIEND], ""),
        (["friend@myfamily.net"], EMMA),
        (["xnonna.rosa@gmail.com"], EMMA),
        (["nonna.rosa+x@gmail.com"], EMMA),
        (["nonnaxrosa@gmail.com"], EMMA),
        (["someone@blog.scuola-verdi.edu.it"], EMMA),
        (["someone@notscuola-verdi.edu.it"], EMMA),
        ([f"@relay.example:{FRIEND}"], EMMA),
    ],
)
def test_one_stranger_holds_the_whole_letter(home: MailHost, to: list[str], sender: str) -> None:
    token = send(home, to, sender)
    meant = {FRIEND if one.endswith(FRIEND) or one.startswith("friend@myfamily") else one for one in to}
    assert held(home, token, meant)
    if MARCO in to:
        assert not [one for one in home.letters("d" * 15 + "1") if token.encode() in one]


@pytest.mark.parametrize("to", [[NONNA], ["maestra@scuola-verdi.edu.it"]])
def test_whom_the_list_names_is_written_to(home: MailHost, to: list[str]) -> None:
    assert not held(home, send(home, to), set(to))  # it waits for the world outside, which a private host never mails


def test_the_family_is_written_to(home: MailHost) -> None:
    assert fate(home, send(home, [LUCA]), LUCA) == "deliver"


def test_another_sender_is_refused(home: MailHost) -> None:
    with signed_in(home.layout, EMMA) as dialogue:
        assert answer(dialogue, LUCA, NONNA).startswith("553 5.7.1")


@pytest.mark.parametrize("to", [f"{FRIEND.replace('@', '%')}@myfamily.net", "elsewhere.example!friend@myfamily.net"])
def test_a_hidden_route_is_refused(home: MailHost, to: str) -> None:
    with signed_in(home.layout, EMMA) as dialogue:
        assert answer(dialogue, EMMA, to)[0] == "5"


@pytest.mark.parametrize("to", [f"{FRIEND.replace('@', '%')}@gmail.com", f'"{FRIEND}"@gmail.com'])
def test_a_route_through_a_listed_host_is_a_stranger(home: MailHost, to: str) -> None:
    with signed_in(home.layout, EMMA) as dialogue:
        refused = answer(dialogue, EMMA, to).startswith("5")
    assert refused or held(home, send(home, [to]), {to})
