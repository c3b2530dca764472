"""A line of procmail's log is a verdict, or nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from reports.verdicts import LINE, Verdict, moment, verdicts

NOW = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
ID, KEY = "4jZRWv5kv5zJMbZ", "eeeeeeeeeeeeeee1"
HELD = f"queue={ID} box={KEY} hold in-5 stranger evil@other.test pass/dmarc *\n"
CAME = datetime(2026, 11, 25, 17, 30, 3, tzinfo=UTC)


def read(text: str | bytes) -> list[Verdict]:
    return list(verdicts(text.encode() if isinstance(text, str) else text, NOW))


def test_a_letter_that_is_held_and_one_that_goes_in() -> None:
    assert read(HELD) == [
        Verdict(CAME, ID, KEY, "hold", "in-5", "stranger", "evil@other.test", "pass/dmarc", "*"),
    ]
    (one,) = read(f"queue={ID} box={KEY} deliver in-8 - nonna@gmail.com pass/dmarc nonna@gmail.com\n")
    assert (one.verdict, one.station, one.reason, one.entry) == ("deliver", "in-8", "", "nonna@gmail.com")
    (one,) = read(f"queue={ID} box={KEY} hold in-1 malformed - malformed -\n")
    assert (one.reason, one.author, one.proof, one.entry) == ("malformed", "", "malformed", "")


@pytest.mark.parametrize(
    "line",
    [
        HELD[:-1],
        " " + HELD,
        "x" + HELD,
        "procmail: " + HELD,
        HELD.replace(" *", " * x"),
        HELD.replace(" box=", "  box="),
        HELD.replace("hold", "HOLD"),
        HELD.replace("in-5", "in-8"),
        HELD.replace("in-5", "out-2"),
        HELD.replace("stranger", "-"),
        HELD.replace("stranger", "strangers"),
        HELD.replace("evil@other.test", "evil @other.test"),
        HELD.replace("evil@other.test", ""),
        HELD.replace("evil@other.test", "è@other.test"),
        HELD.replace("evil@other.test", "x" * 255),
        HELD.replace("evil", "evil\r"),
        HELD.replace("evil", "evil\0"),
        HELD.replace(KEY, KEY[1:]),
        HELD.replace(KEY, "../" + KEY[3:]),
        HELD.replace(ID, "A1"),
        HELD.replace(ID, "AGAIN"),
        HELD.replace("hold in-5 stranger", "deliver in-8 stranger"),
        HELD.replace("hold in-5 stranger", "deliver in-5 -"),
        f"queue={ID} wait=recipe\n",
        f"queue={ID} box={KEY} wait=held\n",
        'procmail: Program failure (1) of "awk"\n',
        "\n",
    ],
)
def test_whatever_is_not_exactly_ours_is_nothing(line: str) -> None:
    assert read(line) == []
    assert len(read(line + HELD)) == (1 if line.endswith("\n") else 0)


def test_a_stranger_who_writes_a_line_into_his_address_writes_none() -> None:
    author = f"queue={ID}@other.test"
    (one,) = read(HELD.replace("evil@other.test", author))
    assert one.author == author


@given(st.binary(max_size=300))
def test_any_bytes_between_are_nothing(junk: bytes) -> None:
    lines = junk.replace(b"queue=", b"") + b"\n"
    assert read(lines) == []
    assert len(read(lines + HELD.encode())) == 1
    assert not LINE.search(lines)


def test_a_queue_id_says_when_the_letter_came() -> None:
    assert moment(ID, NOW) == CAME
    assert moment(ID, CAME) == CAME
    assert moment(ID, CAME - timedelta(hours=1)) == CAME - timedelta(hours=1), "not in the future"
    assert moment(ID, CAME + timedelta(days=50)) == CAME + timedelta(days=50), "nor too long ago"
    assert moment("zzzzzzzzzzzzzzz", NOW) == moment("0000000000", NOW) == NOW
