"""Hundreds of letters made by a grammar: none passes for an address that a strict reader finds unproved."""

import random
import re
from collections import Counter

import pytest

from deploy.host.canary import Envelope, ask
from tests.host.fuzz import EVIL, ROSA, Fuzzed, letters
from tests.host.letters import HOUSE
from tests.host.machine import MailHost
from tests.host.outside import publish, signed, written
from tests.host.strict import provably_from

pytestmark = pytest.mark.daemons
QUIET = re.compile(
    r".*(?:mailadmin: |; lua; |error in|attempt to).*"
)  # what rspamd says when something in the Lua fails


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    mailhost.put_live("rspamd/screened", "# Nobody.\n")
    publish(mailhost.layout)


def passed(host: MailHost, letter: Fuzzed) -> str:
    """The address that the filter lets a letter pass for; empty when it does not."""
    answer = ask(host.layout, letter.raw, Envelope(letter.sender, ("anna@house.test",), "127.0.0.1", "mx.strict.test"))
    assert answer.refusal == "", letter
    return answer.facts.address if answer.facts.verdict == "pass" else ""


def check(host: MailHost, count: int) -> Counter[str]:
    """Show letters to the filter; for whom how many passed."""
    before, found = len(host.log("rspamd.log")), Counter[str]()
    for letter in letters(count, random.Random(random.getrandbits(32))):
        address = passed(host, letter)
        assert address in ("", letter.provably_from), letter
        assert address or not (letter.usual and letter.provably_from), letter
        found[address] += 1
    assert QUIET.findall(host.log("rspamd.log")[before:]) == []
    return found


def test_nothing_passes_that_is_not_proved(mailhost: MailHost) -> None:
    found = check(mailhost, 300)
    assert found[ROSA] > 5  # else this test tests nothing
    assert found[EVIL] > 2
    assert found[""] > 100


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_nothing_passes_that_is_not_proved_all_night(mailhost: MailHost) -> None:
    assert check(mailhost, 3_000)[ROSA] > 100


def test_the_strict_reader_knows_a_proved_letter() -> None:
    letter = signed("strict.test")(written(f'From: "Nonna, R." <{ROSA}>'))
    assert provably_from(letter, EVIL) == ROSA
    assert provably_from(letter + b"x\r\n", EVIL) == ""
    assert provably_from(letter.replace(b"Subject: Ciao", b"Subject: Addio"), EVIL) == ""
    assert provably_from(b"From: evil@other.test\r\n" + letter, EVIL) == ""
    assert provably_from(written(f"From: {EVIL}"), EVIL) == EVIL
    assert provably_from(written(f"From: {ROSA}"), EVIL) == ""
