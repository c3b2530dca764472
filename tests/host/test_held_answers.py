"""What a parent answers is done on the host: once, when it is live there, and with the letter as it came."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.wishes import Wishes, wishes
from deploy import answers
from deploy.host import helper
from deploy.models import MailHost as HostRow
from deploy.services.held import index
from policies.models import Answer, Contact, HeldLetter
from tests.host.family import ANNA, EMMA, KEYS, LUCA, NONNA, fate, let_in, written
from tests.host.held import INBOX, KEY, copies, found, plant, stored
from tests.host.machine import MailHost, wait_for
from tests.host.outside import signed
from tests.host.waiting import STRANGER, Home, at_home

pytestmark = [pytest.mark.daemons, pytest.mark.django_db]
EVIL, OTHER = "evil@other.test", "other@outside.example"


@pytest.fixture
def home(mailhost: MailHost, db: None) -> Iterator[Home]:
    with at_home(mailhost) as family:
        yield family


def waits(home: Home, letter: HeldLetter) -> bool:
    """After the host was looked at, and everything tried that can be."""
    home.look(again=True)
    letter.refresh_from_db()
    return letter.state == "waiting"


def test_once_lets_one_letter_in_as_it_came(home: Home) -> None:
    token, raw = written(f"From: {EVIL}", body="Ciao \xe0\r\n\r\n.end")
    let_in(home.host, signed("other.test")(raw), EVIL)
    assert fate(home.host, token) == "in-5.stranger"
    path = next(home.host.layout.held.glob("*/*/new/*"))
    data, date = path.read_bytes(), path.stat().st_mtime
    other = plant(home.host, stored())
    home.look()
    letter = home.row_of(path.name)
    home.answer(letter, "once")
    home.look()
    assert copies(home.host, data) == 1, "not before the answer is live"
    assert found(home.host, data) != {INBOX: date}
    home.settle()
    home.look()
    assert found(home.host, data) == {INBOX: date}
    letter.refresh_from_db()
    assert (letter.state, letter.outcome, letter.excerpt) == ("done", answers.DELIVERED, "")
    assert home.row_of(other.file).state == "waiting"
    home.look()
    assert copies(home.host, data) == 1


def test_always_lets_in_this_one_and_the_next(home: Home) -> None:
    letter = plant(home.host, stored())
    home.look()
    row = home.row_of(letter.file)
    with wishes(ANNA, "a test"):
        home.allow(EVIL)
        home.answer(row, "always")
    assert waits(home, row)
    home.settle()
    assert not waits(home, row)
    assert list(found(home.host, letter.data)) == [INBOX]
    token, raw = written(f"From: {EVIL}")
    let_in(home.host, signed("other.test")(raw), EVIL)
    assert fate(home.host, token) == "deliver"


def test_always_for_somebody_who_does_not_prove_himself_asks_again(home: Home) -> None:
    letter = plant(home.host, stored(says=f"none {EVIL} -"))
    home.look()
    row = home.row_of(letter.file)
    with wishes(ANNA, "a test"):
        home.allow(EVIL)
        home.answer(row, "always")
    home.settle()
    assert not waits(home, row)
    assert row.outcome == answers.HELD_AGAIN
    home.look()
    again = HeldLetter.objects.get(state="waiting")
    assert (again.station, again.reason, again.arrived) == ("in-3", "unproven", row.arrived)
    home.answer(again, "once")
    home.settle()
    assert not waits(home, again)
    assert list(found(home.host, letter.data)) == [INBOX]


@pytest.mark.parametrize("choice", ["no", "block"])
def test_a_letter_that_is_refused_stays_for_thirty_days(home: Home, choice: str) -> None:
    letter = plant(home.host, stored())
    home.look()
    row = home.row_of(letter.file)
    home.answer(row, choice)
    home.settle()
    assert not waits(home, row)
    assert (row.state, row.outcome, row.excerpt) == ("done", answers.REFUSED, "")
    assert copies(home.host, letter.data) == 1
    home.look()
    assert HeldLetter.objects.count() == 1
    index(home.row, row.arrived + timedelta(days=30, seconds=1))
    row.refresh_from_db()
    assert (row.state, copies(home.host, letter.data)) == ("done", 0)


def test_an_answer_waits_for_its_own_generation_and_no_other(home: Home) -> None:
    first, second = plant(home.host, stored()), plant(home.host, stored())
    home.look()
    home.answer(home.row_of(first.file), "once")
    generation = Wishes.current()
    home.answer(home.row_of(second.file), "once")
    HostRow.objects.update(applied=generation - 1)
    home.look()
    assert {row.state for row in HeldLetter.objects.all()} == {"waiting"}
    HostRow.objects.update(applied=generation)
    home.look()
    assert (home.row_of(first.file).state, home.row_of(second.file).state) == ("done", "waiting")


def test_what_the_host_cannot_do_waits_with_a_sentence_and_is_tried_again(home: Home) -> None:
    letter = plant(home.host, stored())
    home.look()
    row = home.row_of(letter.file)
    home.answer(row, "once")
    home.settle()
    folder = home.host.layout.mail / KEY
    folder.rename(aside := folder.with_name("aside"))
    try:
        assert waits(home, row)
        assert row.outcome == answers.NOT_NOW
    finally:
        aside.rename(folder)
    home.look()
    assert copies(home.host, letter.data) == 1
    assert list(found(home.host, letter.data)) != [INBOX], "what failed is tried again less often"
    assert not waits(home, row)
    assert list(found(home.host, letter.data)) == [INBOX]


def test_without_the_helper_it_waits_and_goes_on_at_once_when_it_is_back(home: Home) -> None:
    letter = plant(home.host, stored())
    home.look()
    row = home.row_of(letter.file)
    home.answer(row, "once")
    home.settle()
    helper = home.host.layout.helper
    helper.rename(aside := helper.with_name("aside.sock"))
    try:
        assert waits(home, row)
    finally:
        aside.rename(helper)
    home.look()
    row.refresh_from_db()
    assert (row.state, row.outcome) == ("done", answers.DELIVERED)
    assert list(found(home.host, letter.data)) == [INBOX]


class Died(BaseException):
    """A worker was killed."""


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_worker_that_died_after_the_host_had_done_it_says_so(
    home: Home, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = plant(home.host, stored()).file if way == "in" else home.send(STRANGER)
    home.look()
    row = home.row_of(name)
    home.answer(row, "once")
    home.settle()
    real = helper.ask

    def ask_and_die(*words: Any) -> str:
        real(*words)
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(helper, "ask", ask_and_die)
        with pytest.raises(Died):
            home.look()
    row.refresh_from_db()
    assert (row.state, row.outcome) == ("waiting", answers.UNDER_WAY)
    assert not waits(home, row)
    assert (row.state, row.outcome) == ("done", answers.DELIVERED if way == "in" else answers.SENT)


def test_what_somebody_took_away_by_hand_was_not_delivered(home: Home) -> None:
    letter = plant(home.host, stored())
    home.look()
    row = home.row_of(letter.file)
    home.answer(row, "once")
    home.settle()
    letter.path.unlink()
    assert not waits(home, row)
    assert (row.state, row.outcome) == ("gone", "")


def test_a_letter_out_goes_when_everybody_in_it_may_be_written_to(home: Home) -> None:
    """Nonna, and two strangers of whom one is written nowhere in the letter."""
    queue_id = home.send(NONNA, STRANGER, OTHER)
    home.look()
    row = home.row_of(queue_id)
    assert [one.address for one in row.questions.order_by("address")] == [OTHER, STRANGER]
    with wishes(ANNA, "a test"):
        Answer(question=row.questions.get(address=OTHER), choice="once").save()
    home.settle()
    assert waits(home, row)
    assert home.queue_of(queue_id) == "hold"
    with wishes(ANNA, "a test"):
        home.allow(STRANGER)
        Answer(question=row.questions.get(address=STRANGER), choice="always").save()
    assert waits(home, row)
    assert home.queue_of(queue_id) == "hold"
    home.settle()
    assert not waits(home, row)
    assert (row.state, row.outcome) == ("done", answers.SENT)
    assert home.went(queue_id)
    tried = [f"{queue_id}: to=<{recipient}>" for recipient in (NONNA, STRANGER, OTHER)]
    wait_for(lambda: all(line in home.host.log() for line in tried), "all three to be tried")


@pytest.mark.parametrize("choices", [("no", "always"), ("once", "block"), ("no", "no")])
def test_one_no_keeps_the_whole_letter(home: Home, choices: tuple[str, str]) -> None:
    queue_id = home.send(STRANGER, OTHER, NONNA)
    home.look()
    row = home.row_of(queue_id)
    home.answer(row, *choices)
    home.settle()
    assert not waits(home, row)
    assert (row.state, row.outcome) == ("done", answers.REFUSED)
    assert home.queue_of(queue_id) == "hold"
    index(home.row, row.arrived + timedelta(days=30, seconds=1))
    assert home.queue_of(queue_id) == ""


def test_always_without_an_entry_that_lets_it_through_is_not_enough(home: Home) -> None:
    queue_id = home.send(STRANGER)
    home.look()
    row = home.row_of(queue_id)
    home.answer(row, "always")
    home.settle()
    assert waits(home, row)
    assert (row.outcome, home.queue_of(queue_id)) == (answers.NO_LONGER, "hold")


def test_who_was_on_the_list_and_is_no_more_is_asked_about(home: Home) -> None:
    queue_id = home.send(NONNA, STRANGER)
    home.look()
    row = home.row_of(queue_id)
    with wishes(ANNA, "a test"):
        Contact.objects.get(address=NONNA).delete()
    home.answer(row, "once")
    home.settle()
    assert waits(home, row)
    assert (row.outcome, home.queue_of(queue_id)) == (answers.ONE_MORE, "hold")
    with wishes(ANNA, "a test"):
        Answer(question=row.questions.get(address=NONNA), choice="once").save()
    home.settle()
    assert not waits(home, row)
    assert home.went(queue_id)


def test_who_is_blocked_meanwhile_is_not_written_to(home: Home) -> None:
    queue_id = home.send(NONNA, STRANGER)
    home.look()
    row = home.row_of(queue_id)
    with wishes(ANNA, "a test"):
        contact = Contact.objects.get(address=NONNA)
        contact.kind = Contact.Kind.BLOCKED
        contact.save()
    home.answer(row, "once")
    home.settle()
    assert waits(home, row)
    assert (row.outcome, home.queue_of(queue_id)) == (answers.NO_LONGER, "hold")


def test_who_came_onto_the_list_before_anybody_looked_needs_no_answer(home: Home) -> None:
    queue_id = home.send(STRANGER)
    home.allow(STRANGER)
    home.settle()
    home.look()
    assert home.row_of(queue_id).outcome == answers.SENT
    assert home.went(queue_id)


def test_of_two_letters_of_one_stranger_each_is_answered(home: Home) -> None:
    first, second = home.send(STRANGER), home.send(STRANGER)
    home.look()
    home.answer(home.row_of(first), "once")
    home.settle()
    home.look()
    assert (home.row_of(first).state, home.row_of(second).state) == ("done", "waiting")
    assert home.queue_of(second) == "hold"


def test_a_letter_within_the_family_is_released_with_its_facts(home: Home) -> None:
    """To Luca as well, whose letters are looked at: the facts about it are still in it."""
    queue_id = home.send(STRANGER, LUCA, body="with a stranger")
    home.look()
    home.answer(home.row_of(queue_id), "once")
    home.settle()
    home.look()
    wait_for(
        lambda: any(b"with a stranger" in one for one in home.host.letters(KEYS[LUCA])), "the letter in Luca's mailbox"
    )


def test_a_letter_is_tried_with_its_own_sender(home: Home) -> None:
    queue_id = home.send(STRANGER, sender="")
    home.look()
    row = home.row_of(queue_id)
    assert (row.sender, row.login) == ("", EMMA)
    home.answer(row, "once")
    home.settle()
    assert not waits(home, row)
    assert row.state == "done"


def test_answers_are_counted_from_now(home: Home) -> None:
    letter = plant(home.host, stored())
    home.look()
    before = datetime.now(UTC)
    row = home.row_of(letter.file)
    home.answer(row, "no")
    home.settle()
    assert not waits(home, row)
    assert row.ended is not None
    assert row.ended >= before
