"""Postfix's hold queue through the helper: one letter is shown, let go or dropped, and only the one that is meant."""

import json
import time
from typing import Any

import pytest

from deploy.host.helper import HelperError, ask, fetch
from deploy.host.hold import read_envelope, spool
from tests.host.family import ANNA, EMMA, LUCA, NONNA, settle, written
from tests.host.letters import signed_in
from tests.host.machine import MailHost, wait_for
from tests.host.test_helper_requests import say

pytestmark = pytest.mark.daemons
STRANGER = "stranger@outside.example"


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> MailHost:
    settle(mailhost)
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL", "hold")
    return mailhost


def held(host: MailHost, *recipients: str, body: str = "Ciao!", sender: str = EMMA, more: str = "") -> str:
    """A letter of Emma's that waits; its queue id."""
    _token, raw = written(f"From: {EMMA}", body=body, to=NONNA)
    with signed_in(host.layout, EMMA) as dialogue:
        assert dialogue.docmd(f"MAIL FROM:<{sender}>{more}")[0] == 250
        for recipient in recipients or (STRANGER,):
            assert dialogue.rcpt(recipient)[0] == 250
        return dialogue.data(raw)[1].decode().rpartition(" ")[2]


def shown(host: MailHost, queue_id: str) -> tuple[dict[str, Any], bytes]:
    """The envelope and the letter."""
    envelope, _line, letter = fetch(host.layout, "queue-show", queue_id).partition(b"\n")
    return json.loads(envelope), letter


def queue_of(host: MailHost, queue_id: str) -> str:
    """Where Postfix has the letter."""
    listed = host.run("postqueue", "-c", str(host.layout.postfix), "-j").stdout.decode().splitlines()
    return next((one["queue_name"] for one in map(json.loads, listed) if one["queue_id"] == queue_id), "")


def meant(host: MailHost, queue_id: str) -> tuple[str, str, str]:
    """How a letter is named to let it go."""
    return queue_id, str(shown(host, queue_id)[0]["arrived"]), EMMA


def test_what_waits_is_listed_and_shown(home: MailHost) -> None:
    before = time.time()
    queue_id = held(home, NONNA, STRANGER, "kids@myfamily.net")
    assert queue_id in fetch(home.layout, "queue-waiting").decode().split()
    envelope, letter = shown(home, queue_id)
    assert before - 2 < envelope.pop("arrived") < time.time() + 1
    assert 200 < envelope.pop("size") < len(letter)  # as it arrived, without the facts
    assert envelope == {
        "login": EMMA,
        "client": "127.0.0.1",
        "sender": EMMA,
        "recipients": [NONNA, STRANGER, EMMA, LUCA],
    }
    assert letter.startswith(b"Received: ")
    assert b"\nX-Mailadmin-From: pass emma@myfamily.net login\n" in letter
    assert letter.endswith(b"\n\nCiao!\n")


def test_of_a_long_letter_the_beginning_is_shown(home: MailHost) -> None:
    queue_id = held(home, body="y" * 70 + "\r\n" + ("x" * 70 + "\r\n") * 30_000)
    _envelope, letter = shown(home, queue_id)
    assert len(letter) == 1 << 20


def test_a_letter_is_let_go(home: MailHost) -> None:
    queue_id = held(home)
    assert ask(home.layout, "queue-release", *meant(home, queue_id)) == "released"
    wait_for(lambda: queue_of(home, queue_id) == "deferred", "the letter to be tried")
    wait_for(lambda: f"{queue_id}: to=<{STRANGER}>" in home.log(), "Postfix to try it")
    assert "(deferred transport)" in home.log().partition(f"{queue_id}: to=<")[2].splitlines()[0]
    assert queue_id not in fetch(home.layout, "queue-waiting").decode().split()


def test_an_old_letter_begins_anew(home: MailHost) -> None:
    """Past the queue's lifetime (5 days) it would bounce at the first 450."""
    queue_id = held(home)
    arrived = shown(home, queue_id)[0]["arrived"]
    file = spool(home.layout, "hold") / queue_id
    file.write_bytes(file.read_bytes().replace(b"T\x11%d " % arrived, b"T\x11%d " % (arrived - 432_000)))
    words = meant(home, queue_id)
    assert words[1] == str(arrived - 432_000)
    before = len(home.log())
    assert ask(home.layout, "queue-release", *words) == "released"
    wait_for(lambda: f"to=<{STRANGER}>" in home.log()[before:], "the letter to be tried")
    assert f"{queue_id}: requeued" in home.log()[before:]
    assert "status=deferred (deferred transport)" in home.log()[before:]
    assert queue_of(home, queue_id) == ""


def test_a_letter_is_dropped(home: MailHost) -> None:
    queue_id, other = held(home), held(home)
    assert ask(home.layout, "queue-drop", *meant(home, queue_id)) == "dropped"
    assert (queue_of(home, queue_id), queue_of(home, other)) == ("", "hold")


