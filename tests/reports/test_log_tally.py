"""What is counted, and for whom."""

import gc
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from reports.parse import Clock, Event, events
from reports.tally import Count, Letter, Tally, mailbox_address, tally
from tests.reports.lines import active, delivered, line, sent

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
AT = datetime(2026, 11, 22, 13, 2, 14, tzinfo=UTC)
EMMA, LUCA, ANNA = "emma@myfamily.net", "luca@myfamily.net", "anna@myfamily.net"
ONE = "4jXVLL50s7zJbjm"
REAL_LOG = Path(__file__).with_name("postfix-3.7.log")


def read(*lines: bytes) -> list[Event]:
    return list(events(b"".join(lines), Clock(NOW, UTC)))


def counted(*lines: bytes) -> dict[tuple[str, str], tuple[int, int]]:
    return by_name(tally({}, read(*lines)))


def by_name(result: Tally) -> dict[tuple[str, str], tuple[int, int]]:
    return {(slot.address, slot.column): (count.letters, count.bytes) for slot, count in result.counts.items()}


def test_a_letter_between_two_people_is_one_out_and_one_in() -> None:
    assert counted(sent(AT, ONE, ANNA, EMMA)) == {
        (name, column): (1, size)
        for who, column, size in [
            (ANNA, "sent", 1000), (EMMA, "received", 1000), (EMMA, "home", 1000), (EMMA, "quick", 0),
        ]
        for name in (who, "")
    }  # fmt: skip


def test_an_alias_of_two_people_counts_one_for_each() -> None:
    result = counted(sent(AT, ONE, ANNA, EMMA, LUCA))
    assert result[ANNA, "sent"] == (1, 1000)
    assert (result[EMMA, "received"], result[LUCA, "received"], result["", "received"]) == (
        (1, 1000),
        (1, 1000),
        (2, 2000),
    )


def test_an_extension_belongs_to_its_mailbox() -> None:
    assert (EMMA, "received") in counted(sent(AT, ONE, ANNA, "emma+game+more@myfamily.net"))
    assert mailbox_address("emma+a@b@myfamily.net") == EMMA


def test_a_retry_is_not_sent_again_and_a_late_letter_is_late_once() -> None:
    login = line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={ANNA}")
    again = [active(AT, ONE), delivered(AT, ONE, "x@out.example", "deferred", "smtp")] * 3
    assert counted(login, *again) == {
        (name, column): (1, 1000) for name in (ANNA, "") for column in ("sent", "abroad", "deferred")
    }


def test_a_bounce_and_a_refusal_are_the_hosts() -> None:
    refused = line(AT, "smtpd", "NOQUEUE: reject: RCPT from x[192.0.2.7]: 550 5.1.1 <x@y>: no")
    assert counted(refused, active(AT, ONE), delivered(AT, ONE, "x@out.example", "bounced", "smtp")) == {
        ("", "rejected"): (1, 0), ("", "bounced"): (1, 1000)
    }  # fmt: skip


def test_a_letter_that_never_entered_the_queue_is_not_sent() -> None:
    login = line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={ANNA}")
    assert counted(login) == {}


@pytest.mark.parametrize(("code", "direction"), [("5.7.1", "rejected"), ("4.7.1", "deferred")])
def test_a_letter_that_the_filter_refuses_is_over(code: str, direction: str) -> None:
    login = line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={ANNA}")
    said = line(AT, "submission/cleanup", f"{ONE}: milter-reject: END-OF-MESSAGE from a[127.0.0.1]: {code} no; x")
    result = tally({}, read(login, said))
    assert by_name(result) == {("", direction): (1, 0)}
    assert result.letters == {}


def test_who_is_told_to_come_back_is_not_refused() -> None:
    full = line(AT, "smtpd", "NOQUEUE: reject: RCPT from x[192.0.2.7]: 452 4.2.2 <x@y>: full")
    down = line(AT, "smtpd", "NOQUEUE: milter-reject: MAIL from x[192.0.2.7]: 451 4.7.1 try again later; x")
    assert counted(full, down) == {("", "deferred"): (2, 0), ("", "full"): (1, 0), ("x@y", "full"): (1, 0)}


