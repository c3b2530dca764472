"""Hundreds of letters made by a grammar: none passes for an address that a strict reader finds unproved.

And whom a letter says that it is for is what he reads, too.
"""

import random
import re
from collections import Counter
from contextlib import suppress

import pytest

from deploy.host.canary import Envelope, ask
from deploy.render.facts import Facts
from tests.host.fuzz import EVIL, ROSA, Fuzzed, letters
from tests.host.letters import HOUSE
from tests.host.machine import MailHost
from tests.host.outside import publish, signed, written
from tests.host.strict import Unreadable, provably_from, recipients, split

pytestmark = pytest.mark.daemons
QUIET = re.compile(
    r".*(?:mailadmin: |; lua; |error in|attempt to).*"
)  # what rspamd says when something in the Lua fails


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    mailhost.put_live("rspamd/screened", "# Nobody.\n")
    publish(mailhost.layout)


def found(host: MailHost, letter: Fuzzed) -> Facts:
    """What the filter finds."""
    answer = ask(host.layout, letter.raw, Envelope(letter.sender, ("anna@house.test",), "127.0.0.1", "mx.strict.test"))
    assert answer.refusal == "", letter
    return answer.facts


def says_whom_it_is_for(letter: Fuzzed, facts: Facts) -> int:
    """Compare To and Cc with what the strict reader finds in a letter that he can read; how many addresses."""
    with suppress(Unreadable):
        fields, _body = split(letter.raw)
        assert list(facts.to) == recipients(fields, b"to"), letter
        assert list(facts.cc) == recipients(fields, b"cc"), letter
        return len(facts.to) + len(facts.cc)
    return 0


def check(host: MailHost, count: int) -> Counter[str]:
    """Show letters to the filter; for whom how many passed."""
    before, seen = len(host.log("rspamd.log")), Counter[str]()
    for letter in letters(count, random.Random(random.getrandbits(32))):
        facts = found(host, letter)
        seen["recipients"] += says_whom_it_is_for(letter, facts)
        address = facts.address if facts.verdict == "pass" else ""
        assert address in ("", letter.provably_from), letter
        assert address or not (letter.usual and letter.provably_from), letter
        seen[address] += 1
    assert QUIET.findall(host.log("rspamd.log")[before:]) == []
    return seen


def test_nothing_passes_that_is_not_proved(mailhost: MailHost) -> None:
    seen = check(mailhost, 300)
    assert seen[ROSA] > 5  # else this test tests nothing
    assert seen[EVIL] > 2
    assert seen[""] > 100
    assert seen["recipients"] > 50


@pytest.mark.nightly(0.4)
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
