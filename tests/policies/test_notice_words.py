"""What a letter to a parent says, and that nothing a stranger wrote does anything in it."""

import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from policies import notice_words
from policies.notices import Asked, Daily, Letter

PAGE = "http://localhost:8000/waiting/"
ARRIVED, DAILY = datetime(2026, 11, 23, 10, tzinfo=UTC), Daily(18, ZoneInfo("Europe/Rome"))
END = f"""See what waits, and answer:
{PAGE}

Until somebody answers, it all waits; after 30 days it is deleted.

The page asks you to sign in. Nobody reads answers to this letter.
"""


def ask(letter: int, address: str, direction: str = "in", like: str = "", called: str = "", *whose: str) -> Asked:
    return Asked(
        number=letter,
        letter=letter,
        key="".join(whose) or "Emma",
        whose=whose or ("Emma",),
        direction=direction,
        address=address,
        like=like,
        called=called,
        arrived=ARRIVED,
        daily=DAILY,
    )


def told(*news: Asked, digest: bool = False, known: int = 0) -> tuple[str, str]:
    letter = Letter(digest, news, known, 9)
    return notice_words.subject(letter), notice_words.text(letter, "Anna", PAGE)


def test_an_ask():
    subject, text = told(ask(1, "giulia@example.org", "out"), ask(1, "luca@example.org", "out"))
    assert subject == "Emma asks: may I write to somebody new?"
    assert text == (
        "Hello Anna,\n\nEmma would like to write to:\n\n    giulia@example.org\n    luca@example.org\n\n" + END
    )


def test_a_look_alike():
    subject, text = told(ask(1, "nonna.r0sa@gmail.com", like="nonna.rosa@gmail.com", called="Nonna Rosa"))
    assert subject == "Look twice: who is this letter for Emma from?"
    assert text == (
        "Hello Anna,\n\n1 letter for Emma, from:\n\n    nonna.r0sa@gmail.com\n"
        "        Careful: it looks like nonna.rosa@gmail.com, and is not!\n        calls itself: Nonna Rosa\n\n" + END
    )


def test_a_digest():
    luca = ask(5, "karl@xn--mller-kva.de", "in", "", "", "Luca")
    subject, text = told(
        ask(2, "info@shop.example"),
        ask(3, "info@shop.example", called="The Shop"),
        ask(4, ""),
        luca,
        ask(6, "new@friend.example", "out"),
        digest=True,
        known=4,
    )
    assert subject == "5 letters wait for Emma and Luca"
    assert text == (
        "Hello Anna,\n\nEmma would like to write to:\n\n    new@friend.example\n\n"
        "3 letters for Emma, from:\n\n    info@shop.example (2 letters)\n        calls itself: The Shop\n"
        "    (it does not say from whom)\n\n1 letter for Luca, from:\n\n    karl@xn--mller-kva.de (karl@müller.de)\n\n"
        "4 other letters wait that you know of already.\n\n" + END
    )


def test_subjects_of_one_and_of_many():
    assert told(ask(1, "x@y.example"), digest=True)[0] == "1 letter waits for Emma"
    assert told(ask(1, "x@y.example", "in", "", "", "Paolo", "Sara", "Ivo"), digest=True)[0] == (
        "1 letter waits for Ivo and 2 others"
    )
    both = ask(1, "x@y.example", "out"), ask(2, "x@y.example", "out", "", "", "Luca")
    assert told(*both)[0] == "Emma and Luca ask: may we write to somebody new?"
    assert told(ask(1, "x@y.example", "out"), ask(2, "a@b.example", like="a@c.example"))[0] == "2 letters wait for Emma"


def test_a_flood_is_cut_short():
    news = [ask(number, f"x{number}@spam.example") for number in range(1, 101)]
    more = [ask(200 + number, f"y{number}@spam.example", "in", "", "", "Luca") for number in range(10)]
    subject, text = told(*news, *more, digest=True)
    assert subject == "110 letters wait for Emma and Luca"
    assert text.count("@spam.example") == 20
    assert "And 80 more addresses." in text
    assert "And 10 more addresses." in text


@pytest.mark.parametrize(
    ("called", "shown"),
    [
        ("Dr. Gianni Rossi", "Dr Gianni Rossi"),
        ("Zoë O'Brien-Łuk", "Zoë O'Brien-Łuk"),
        ("पूजा", "पूजा"),
        ("Your bank https://evil.example/login", "Your bank https evil example login"),
        ("evil．example\u3002com", "evil example com"),
        ("\u202egro.elpmaxe\u202c\u2066\x1b[31m\x00", "gro elpmaxe 31m"),
        ("Nonna\r\n\r\nClick here", "Nonna Click here"),
        ("x" * 300, "x" * 40 + "…"),
        ("<b>Nonna</b>", "b Nonna b"),
        ("\u200b\u00ad", ""),
    ],
)
def test_what_somebody_calls_himself_is_letters(called: str, shown: str):
    assert notice_words.name(called) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("o'brien+x@example.org", "o'brien+x@example.org"),
        ('"http://evil.example/ click"@x.example', "?http???evil.example??click?@x.example"),
        ("a\u202eb\nc@x.example", "a?b?c@x.example"),
        ("ünï@x.example", "ünï@x.example"),
        (f"{'a' * 64}@{'b' * 63}.example", f"{'a' * 50}…{'b' * 42}.example"),
        ("x@xn--a", "x@xn--a"),
    ],
)
def test_an_address_is_letters_and_signs(address: str, shown: str):
    assert notice_words.address(address) == shown


texts = st.text(max_size=120) | st.text("ab.:/@\n\r\u202e\u2066 <>\x00wtph", max_size=120)


@given(texts, texts, texts, st.sampled_from(["in", "out"]), st.booleans())
def test_whatever_a_stranger_writes_the_letter_keeps_its_shape(address, like, called, direction, digest):
    hostile = ask(1, address, direction, like, called)
    plain = replace(hostile, address=address and "a@b.example", like=like and "c@d.example", called="")
    subject, text = told(hostile, digest=digest)
    assert subject == told(plain, digest=digest)[0]
    calls = [line for line in text.split("\n") if line.startswith("        calls itself: ")]
    assert len(text.split("\n")) == len(told(plain, digest=digest)[1].split("\n")) + len(calls)
    assert text.count("://") == 1
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    assert all(len(line) < 300 for line in text.split("\n"))
