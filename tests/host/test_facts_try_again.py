"""A proof that cannot be had just now: whoever is screened by it gets the letter later, all others get it now."""

import smtplib
import uuid
from collections.abc import Iterator

import pytest

from deploy.render.facts import PREFIX
from tests.host.letters import ANNA, HOUSE, KEYS, MARCO, stranger
from tests.host.machine import MailHost, wait_for
from tests.host.outside import publish, shown, signed, written

pytestmark = pytest.mark.daemons
EMPTY = "# Written by a test.\n"
SCREENED = EMPTY + f"@old.test yes\n{MARCO} yes\nmarco@old.test yes\n"
SENTENCE = "It cannot be proved just now who wrote this letter; try again."
ROSA, UNSURE = "rosa@strict.test", "a@unsure.test"


@pytest.fixture(autouse=True)
def _house(mailhost: MailHost) -> Iterator[None]:
    mailhost.apply(HOUSE)
    publish(mailhost.layout)
    mailhost.put_live("rspamd/screened", SCREENED)
    yield
    mailhost.put_live("rspamd/screened", EMPTY)


def sent(host: MailHost, author: str, *recipients: str) -> str:
    """Send a letter; the token in it."""
    token = uuid.uuid4().hex
    with stranger(host.layout) as dialogue:
        letter = written(f"From: {author}", f"X-Token: {token}")
        assert dialogue.sendmail("someone@other.test", recipients, letter) == {}
    return token


def arrived(host: MailHost, token: str, person: str = ANNA) -> list[bytes]:
    return [one for one in host.letters(KEYS[person]) if token.encode() in one]


@pytest.mark.parametrize(
    "recipients",
    [
        (MARCO,),
        (ANNA, MARCO),
        ("MARCO@House.Test",),
        ("marco+bank@house.test",),
        ("marco@old.test",),
        ("anna@old.test",),  # a catch-all of that domain leads to somebody who is screened
        ('"marco"@house.test',),
        ("@elsewhere.example:marco@house.test",),
    ],
    ids=" ".join,
)
def test_a_letter_that_cannot_be_proved_now_is_to_come_again(mailhost: MailHost, recipients: tuple[str, ...]) -> None:
    with pytest.raises(smtplib.SMTPDataError) as caught:
        sent(mailhost, UNSURE, *recipients)
    assert caught.value.smtp_code == 451
    assert SENTENCE in str(caught.value.smtp_error)


def test_nobody_else_has_to_wait_for_it(mailhost: MailHost) -> None:
    token = sent(mailhost, UNSURE, ANNA)
    letter = wait_for(lambda: arrived(mailhost, token), "the letter")[0]
    assert f"{PREFIX}From: temp {UNSURE} dmarc".encode() in letter


@pytest.mark.parametrize("author", [ROSA, "a@silent.test", f"{ROSA}, {UNSURE}"], ids=["failed", "none", "malformed"])
def test_a_proof_that_there_is_none_of_is_no_reason_to_wait(mailhost: MailHost, author: str) -> None:
    token = sent(mailhost, author, MARCO)
    assert wait_for(lambda: arrived(mailhost, token, MARCO), "the letter")


@pytest.mark.parametrize("author", [UNSURE, "a@slow.test", "a@waiting.test"])
def test_whichever_look_up_fails(mailhost: MailHost, author: str) -> None:
    domain = author.partition("@")[2]
    letter = signed(domain)(written(f"From: {author}"))
    mailhost.put_live("rspamd/screened", EMPTY)
    assert shown(mailhost.layout, letter).refusal == ""
    mailhost.put_live("rspamd/screened", EMPTY + f"{ANNA} yes\n")
    assert shown(mailhost.layout, letter).refusal == SENTENCE


def test_without_the_list_everybody_waits(mailhost: MailHost) -> None:
    (mailhost.layout.root / "current" / "rspamd" / "screened").unlink()
    assert shown(mailhost.layout, written(f"From: {UNSURE}")).refusal == SENTENCE
    assert shown(mailhost.layout, written(f"From: {ROSA}")).refusal == ""


def test_with_the_resolver_down_nothing_is_let_in_unproved(mailhost: MailHost) -> None:
    letter = signed("strict.test")(written(f"From: {ROSA}"))
    mailhost.put_live("rspamd/screened", EMPTY + f"{ANNA} yes\n")
    assert shown(mailhost.layout, letter).facts.verdict == "pass"
    mailhost.running.control("stop", "resolver")
    try:
        assert shown(mailhost.layout, letter).refusal == SENTENCE
        assert shown(mailhost.layout, written(f"From: {ROSA}")).refusal == SENTENCE
        assert shown(mailhost.layout, written("From: a@silent.test"), "a@silent.test").refusal == SENTENCE
    finally:
        mailhost.running.control("start", "resolver")
    wait_for(lambda: shown(mailhost.layout, letter).refusal == "", "the resolver")