def test_a_letter_that_waits_for_leave_is_sent_when_it_may_go() -> None:
    login = line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={EMMA}")
    held = line(AT, "submission/smtpd", f"{ONE}: hold: RCPT from a[127.0.0.1]: <x@y.example>: triggers it; x")
    waiting = tally({}, read(login, held, held))
    assert (by_name(waiting), waiting.letters) == (
        {(EMMA, "asked"): (1, 0), ("", "asked"): (1, 0)},
        {ONE: Letter(AT, EMMA, late=True, asked=True)},
    )
    assert tally(waiting.letters, read(line(AT, "postsuper", f"{ONE}: removed"))).letters == {}
    free = [active(AT, ONE), delivered(AT, ONE, "x@out.example", "deferred", "smtp")]
    assert by_name(tally(waiting.letters, read(*free))) == {
        (name, column): (1, 1000) for name in (EMMA, "") for column in ("sent", "abroad", "deferred")
    }


def test_a_letter_whose_first_recipient_asks_waits_before_it_has_an_id() -> None:
    held = line(AT, "submission/smtpd", "NOQUEUE: hold: RCPT from a[127.0.0.1]: <x@y.example>: stranger; x")
    opened = line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={EMMA}")
    waiting = tally({}, read(held, opened))
    assert (by_name(waiting), waiting.letters) == (
        {(EMMA, "asked"): (1, 0), ("", "asked"): (1, 0)},
        {ONE: Letter(AT, EMMA, late=True, asked=True)},
    )
    other = opened.replace(b"[123]:", b"[124]:")
    later = line(AT + timedelta(minutes=11), "submission/smtpd", f"{ONE}: client=a[127.0.0.1]")
    for next_one in (other, later):
        assert "asked" not in {slot.column for slot in tally({}, read(held, next_one)).counts}


def test_an_id_that_is_used_again_is_another_letter() -> None:
    abandoned = line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={ANNA}")
    strangers = line(AT, "smtpd", f"{ONE}: client=x[192.0.2.7]")
    assert counted(abandoned, strangers, active(AT, ONE)) == {}
    assert counted(sent(AT, ONE, ANNA, EMMA) * 2)[ANNA, "sent"] == (2, 2000)


def test_a_letter_whose_beginning_was_not_seen_is_nobodys() -> None:
    for lines, size in (([active(AT, ONE), delivered(AT, ONE, EMMA)], 1000), ([delivered(AT, ONE, EMMA)], 0)):
        assert counted(*lines) == {
            (name, column): (1, of) for name in (EMMA, "") for column, of in (("received", size), ("quick", 0))
        }


def test_hours_are_apart() -> None:
    result = tally({}, read(sent(AT, ONE, ANNA, EMMA), sent(AT + timedelta(hours=1), ONE, ANNA, EMMA)))
    assert {slot.hour for slot in result.counts} == {
        AT.replace(minute=0, second=0),
        AT.replace(hour=14, minute=0, second=0),
    }


def test_a_letter_that_left_is_not_remembered() -> None:
    under_way = line(AT, "smtpd", f"{ONE}: client=x[192.0.2.7]")
    assert tally({}, read(sent(AT, ONE, ANNA, EMMA))).letters == {}
    assert tally({}, read(under_way, active(AT, ONE, 7))).letters == {
        ONE: Letter(AT, "", 7, queued=True, sender="somebody@out.example")
    }


def test_what_it_was_given_stays_as_it_was() -> None:
    given_letters = {ONE: Letter(AT, ANNA)}
    tally(given_letters, read(active(AT, ONE), line(AT, "qmgr", f"{ONE}: removed")))
    assert given_letters == {ONE: Letter(AT, ANNA)}


def test_what_a_piece_took_is_free_without_a_search() -> None:
    found = read(sent(AT, ONE, ANNA, EMMA))
    gc.collect()
    gc.disable()
    try:
        tally({}, found)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_log_that_postfix_wrote() -> None:
    """Ten dialogues, hostile ones among them, counted by hand from what each client was told."""
    result = by_name(tally({}, read(REAL_LOG.read_bytes())))
    assert {name: letters for name, (letters, _bytes) in result.items()} == {
        (ANNA, "sent"): 1,
        (EMMA, "received"): 9,
        (ANNA, "abroad"): 1,
        (ANNA, "bounced"): 1,
        (EMMA, "home"): 1,
        (EMMA, "quick"): 9,
        ("", "sent"): 1,
        ("", "received"): 9,
        ("", "abroad"): 1,
        ("", "home"): 1,
        ("", "quick"): 9,
        ("", "rejected"): 2,
        ("", "bounced"): 2,
        ("", "deferred"): 3,
    }


