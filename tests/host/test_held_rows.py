"""Each letter that waits on the host is a row once, with its question, until it is gone or too old."""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.wishes import wishes
from deploy.host import files, held
from deploy.host.layout import Layout
from deploy.services.held import BY_HAND, index
from domains.models import Mailbox
from policies.models import Contact, Decision, HeldLetter, Question
from reports import decisions
from tests.host.family import ANNA, EMMA, KEYS, LUCA, NONNA, fate, let_in, written
from tests.host.held import KEY, Planted, copies, plant, stored
from tests.host.letters import signed_in
from tests.host.machine import MailHost, wait_for
from tests.host.outside import signed
from tests.host.waiting import STRANGER, Home, at_home

pytestmark = [pytest.mark.daemons, pytest.mark.django_db]
EVIL = "evil@other.test"


@pytest.fixture
def home(mailhost: MailHost, db: None) -> Iterator[Home]:
    with at_home(mailhost) as family:
        yield family


def rows(home: Home) -> list[HeldLetter]:
    """After a look at the host."""
    index(home.row, datetime.now(UTC))
    return list(HeldLetter.objects.order_by("pk"))


def asked(letter: HeldLetter) -> dict[str, str]:
    """The questions of a letter, and what each address looks like."""
    return dict(letter.questions.values_list("address", "like"))


def test_a_letter_of_a_stranger_is_a_row_with_a_question(home: Home) -> None:
    token, raw = written(
        f"From: =?utf-8?q?L=C3=B9?= <{EVIL}>", to=NONNA, body="Ciao Emma,\r\n\r\nhttp://evil.test/ bye"
    )
    let_in(home.host, signed("other.test")(raw), f"bounce@{EVIL.partition('@')[2]}")
    assert fate(home.host, token) == "in-5.stranger"
    (row,) = rows(home)
    assert (row.host, row.direction, row.key, row.state) == ("primary", "in", KEY, "waiting")
    assert (row.station, row.reason, row.name[:15]) == ("in-5", "stranger", "in-5.stranger/n")
    assert (row.sender, row.recipients, row.author, row.called) == ("bounce@other.test", [EMMA], EVIL, "Lù")
    assert (row.client, row.subject, row.excerpt) == ("127.0.0.1", "Ciao", "Ciao Emma, [link] bye")
    assert row.facts["From"] == f"pass {EVIL} dmarc"
    assert row.facts["Links"] == "1"
    assert f"{row.queue_id}: client=" in home.host.log()
    assert abs(row.arrived - datetime.now(UTC)) < timedelta(minutes=1)
    assert row.size > len(raw)
    assert asked(row) == {EVIL: ""}
    assert [one.pk for one in rows(home)] == [row.pk]


def test_the_agent_reads_them_by_itself(home: Home) -> None:
    """Not as these tests, which root runs."""
    letter = plant(home.host, stored())
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\nfrom pathlib import Path\nfrom deploy.host import held, queue\n"
        "from deploy.host.layout import Layout\nlayout = Layout.read(Path(sys.argv[2]))\n"
        "for one in held.found(layout): print(one.name, held.read(layout, one)[1].author)\nprint(queue.waiting(layout))"
    )
    etc = home.host.layout.etc
    done = home.host.run(
        "/usr/bin/python3", "-c", code, str(home.host.code), str(etc / "host.json"), user="mailadmin-agent"
    )
    assert done.stdout.decode() == f"in-5.stranger/new/{letter.file} {EVIL}\n[]\n", done.stderr


@pytest.mark.parametrize(
    ("says", "place", "question"),
    [
        ("malformed", "in-1.malformed", {"": ""}),
        ("fail nonna.rosa@gmail.com dmarc", "in-3.unproven", {NONNA: ""}),
        ("pass nonna.rosa@gmai1.com dmarc", "in-5.stranger", {"nonna.rosa@gmai1.com": NONNA}),
        (
            "pass preside@scuo1a-verdi.edu.it dmarc",
            "in-5.stranger",
            {"preside@scuo1a-verdi.edu.it": "@scuola-verdi.edu.it"},
        ),
        ("pass evil@other.test dmarc", "in-2.blocked", {}),
        ("pass evil@other.test dmarc", "in-5.spam", {}),
        ("pass evil@other.test dmarc", "in-6.content", {EVIL: ""}),
    ],
)
def test_what_each_letter_asks(home: Home, says: str, place: str, question: dict[str, str]) -> None:
    plant(home.host, stored(says=says), place)
    (row,) = rows(home)
    assert asked(row) == question
    assert row.silent == (not question)
    assert (row.station, row.reason) == tuple(place.split("."))


