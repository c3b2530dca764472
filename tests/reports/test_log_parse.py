"""One line of the log, whatever is in it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from reports.parse import Clock, Delivered, Event, Held, Named, Opened, Queued, Rejected, Removed, events, parse

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
AT = datetime(2026, 11, 22, 13, 2, 14, tzinfo=UTC)
ID = "4jXVLL50s7zJbjm"
WITH_LOGIN = f"{ID}: client=localhost[127.0.0.1], sasl_method=PLAIN, sasl_username=anna@myfamily.net"
TO_EMMA = f"{ID}: to=<emma@myfamily.net>, relay=procmail, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (yes)"
AT_THE_END = "milter-reject: END-OF-MESSAGE from localhost[127.0.0.1]:"
LATER = "Service unavailable - try again later; from=<a@b.example> proto=ESMTP helo=<x>"
PROBED = "Service unavailable - try again later; from=<> proto=ESMTP helo=<probe.invalid>"
TRIGGERS = "Recipient address stranger; from=<e@m.net> to=<y@z.example> proto=ESMTP helo=<laptop>"
DOOR = "[12]"


def read(process: str, text: str, prefix: str = "Nov 22 13:02:14 mx ") -> Event | None:
    return parse(f"{prefix}{process}[12]: {text}".encode(), Clock(NOW, UTC))


@pytest.mark.parametrize(
    ("process", "text", "event"),
    [
        ("postfix/submission/smtpd", WITH_LOGIN, Opened(AT, ID, "anna@myfamily.net", DOOR)),
        (
            "postfix-private/submission/smtpd",
            WITH_LOGIN + ", sasl_sender=x y",
            Opened(AT, ID, "anna@myfamily.net", DOOR),
        ),
        ("postfix/smtpd", f"{ID}: client=unknown[192.0.2.7]", Opened(AT, ID, "", DOOR)),
        ("postfix/smtpd", "4ABC12: client=unknown[192.0.2.7]", Opened(AT, "4ABC12", "", DOOR)),
        ("postfix/pickup", f"{ID}: uid=0 from=<root>", Opened(AT, ID, "")),
        (
            "postfix/qmgr",
            f"{ID}: from=<a@b.example>, size=276, nrcpt=3 (queue active)",
            Queued(AT, ID, 276, "a@b.example"),
        ),
        ("postfix/qmgr", f"{ID}: from=<>, size=276, nrcpt=3 (queue active)", Queued(AT, ID, 276)),
        ("postfix/qmgr", f"{ID}: removed", Removed(AT, ID)),
        ("postfix/cleanup", f"{ID}: message-id=<A$b@x.example>", Named(AT, ID, "A$b@x.example")),
        ("postfix/cleanup", f"{ID}: message-id=<a b@x.example>", None),
        ("postfix/cleanup", f"{ID}: message-id=<{'a' * 251}>", None),
        ("postfix/cleanup", f"{ID}: message-id=", None),
        (
            "postfix/pipe",
            TO_EMMA,
            Delivered(AT, ID, "emma@myfamily.net", True, "sent", "", "procmail", 1, "2.0.0", "yes"),
        ),
        (
            "postfix/pipe",
            f"{ID}: to=<Emma+Game@MyFamily.net>, orig_to=<kids@myfamily.net>, relay=procmail, delay=5.2, "
            "delays=5.2/0/0/0, dsn=4.3.0, status=deferred (temporary failure. Command output: x )",
            Delivered(
                AT,
                ID,
                "emma+game@myfamily.net",
                True,
                "deferred",
                "kids@myfamily.net",
                "procmail",
                5.2,
                "4.3.0",
                "temporary failure. Command output: x ",
            ),
        ),
        (
            "postfix/smtp",
            f"{ID}: to=<x@y.example>, relay=y.example[192.0.2.1]:25, conn_use=2, delay=1, delays=0/0/0/1, dsn=5.1.1, "
            "status=bounced (host y.example[192.0.2.1] said: 550 no (in reply to RCPT TO command))",
            Delivered(
                AT,
                ID,
                "x@y.example",
                False,
                "bounced",
                "",
                "y.example[192.0.2.1]:25",
                1,
                "5.1.1",
                "host y.example[192.0.2.1] said: 550 no (in reply to RCPT TO command)",
                outside=True,
            ),
        ),
        ("postfix/smtpd", "NOQUEUE: reject: RCPT from unknown[192.0.2.7]: 550 5.1.1 <x@y>: no", Rejected(AT)),
        ("postfix/smtpd", f"{ID}: reject: RCPT from unknown[192.0.2.7]: 550 5.1.1 <x@y>: no", Rejected(AT)),
        (
            "postfix/smtpd",
            f"{ID}: reject: RCPT from unknown[192.0.2.7]: 450 4.2.2 <x@y>: full",
            Rejected(AT, later=True, why="full", whose="x@y"),
        ),
        (
            "postfix/smtpd",
            f"NOQUEUE: milter-reject: MAIL from x[192.0.2.7]: 451 4.7.1 {LATER}",
            Rejected(AT, later=True),
        ),
        ("postfix/smtpd", f"{ID}: milter-reject: RCPT from x[192.0.2.7]: 451 4.7.1 {LATER}", Rejected(AT, later=True)),
        ("postfix/cleanup", f"{ID}: {AT_THE_END} 4.7.1 {LATER}", Rejected(AT, ID, later=True)),
        (
            "postfix/submission/cleanup",
            f"{ID}: {AT_THE_END} 5.7.1 a@x may not write as y@z; …",
            Rejected(AT, ID, why="spoofed", whose="a@x"),
        ),
        (
            "postfix/submission/smtpd",
            f"{ID}: hold: RCPT from x[::1]: <y@z.example>: {TRIGGERS}",
            Held(AT, ID, DOOR),
        ),
        (
            "postfix/submission/smtpd",
            f"NOQUEUE: hold: RCPT from x[::1]: <y@z.example>: {TRIGGERS}",
            Held(AT, "", DOOR),
        ),
        ("postfix/postsuper", f"{ID}: removed", Removed(AT, ID)),
    ],
)
def test_it_reads_every_record(process: str, text: str, event: Event) -> None:
    assert read(process, text) == event


@pytest.mark.parametrize(
    ("process", "text"),
    [
        ("postfix/smtpd", "connect from localhost[127.0.0.1]"),
        ("postfix/smtpd", "NOQUEUE: client=unknown[192.0.2.7]"),
        ("postfix/smtpd", "NOQUEUE: reject: VRFY from unknown[192.0.2.7]: 550 5.1.1 <x@y>: no"),
        ("postfix/smtpd", f"warning: {WITH_LOGIN}"),
        ("postfix/smtpd", f"warning: non-SMTP command from a[192.0.2.7]: {WITH_LOGIN}"),
        ("postfix/cleanup", f"{ID}: message-id=<{WITH_LOGIN}>"),
        ("postfix/cleanup", TO_EMMA),
        ("postfix/xpipe", TO_EMMA),
        ("postfix/pipex", TO_EMMA),
        ("dovecot", TO_EMMA),
        ("notpostfix/pipe", TO_EMMA),
        ("postfix/a/b/c/pipe", TO_EMMA),
        ("postfix/qmgr", f"{ID}: from=<a@b.example>, status=expired, returned to sender"),
        ("postfix/qmgr", f"{ID}: removed by hand"),
        ("postfix/qmgr", f"<script>{ID}: removed"),
        ("postfix/qmgr", "removed: removed"),
        ("postfix/pipe", TO_EMMA.replace("status=sent", "status=SENT")),
        ("postfix/smtpd", "NOQUEUE: reject: RCPT from localhost[127.0.0.1]: 554 5.7.1 <f00@probe.invalid>: live; x"),
        ("postfix/smtpd", f"NOQUEUE: milter-reject: MAIL from localhost[127.0.0.1]: 451 4.7.1 {PROBED}"),
        ("postfix/smtpd", f"NOQUEUE: milter-reject: CONNECT from x[192.0.2.7]: 451 4.7.1 {LATER}"),
        ("postfix/smtpd", f"NOQUEUE: milter-reject: EHLO from x[192.0.2.7]: 451 4.7.1 {LATER}"),
        ("postfix/smtpd", f"{ID}: {AT_THE_END} 5.7.1 no"),
        ("postfix/cleanup", f"{ID}: milter-reject: RCPT from x[192.0.2.7]: 5.7.1 no"),
        ("postfix/cleanup", f"{ID}: message-id=<milter-reject: END-OF-MESSAGE from x: 5.7.1 >"),
        ("postfix/cleanup", f"NOQUEUE: {AT_THE_END} 5.7.1 no"),
        ("postfix/cleanup", f"{ID}: {AT_THE_END} no"),
        ("postfix/cleanup", f"{ID}: removed"),
    ],
)
def test_what_looks_like_a_record_is_none(process: str, text: str) -> None:
    assert read(process, text) is None


def test_a_stranger_who_names_the_probe_is_still_refused() -> None:
    assert read("postfix/smtpd", "NOQUEUE: reject: RCPT from a[192.0.2.7]: 554 5.7.1 <f@probe.invalid>: x") is not None


def test_a_record_begins_at_the_start_of_its_line() -> None:
    assert read("postfix/qmgr", f"{ID}: removed", prefix=" Nov 22 13:02:14 mx ") is None
    assert read("postfix/qmgr", f"{ID}: removed", prefix="x Nov 22 13:02:14 mx ") is None
    assert read("postfix/qmgr", f"{ID}: removed", prefix="Nov 22 13:02:14 mx forged ") is None
    assert parse(b"x\nNov 22 13:02:14 mx postfix/qmgr[12]: 4ABC12: removed", Clock(NOW, UTC)) is None


@pytest.mark.parametrize(
    "forged",
    [
        "emma+>, relay=procmail, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (x",
        "emma+>, orig_to=<luca@myfamily.net>, relay=x, delay=0, delays=0/0/0/0, dsn=2.0.0, status=bounced (x",
        'emma+\\"@myfamily.net>, relay=procmail, delay=0, delays=0/0/0/0, dsn=2.0.0, status=bounced (',
        "emma+\\\\",
    ],
)
def test_a_quoted_local_part_does_not_end_before_its_quote(forged: str) -> None:
    event = read("postfix/pipe", TO_EMMA.replace("emma@", f'"{forged}"@'))
    assert isinstance(event, Delivered)
    assert event.status == "sent"
    assert event.recipient.startswith("emma+")
    assert event.recipient.endswith("@myfamily.net")


def test_the_answer_of_a_strangers_server_changes_nothing() -> None:
    answer = f"host said: 550 x), status=sent (\r {TO_EMMA}"
    text = TO_EMMA.replace("relay=procmail", "relay=procmail[192.0.2.1]:25").replace(
        "sent (yes)", f"bounced ({answer})"
    )
    event = read("postfix/smtp", text)
    assert isinstance(event, Delivered)
    assert event[:5] == (AT, ID, "emma@myfamily.net", False, "bounced")
    assert (event.relay, event.reply) == ("procmail[192.0.2.1]:25", answer.replace("\r", "?"))


def test_what_a_server_says_is_kept_as_it_can_be_seen() -> None:
    raw = f"Nov 22 13:02:14 mx postfix/smtp[12]: {TO_EMMA.replace('sent (yes)', 'bounced (')}".encode()
    event = parse(raw + b"a\x00b\xff\x1b[2J\xe2\x80\xae<script>" + b"x" * 999, Clock(NOW, UTC))
    assert isinstance(event, Delivered)
    assert event.reply[:24] == "a?b\ufffd?[2J?<script>xxxxxxx"[:24]
    assert len(event.reply) <= 300


def test_the_size_is_the_one_postfix_wrote() -> None:
    sender = '"a>, size=9, nrcpt=1 (queue active) "@out.example'
    assert read("postfix/qmgr", f"{ID}: from=<{sender}>, size=276, nrcpt=3 (queue active)") == Queued(
        AT, ID, 276, "a>, size=9, nrcpt=1 (queue active) @out.example"
    )


@pytest.mark.parametrize("login", ["an na@x", "anna@x,y", "", "x" * 400, "\x00"])
def test_a_login_that_is_none_leaves_the_letter_nobodys(login: str) -> None:
    event = read("postfix/smtpd", f"{ID}: client=localhost[127.0.0.1], sasl_method=PLAIN, sasl_username={login}")
    assert event is None or event == Opened(AT, ID, "", DOOR)


def test_a_helo_cannot_add_a_login() -> None:
    assert read("postfix/smtpd", f"{ID}: client=x, sasl_username=anna@myfamily.net[192.0.2.7]") == Opened(
        AT, ID, "", DOOR
    )


@given(st.binary(max_size=400))
def test_any_bytes_are_an_event_or_none(data: bytes) -> None:
    clock = Clock(NOW, UTC)
    assert list(events(data, clock)) == [e for e in (parse(one, clock) for one in data.split(b"\n")) if e]


PIECES = ["Nov 22 13:02:14 mx ", "Feb 30 25:61:61 mx ", "postfix/pipe[1]: ", "postfix/qmgr[1]: ", "postfix/smtpd[1]: "]
PIECES += ["postfix/cleanup[1]: "]
PIECES += [
    f"{ID}: ",
    "4ABC12: ",
    "NOQUEUE: ",
    "to=<",
    '"',
    "\\",
    "emma@x.y",
    ">",
    ", relay=procmail",
    ", delay=1",
    "\n",
]
PIECES += [
    ", delays=1/1/1/1",
    ", dsn=2.0.0",
    ", status=sent (",
    "removed",
    "from=<",
    ", size=1, nrcpt=1 (queue active)",
]
PIECES += [
    "client=a",
    ", sasl_method=x, sasl_username=a@b",
    "reject: RCPT from ",
    "milter-",
    "END-OF-MESSAGE from x: 5.7.1 ",
    "hold: ",
    "é",
    "\r",
    "\x00",
    "<script>",
    "\u202e",
]


@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_pieces_of_records_in_any_order_crash_nothing(pieces: list[str]) -> None:
    data, clock = "".join(pieces).encode(), Clock(NOW, UTC)
    assert list(events(data, clock)) == [e for e in (parse(one, clock) for one in data.split(b"\n")) if e]


@pytest.mark.parametrize("filler", [b"x", b'"', b"\\", b"<", b", size=1, nrcpt=1 (queue active)", b'"\\'])
@pytest.mark.timeout(10)
def test_a_line_of_a_megabyte_is_quickly_nothing(filler: bytes) -> None:
    for head in (
        b"qmgr[1]: 4ABC12: from=<",
        b"pipe[1]: 4ABC12: to=<",
        b'pipe[1]: 4ABC12: to=<"',
        b"smtpd[1]: 4ABC12: client=",
        b"smtpd[1]: NOQUEUE: milter-reject: MAIL from x",
        b"cleanup[1]: 4ABC12: milter-reject: END-OF-MESSAGE from x",
    ):
        line = b"Nov 22 13:02:14 mx postfix/" + head + filler * (1_000_000 // len(filler))
        assert parse(line, Clock(NOW, UTC)) is None


@pytest.mark.parametrize(
    ("stamp", "now", "expected"),
    [
        ("Dec 31 23:59:59", "2027-01-01T00:00:05", "2026-12-31T23:59:59"),
        ("Jan  1 00:00:01", "2027-01-01T00:00:05", "2027-01-01T00:00:01"),
        ("Jan  1 00:00:01", "2026-12-31T23:59:55", "2027-01-01T00:00:01"),  # our clock is a little behind
        ("Nov 22 14:00:00", "2026-11-22T13:30:00", "2026-11-22T14:00:00"),  # the clock was set back
        ("Nov 24 14:00:00", "2026-11-22T13:30:00", "2025-11-24T14:00:00"),
        ("Feb 29 12:00:00", "2026-11-22T13:30:00", "2024-02-29T12:00:00"),
        ("Jun 30 23:59:60", "2026-11-22T13:30:00", "2026-07-01T00:00:00"),  # a leap second
    ],
)
def test_the_year_is_the_latest_that_is_not_ahead(stamp: str, now: str, expected: str) -> None:
    event = parse(f"{stamp} mx postfix/qmgr[1]: 4ABC12: removed".encode(), Clock(utc(now), UTC))
    assert event is not None
    assert event.at == utc(expected)


@pytest.mark.parametrize("stamp", ["Feb 30 12:00:00", "Xyz 12 12:00:00", "Nov 22 24:00:00", "Nov 00 12:00:00"])
def test_a_day_that_does_not_exist_is_no_event(stamp: str) -> None:
    assert parse(f"{stamp} mx postfix/qmgr[1]: 4ABC12: removed".encode(), Clock(NOW, UTC)) is None


@pytest.mark.parametrize(
    ("stamp", "now", "expected"),
    [
        ("Jul  1 12:00:00", "2026-11-22T13:30:00", "2026-07-01T10:00:00"),
        ("Nov 22 12:00:00", "2026-11-22T13:30:00", "2026-11-22T11:00:00"),
        ("Oct 25 02:30:00", "2026-10-25T00:30:01", "2026-10-25T00:30:00"),  # the first of the two hours, as it passes
        ("Oct 25 02:30:00", "2026-10-25T01:30:01", "2026-10-25T01:30:00"),  # the second
        ("Mar 29 03:00:00", "2026-03-29T01:00:05", "2026-03-29T01:00:00"),
    ],
)
def test_the_hour_is_the_machines_own(stamp: str, now: str, expected: str) -> None:
    clock = Clock(utc(now), ZoneInfo("Europe/Rome"))
    event = parse(f"{stamp} mx postfix/qmgr[1]: 4ABC12: removed".encode(), clock)
    assert event is not None
    assert event.at == utc(expected)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