def test_a_letter_that_is_delivered_was_queued_though_no_line_says_so() -> None:
    """Else a letter that had asked for leave would be stored as dropped, where the log is read in two pieces."""
    opened = line(AT, "smtpd", f"{ONE}: client=a[::1], sasl_method=PLAIN, sasl_username={ANNA}")
    held = line(AT, "smtpd", f"{ONE}: hold: RCPT from x[192.0.2.7]: <x@y.z>: no")
    first = tally({}, read(opened, held, delivered(AT, ONE, EMMA, "sent")))
    second = tally(first.letters, read(line(AT, "qmgr", f"{ONE}: removed")))
    assert second.outcomes == []
    assert by_name(first)[ANNA, "sent"][0] == 1


IDS = st.sampled_from(["4ABC10", "4ABC11", "4ABC12"])
TIMES = st.integers(0, 7200).map(lambda seconds: AT + timedelta(seconds=seconds))
PEOPLE = st.sampled_from([ANNA, EMMA, LUCA])
LINES = st.one_of(
    st.builds(sent, TIMES, IDS, PEOPLE, PEOPLE, size=st.integers(0, 9)),
    st.builds(active, TIMES, IDS, st.integers(0, 9)),
    st.builds(delivered, TIMES, IDS, PEOPLE, st.sampled_from(["sent", "deferred", "bounced"])),
    st.builds(line, TIMES, st.just("qmgr"), IDS.map("{}: removed".format)),
    st.builds(line, TIMES, st.just("smtpd"), IDS.map("{}: client=x[192.0.2.7]".format)),
    st.builds(line, TIMES, st.just("smtpd"), IDS.map("{}: hold: RCPT from x[192.0.2.7]: <x@y.z>: no".format)),
    st.builds(line, TIMES, st.just("smtpd"), st.just("NOQUEUE: hold: RCPT from x[192.0.2.7]: <x@y.z>: no")),
    st.builds(line, TIMES, st.just("cleanup"), IDS.map("{}: milter-reject: END-OF-MESSAGE from x: 5.7.1".format)),
    st.builds(
        line,
        TIMES,
        st.just("smtpd"),
        st.builds("{}: client=a[::1], sasl_method=PLAIN, sasl_username={}".format, IDS, PEOPLE),
    ),
)


@given(st.lists(LINES, max_size=25), st.data())
def test_a_log_in_two_pieces_gives_the_same_totals(lines: list[bytes], data: st.DataObject) -> None:
    found = read(*lines)
    cut = data.draw(st.integers(0, len(found)))
    whole, first = tally({}, found), tally({}, found[:cut])
    second = tally(first.letters, found[cut:])
    assert second.letters == whole.letters
    assert Counter(first.partners) + Counter(second.partners) == Counter(whole.partners)
    assert last_attempts(first, second) == last_attempts(whole)
    for part in range(2):
        sums: Counter[object] = Counter()
        for result in (first, second):
            sums.update({slot: count[part] for slot, count in result.counts.items()})
        assert +sums == +Counter({slot: count[part] for slot, count in whole.counts.items()})


def last_attempts(*pieces: Tally) -> dict[tuple[object, ...], object]:
    """What is stored in the end, of each letter and recipient."""
    rows: dict[tuple[object, ...], object] = {}
    for one in (outcome for piece in pieces for outcome in piece.outcomes):
        for to, last in (one.attempts or {}).items():
            rows[one.queue_id, one.letter.opened, to] = last
        if one.attempts is None:
            rows[one.queue_id, one.letter.opened] = one.letter
    return rows


def login(who: str) -> bytes:
    return line(AT, "submission/smtpd", f"{ONE}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={who}")