def test_an_entry_for_letters_that_go_out_is_nobody_to_look_like(home: Home) -> None:
    home.allow("tante@outside.example", direction=Contact.Direction.OUT)
    plant(home.host, stored(says="pass tarte@outside.example dmarc"))
    (row,) = rows(home)
    assert asked(row) == {"tarte@outside.example": ""}


def test_a_letter_for_a_mailbox_that_is_no_more_is_a_row_all_the_same(home: Home) -> None:
    letter = plant(home.host, stored(), key=KEYS[LUCA])
    (row,) = rows(home)
    assert row.key == letter.key
    other = plant(home.host, b"no lines of ours\n\nhi")
    assert {one.name.rpartition("/")[2] for one in rows(home)} == {letter.file, other.file}


def test_a_letter_that_cannot_be_read_keeps_nobody_from_the_others(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when its rights were changed by hand; root, who runs these tests, could read it all the same."""
    broken, whole = plant(home.host, stored(), age=7200), plant(home.host, stored())
    real = held.read

    def read(layout: Layout, one: held.Held) -> object:
        if one.file == broken.file:
            raise PermissionError("not for you")
        return real(layout, one)

    monkeypatch.setattr(held, "read", read)
    queue_id = home.send(STRANGER)
    assert {row.name.rpartition("/")[2] for row in rows(home)} == {whole.file, queue_id}
    monkeypatch.undo()
    assert len(rows(home)) == 3


@pytest.mark.parametrize("local", ['"a b"', '"a\tb"', '"q\\"x"', '"a@b"', '"<x>"', "=?x?=", "a%b", "'"])
def test_a_letter_to_an_odd_address_waits_and_goes_like_any_other(home: Home, local: str) -> None:
    _token, raw = written(f"From: {EMMA}", to=NONNA)
    with signed_in(home.host.layout, EMMA) as dialogue:
        dialogue.mail(EMMA)
        assert dialogue.docmd(f"RCPT TO:<{local}@outside.example>")[0] == 250
        queue_id = dialogue.data(raw)[1].decode().rpartition(" ")[2]
    (row,) = rows(home)
    assert (row.name, row.questions.count()) == (queue_id, 1)
    home.answer(row, "once")
    home.settle()
    home.look()
    assert home.row_of(queue_id).state == "done"
    assert home.went(queue_id)


def test_looking_again_costs_the_same_however_many_wait(home: Home) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            rows(home)
        return len(found)

    plant(home.host, stored())
    rows(home)
    few = queries()
    for _number in range(8):
        plant(home.host, stored())
    rows(home)
    assert queries() == few
    assert Question.objects.count() == 9


def test_what_vanishes_is_gone_with_what_is_private(home: Home) -> None:
    letter = plant(home.host, stored())
    rows(home)
    letter.path.unlink()
    (row,) = rows(home)
    assert (row.state, row.subject, row.excerpt, row.called) == ("gone", "", "", "")
    assert (row.author, row.size) == (EVIL, len(letter.data))


def aged(letter: Planted, days: float) -> None:
    """As if it had come so many days ago."""
    stamp = time.time() - days * 86_400
    os.utime(letter.path, (stamp, stamp))


def test_after_thirty_days_only_a_row_is_left(home: Home) -> None:
    old, young = plant(home.host, stored()), plant(home.host, stored())
    aged(old, 30.1)
    aged(young, 29.9)
    first, second = rows(home)
    assert (copies(home.host, old.data), copies(home.host, young.data)) == (0, 1)
    assert (first.state, first.excerpt, "Subject" in first.facts, second.state) == ("expired", "", False, "waiting")
    assert first.ended is not None
    assert [one.state for one in rows(home)] == ["expired", "waiting"]


def test_without_the_helper_an_old_letter_stays_until_it_is_back(home: Home) -> None:
    letter = plant(home.host, stored())
    aged(letter, 31)
    helper = home.host.layout.helper
    helper.rename(aside := helper.with_name("aside.sock"))
    try:
        (row,) = rows(home)
        assert (row.state, copies(home.host, letter.data)) == ("waiting", 1)
    finally:
        aside.rename(helper)
    (row,) = rows(home)
    assert (row.state, copies(home.host, letter.data)) == ("expired", 0)


def test_a_letter_that_is_held_again_is_another_one(home: Home) -> None:
    letter = plant(home.host, stored())
    rows(home)
    assert held.deliver(home.host.layout, KEY, f"in-5.stranger/new/{letter.file}") == "held in-5.stranger"
    first, second = rows(home)
    assert (first.state, second.state, second.arrived) == ("gone", "waiting", first.arrived)
    assert asked(second) == {EVIL: ""}


def test_an_outgoing_letter_asks_about_each_stranger_it_is_to(home: Home) -> None:
    queue_id = home.send(NONNA, STRANGER, ANNA, "other@outside.example", "nonna.roza@gmail.com")
    (row,) = rows(home)
    assert (row.direction, row.key, row.name, row.queue_id) == ("out", KEY, queue_id, queue_id)
    assert (row.station, row.reason, row.login, row.author) == ("out-2", "stranger", EMMA, EMMA)
    assert (row.sender, row.client, row.subject, row.excerpt) == (EMMA, "127.0.0.1", "Ciao", "Ciao!")
    assert row.recipients == [NONNA, STRANGER, ANNA, "other@outside.example", "nonna.roza@gmail.com"]
    assert asked(row) == {STRANGER: "", "other@outside.example": "", "nonna.roza@gmail.com": NONNA}
    assert [one.pk for one in rows(home)] == [row.pk]
    assert home.queue_of(queue_id) == "hold"


def test_what_somebody_holds_by_hand_is_none_of_ours(home: Home) -> None:
    queue_id = home.send(STRANGER, login=ANNA, sender=ANNA)
    wait_for(lambda: home.queue_of(queue_id) == "deferred", "Anna's letter to wait")
    home.host.run("postsuper", "-c", str(home.host.layout.postfix), "-h", queue_id)
    (row,) = rows(home)
    assert (row.key, row.state, row.outcome, row.excerpt, asked(row)) == ("", "done", BY_HAND, "", {})
    index(home.row, datetime.now(UTC) + timedelta(days=40))
    assert home.queue_of(queue_id) == "hold"
    home.host.run("postsuper", "-c", str(home.host.layout.postfix), "-d", queue_id)


def test_an_outgoing_letter_ends_after_thirty_days_or_when_it_is_gone(home: Home) -> None:
    old, gone = home.send(STRANGER), home.send(STRANGER)
    rows(home)
    row = home.row_of(old)
    index(home.row, row.arrived + timedelta(days=29))
    assert home.queue_of(old) == "hold"
    home.host.run("postsuper", "-c", str(home.host.layout.postfix), "-d", gone)
    index(home.row, row.arrived + timedelta(days=30, seconds=5))
    assert (home.queue_of(old), home.row_of(old).state) == ("", "expired")
    assert home.row_of(gone).state in ("gone", "expired")


def test_the_letters_of_somebody_who_is_suspended_wait_too(home: Home) -> None:
    queue_id = home.send(STRANGER)
    with wishes("a test", "test"):
        box = Mailbox.objects.get(address=EMMA)
        box.active = False
        box.save()
    home.settle()
    (row,) = rows(home)
    assert (row.name, row.key) == (queue_id, KEY)


def test_while_somebody_is_at_it_nobody_waits(home: Home) -> None:
    plant(home.host, stored())
    with files.locked(home.host.layout.root / ".held"):
        home.look()
        assert not HeldLetter.objects.exists()
    home.look()
    assert HeldLetter.objects.count() == 1


def test_what_was_decided_of_letters_is_a_row_each(home: Home) -> None:
    log, start = home.host.layout.verdict_log, datetime.now(UTC) - timedelta(seconds=2)
    decisions.follow("primary", log, datetime.now(UTC))  # what other tests sent before
    Decision.objects.all().delete()
    token, raw = written(f"From: {EVIL}")
    let_in(home.host, signed("other.test")(raw), EVIL, (EMMA, ANNA, LUCA))
    assert fate(home.host, token) == "in-5.stranger"
    assert fate(home.host, token, LUCA) == fate(home.host, token, ANNA) == "deliver"
    decisions.follow("primary", log, datetime.now(UTC))
    found = {row.key: row for row in Decision.objects.all()}
    assert found.keys() == {KEY, KEYS[LUCA]}
    emma, luca = found[KEY], found[KEYS[LUCA]]
    assert (emma.verdict, emma.station, emma.reason, emma.author) == ("hold", "in-5", "stranger", EVIL)
    assert (emma.proof, emma.entry, luca.verdict, luca.station) == ("pass/dmarc", "*", "deliver", "in-8")
    assert start < emma.when < datetime.now(UTC) + timedelta(seconds=1)
    assert f"{emma.queue_id}: client=" in home.host.log()
