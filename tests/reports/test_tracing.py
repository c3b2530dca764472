"""Everybody finds the way of her own letters, and nothing of anybody else's."""

from datetime import UTC
from pathlib import Path

import pytest

from accounts.models import User
from reports.ingest import follow
from reports.models import Delivery, Letter
from reports.trace_words import Step, steps
from reports.tracing import Own, Way, letters, ways
from tests.reports.conftest import NOW, Household
from tests.reports.test_log_deliveries import ANNA, AT, EMMA, ID, LUCA, letter


@pytest.fixture
def read(household: Household, tmp_path: Path) -> Household:
    """Anna has written to kids@ and outside."""
    path = tmp_path / "mail.log"
    path.write_bytes(letter())
    while follow("primary", path, NOW, zone=UTC):
        pass
    return household


def told(whose: str, text: str = "") -> list[list[str]]:
    """The sentences about each letter."""
    return [[step.sentence for step in steps(way)] for way in found(whose, text)]


def found(whose: str, text: str = "") -> list[Way]:
    """Her letters."""
    own = Own.of(User.objects.get(address=whose))
    return ways(letters(own, text)[:50], own)


def test_who_sent_a_letter_sees_what_became_of_it(read: Household) -> None:
    assert told(ANNA) == [
        [
            "anna@myfamily.net handed it over to the mail host.",
            "It was handed to the mailbox of emma+a@myfamily.net.",
            "It was handed to the mailbox of emma@myfamily.net.",
            "mx.y.example has taken it for x@y.example.",
        ]
    ]


def test_who_got_it_sees_that_it_came_and_nobody_else(read: Household) -> None:
    (way,) = found(EMMA)
    assert {one.recipient for one in way.deliveries} == {EMMA, "emma+a@myfamily.net"}
    assert told(EMMA)[0][0] == "It came in from anna@myfamily.net."
    assert "y.example" not in str(told(EMMA))
    assert told(LUCA) == []


@pytest.mark.parametrize("text", ["y.example", "X@Y", "kids@", "anna@", "one@myfamily.net", "<one@myfamily.net>"])
def test_her_letters_are_found_by_what_she_knows(read: Household, text: str) -> None:
    assert len(told(ANNA, text)) == 1
    assert told(ANNA, f"{text}z") == []


@pytest.mark.parametrize("text", ["y.example", "x@y", "kids@"])
def test_nobody_finds_out_by_looking_whom_else_it_went_to(read: Household, text: str) -> None:
    assert told(EMMA, text) == []


def test_what_waits_and_what_failed_says_what_can_be_done(read: Household) -> None:
    one = Delivery.objects.get(recipient__text="x@y.example")
    under_way = Letter.objects.create(host="primary", queue_id=ID, opened=AT, login=ANNA, queued=True)
    for status, state, words in (("deferred", "waiting", "yet"), ("bounced", "failed", "could not be delivered")):
        one.status, one.reply = status, "450 later"
        one.save()
        step = last_step()
        assert (step.state, step.said) == (state, one.reply)
        assert words in step.sentence
        assert step.remedy
    under_way.queued, under_way.late = False, True
    under_way.save()
    Delivery.objects.all().delete()
    assert last_step().state == "waiting"
    under_way.delete()
    one.pk, one.status, one.recipient = None, "dropped", None
    one.save()
    assert last_step().state == "failed"


def last_step() -> Step:
    """The end of Anna's newest letter's way."""
    return steps(found(ANNA)[0])[-1]