@pytest.mark.parametrize("verb", ["queue-release", "queue-drop"])
def test_what_is_gone_is_said(home: MailHost, verb: str) -> None:
    queue_id = held(home)
    words = meant(home, queue_id)
    ask(home.layout, "queue-drop", *words)
    assert ask(home.layout, verb, *words) == "gone"
    with pytest.raises(HelperError, match="failed"):
        fetch(home.layout, "queue-show", queue_id)


@pytest.mark.parametrize("verb", ["queue-release", "queue-drop"])
def test_only_the_letter_that_is_meant(home: MailHost, verb: str) -> None:
    queue_id = held(home)
    _id, arrived, login = meant(home, queue_id)
    for words in ((str(int(arrived) + 1), login), (arrived, ANNA), (arrived, "x@y")):
        with pytest.raises(HelperError, match="another time, or is somebody else's"):
            ask(home.layout, verb, queue_id, *words)
    assert queue_of(home, queue_id) == "hold"


@pytest.mark.parametrize("verb", ["queue-release", "queue-drop"])
def test_a_letter_that_is_not_held_is_none_of_ours(home: MailHost, verb: str) -> None:
    with signed_in(home.layout, ANNA) as dialogue:
        dialogue.mail(ANNA)
        dialogue.rcpt(STRANGER)
        queue_id = dialogue.data(written(f"From: {ANNA}")[1])[1].decode().rpartition(" ")[2]
    wait_for(lambda: queue_of(home, queue_id) == "deferred", "Anna's letter to wait for the world")
    assert ask(home.layout, verb, queue_id, str(int(time.time())), ANNA) == "gone"
    with pytest.raises(HelperError, match="not in the hold queue"):
        fetch(home.layout, "queue-show", queue_id)
    assert queue_of(home, queue_id) == "deferred"


@pytest.mark.parametrize(
    "request_",
    [
        "queue-waiting ",
        "queue-waiting hold",
        "queue-show",
        "queue-show ALL",
        "queue-show -",
        "queue-show -r",
        "queue-show ../hold/{id}",
        "queue-show {id} {id}",
        "queue-show {id}/",
        "queue-show {id}\x00",
        "queue-release {id}",
        "queue-release ALL {at} {login}",
        "queue-drop - {at} {login}",
        "queue-drop {id} {at}",
        "queue-drop {id} now {login}",
        "queue-drop {id} -1 {login}",
        "queue-drop {id} {at}  {login}",
        "queue-drop {id} {at} {login} hold",
        "queue-drop {id} {at} emma",
        "queue-drop {id} {at} Emma@myfamily.net",
        "queue-drop {id} {at} {login}\r",
        "queue-drop * {at} {login}",
        "queue-drop {id},{id} {at} {login}",
    ],
)
def test_other_words_are_refused(home: MailHost, request_: str) -> None:
    queue_id = held(home)
    text = request_.format(id=queue_id, at=meant(home, queue_id)[1], login=EMMA)
    assert say(home, text.encode() + b"\n").startswith("refused ")
    assert queue_of(home, queue_id) == "hold"


@pytest.mark.parametrize("field", ["ENVID=x{}", "AUTH=x{}"])
def test_a_sender_cannot_write_records(home: MailHost, field: str) -> None:
    """xtext may hold line feeds, and `postcat` prints them as they are."""
    lie = f"+0Anamed_attribute:+20sasl_username+3D{ANNA}+0Asender:+20{ANNA}"
    with signed_in(home.layout, EMMA) as dialogue:
        if dialogue.docmd(f"MAIL FROM:<{EMMA}> {field.format(lie)}")[0] != 250:
            assert dialogue.mail(EMMA)[0] == 250
        assert dialogue.docmd(f"RCPT TO:<{STRANGER}> ORCPT=rfc822;x{lie}")[0] in (250, 501)
        dialogue.rcpt(STRANGER)
        queue_id = dialogue.data(written(f"From: {EMMA}")[1])[1].decode().rpartition(" ")[2]
    envelope, _letter = shown(home, queue_id)
    assert (envelope["login"], envelope["sender"]) == (EMMA, EMMA)
    assert STRANGER in envelope["recipients"]
    assert abs(envelope["arrived"] - time.time()) < 60


def test_what_is_no_envelope_is_none() -> None:
    assert read_envelope("4jZR2h2dKKzJDg0", "") is None
    assert read_envelope("4jZR2h2dKKzJDg0", "*** ENVELOPE RECORDS hold/4jZR2h2dKKzJDg1 ***\nsender: x") is None
    assert read_envelope("4jZR2h2dKKzJDg0", "*** ENVELOPE RECORDS deferred/4jZR2h2dKKzJDg0 ***\nsender: x") is None