def away(to: str, delay: str, status: str = "sent") -> bytes:
    """An attempt at another host."""
    text = f"relay=mx[192.0.2.1]:25, delay={delay}, delays=0/0/0/0, dsn=2.0.0, status={status} (250 Ok)"
    return line(AT, "smtp", f"{ONE}: to=<{to}>, {text}")


def test_a_letter_that_goes_outside_is_abroad_once_and_away_once_for_each() -> None:
    result = counted(login(ANNA), active(AT, ONE), away("x@y.example", "1"), away("z@y.example", "60.5"),
                     away("w@w.example", "900.1"), delivered(AT, ONE, EMMA))  # fmt: skip
    assert {column: letters for (name, column), (letters, _size) in result.items() if name == ANNA} == {
        "sent": 1, "abroad": 1, "away": 3, "quick": 1, "slow": 1
    }  # fmt: skip
    assert (result[EMMA, "home"], result["", "quick"]) == ((1, 1000), (2, 0))


def test_domains_outside_are_counted_by_month() -> None:
    result = tally({}, read(login(ANNA), active(AT, ONE), away("x@y.example", "1"), away("z@y.example", "1"),
                            away("late@y.example", "1", "deferred"), delivered(AT, ONE, EMMA),
                            line(AT, "qmgr", f"{ONE}: removed"),
                            active(AT, ONE), delivered(AT, ONE, "luca+a@myfamily.net")))  # fmt: skip
    assert result.partners == {(202611, ANNA, "y.example", "sent"): 2, (202611, LUCA, "out.example", "received"): 1}


def test_the_null_sender_has_no_domain() -> None:
    null = line(AT, "qmgr", f"{ONE}: from=<>, size=9, nrcpt=1 (queue active)")
    assert tally({}, read(null, delivered(AT, ONE, EMMA))).partners == {}


@pytest.mark.parametrize(
    ("process", "text", "column", "whose"),
    [
        ("smtpd", f"NOQUEUE: reject: RCPT from x[::1]: 553 5.7.1 <{LUCA}>: Sender address rejected: not owned by "
         f"user {EMMA}; from=<{LUCA}> to=<x@y.z> proto=ESMTP helo=<h>", "spoofed", {EMMA}),
        ("smtpd", f"NOQUEUE: reject: RCPT from x[::1]: 553 5.7.1 <a>: Sender address rejected: not owned by "
         f"user {LUCA}; x@y>: Sender address rejected: not owned by user {EMMA}; from=<x>", "spoofed", set()),
        ("cleanup", f"{ONE}: milter-reject: END-OF-MESSAGE from x[::1]: 5.7.1 {EMMA} may not write as {LUCA}; choose",
         "spoofed", {EMMA}),
        ("smtpd", f"NOQUEUE: reject: RCPT from x[::1]: 552 5.2.2 <{EMMA}>: Recipient address rejected: full", "full",
         {EMMA}),
        ("smtpd", "NOQUEUE: reject: RCPT from x[::1]: 554 5.7.1 <\"a>: Sender address rejected: not owned by user "
         "\"@x>: Relay access denied", "rejected", set()),
    ],
)  # fmt: skip
def test_why_a_letter_was_refused(process: str, text: str, column: str, whose: set[str]) -> None:
    by_whom = {(address, column) for address in whose}
    assert set(counted(line(AT, process, text))) == {("", "rejected"), ("", column), *by_whom}


def test_a_letter_that_nobody_let_go_was_dropped() -> None:
    held = line(AT, "submission/smtpd", f"{ONE}: hold: RCPT from a[127.0.0.1]: <x@y.example>: triggers it; x")
    (outcome,) = tally({}, read(login(EMMA), held, line(AT, "postsuper", f"{ONE}: removed"))).outcomes
    assert (outcome.queue_id, outcome.letter, outcome.attempts) == (ONE, Letter(AT, EMMA, late=True, asked=True), None)


@pytest.mark.parametrize("length", [254, 255])
def test_an_address_that_is_too_long_counts_for_the_host(length: int) -> None:
    address = "e" * (length - 14) + "@myfamily.net1"
    result = tally({}, read(delivered(AT, ONE, address)))
    assert {slot.address for slot in result.counts} == ({"", address} if length == 254 else {""})
    assert set(result.counts.values()) == {Count(1, 0)}
