"""Which letters are answered while somebody is away (RFC 3834), and what an answer says, whatever the letter says."""

import email.policy
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import given, strategies as st

from deploy.host.replies import Asked, NotAnswered, Words, asked, written

NOW = datetime(2026, 11, 25, 17, 10, tzinfo=UTC)
NONNA, ANNA = "nonna.rosa@gmail.com", "anna@myfamily.net"
FACTS = {
    "From": f"pass {NONNA} dmarc",
    "Reply-To": "none",
    "To": f"{ANNA} marco@myfamily.net",
    "Cc": "luca@myfamily.net",
    "Links": "0",
    "Attachments": "none",
    "List": "none",
    "Auto": "no",
    "Spam": "ham 0.5",
    "Subject": "Domenica a pranzo?",
    "Body": "none",
}
WORDS = Words("Anna", ANNA, "Re: Domenica a pranzo?", "Torno lunedì.\n\nAnna")
RECEIVED = (
    "Received: from mail.gmail.com (mail.gmail.com [192.0.2.9])\n"
    "\tby mail.mailadmin.invalid (Postfix) with ESMTP id 4jZR2h2dKKzJDg0\n"
    f"\tfor <{ANNA}>; Wed, 25 Nov 2026 17:08:12 +0000 (UTC)"
)


def head(*more: str, sender: str = NONNA, received: str = RECEIVED, **changes: str) -> bytes:
    """A head as the dispatcher lays it aside; facts may be changed, `_` stands for `-`."""
    facts: Mapping[str, str] = FACTS | {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [
        f"Return-Path: <{sender}>", f"X-Original-To: {ANNA}", f"Delivered-To: {ANNA}", received,
        f"From: Nonna <{NONNA}>", f"To: {ANNA}", "Message-ID: <1@gmail.com>", *more,
        *(f"X-Mailadmin-{name}: {value}" for name, value in facts.items() if value), "", "",
    ]  # fmt: skip
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def why(raw: bytes, at: datetime = NOW) -> str:
    """Why a letter is not answered; nothing when it is."""
    try:
        asked(raw, at)
    except NotAnswered as reason:
        return str(reason)
    return ""


def read(letter: bytes) -> EmailMessage:
    """An answer as a mail program reads it."""
    assert b"\n" not in letter.replace(b"\r\n", b"")
    assert b"\r" not in letter.replace(b"\r\n", b"")
    assert letter.isascii()
    assert max(map(len, letter.split(b"\r\n"))) < 998
    found = BytesParser(policy=email.policy.default).parsebytes(letter)
    assert isinstance(found, EmailMessage)
    return found


def text_of(mail: EmailMessage) -> str:
    """What it says."""
    return str(mail.get_content()).replace("\r\n", "\n")


def answer(raw: bytes, words: Words = WORDS) -> EmailMessage:
    """The answer to a letter."""
    return read(written(asked(raw, NOW), words, NOW, "<a@myfamily.net>"))


def test_a_persons_letter_is_answered() -> None:
    found = asked(head("References: <x@y.test>\n\t<z@y.test>"), NOW)
    named = (ANNA, "marco@myfamily.net", "luca@myfamily.net")
    assert found == Asked(NONNA, named, "Domenica a pranzo?", "<1@gmail.com>", ("<x@y.test>", "<z@y.test>"))


def test_an_answer_is_from_her_to_the_sender_and_says_that_a_program_wrote_it() -> None:
    mail = answer(head("References: <x@y.test>"))
    assert (mail["From"], mail["To"]) == (f"Anna <{ANNA}>", NONNA)
    assert mail["Subject"] == "Re: Domenica a pranzo?"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert (mail["In-Reply-To"], mail["References"]) == ("<1@gmail.com>", "<x@y.test> <1@gmail.com>")
    assert (mail["Message-ID"], mail["Date"].datetime) == ("<a@myfamily.net>", NOW)
    assert (mail.get_content_type(), text_of(mail)) == ("text/plain", "Torno lunedì.\n\nAnna\n")
    assert not {"Reply-To", "Sender", "Return-Path", "Cc", "Bcc", "X-Mailadmin-From"} & set(mail.keys())


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (head(From=f"none {NONNA} spf:gmail.com"), ""),
        (head(From=f"pass {NONNA} login"), ""),
        (head(sender=NONNA.upper()), ""),
        (head("Auto-Submitted: no"), ""),
        (head(From=f"fail {NONNA} dmarc"), "unproven"),
        (head(From=f"fail {NONNA} login"), "unproven"),
        (head(From=f"temp {NONNA} dmarc"), "unproven"),
        (head(From="malformed"), "unproven"),
        (head(From="report"), "unproven"),
        (head(Auto="yes"), "automatic"),
        (head(List="club.example.org"), "list"),
        (head(List="malformed"), "list"),
        (head(Spam="spam 8.0"), "spam"),
        (head(sender=""), "sender"),
        (head(sender="evil@other.test"), "sender"),
        (head(sender=f"bounces+{NONNA}"), "sender"),
        (head(sender="nonna.rosa+x@gmail.com"), "sender"),
        (head(From="pass evil@other.test dmarc"), "sender"),
        (head("List-Post: <mailto:x@y.test>"), "automatic"),
        (head("list-help : <mailto:x@y.test>"), "automatic"),
        (head("Mailing-List: x"), "automatic"),
        (head("X-Loop: x@y.test"), "automatic"),
        (head("X-Autoreply: yes"), "automatic"),
        (head("Feedback-ID: 1"), "automatic"),
        (head(Auto=""), "facts"),
        (head(From=""), "facts"),
        (head("X-Mailadmin-From: pass evil@other.test dmarc"), "facts"),
        (head("X-Mailadmin-More: x"), "facts"),
        (head(Auto="maybe"), "facts"),
        (head().partition(b"Delivered-To")[2], "envelope"),
        (b"", "facts"),
        (b"\n\n", "facts"),
        (head(received="X: y"), "old"),
        (head(received=RECEIVED.replace("25 Nov 2026 17:08:12", "24 Nov 2026 17:08:12")), "old"),
        (head(received=RECEIVED.replace("Nov 2026", "Nov 2027")), "old"),
        (head(received=RECEIVED.replace("Wed, 25 Nov 2026", "yesterday")), "old"),
        (head("Received: x; Wed, 25 Nov 2026 17:08:12 +0000", received="Received: y"), "old"),
    ],
)  # fmt: skip
def test_who_is_answered(raw: bytes, reason: str) -> None:
    assert why(raw) == reason


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("nonna", True),
        ("owner", True),
        ("request", True),
        ("rooter", True),
        ("noemi", True),
        ("norberto.replyson", True),
        ("mailer-daemon", False),
        ("postmaster", False),
        ("root", False),
        ("root+x", False),
        ("owner-club", False),
        ("club-request", False),
        ("club-request+x", False),
        ("club-owner", False),
        ("club-bounces", False),
        ("bounce", False),
        ("bounces+anna=myfamily.net", False),
        ("noreply", False),
        ("no-reply", False),
        ("no.reply", False),
        ("no_reply", False),
        ("do-not-reply", False),
        ("donotreply", False),
        ("shop-noreply", False),
        ("noreply+123", False),
        ("non-rispondere", False),
        ("majordomo", False),
        ("listserv", False),
    ],
)
def test_a_role_is_no_person(name: str, answered: bool) -> None:
    address = f"{name}@gmail.com"
    assert why(head(sender=address, From=f"pass {address} dmarc")) == ("" if answered else "role")


def test_a_letter_is_answered_for_a_day() -> None:
    arrived = datetime(2026, 11, 25, 17, 8, 12, tzinfo=UTC)
    assert why(head(), arrived + timedelta(hours=23, minutes=59)) == ""
    assert why(head(), arrived + timedelta(days=1)) == "old"


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("Ciao", "Ciao"),
        ("Re: Ciao", "Ciao"),
        ("RE: R: Rif[2]: AW : Ciao", "Ciao"),
        ("Reti: Ciao", "Reti: Ciao"),
        ("-", ""),
        ("Re:", ""),
        ("\u202eevil\u200b http://evil.test/x", "evil [link]"),
        ("a X-Mailadmin-From: pass", "a X-Mailadmin-From: pass"),
        ("x" * 200, "x" * 200),
        ("=?utf-8?q?a=0D=0AX:_y?=", "=?utf-8?q?a=0D=0AX:_y?="),
        ("👪 è", "👪 è"),
    ],
)
def test_a_subject_is_shown_as_one_harmless_line(subject: str, shown: str) -> None:
    assert asked(head(Subject=subject), NOW).subject == shown


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Message-ID: <a b@c>", ""),
        ("Message-ID: <a@b> <c@d>", ""),
        ("Message-ID: a@b", ""),
        ("Message-ID: <>", ""),
        ("Message-ID: <nobody>", ""),
        ("Message-ID:\n <a@b>", "<a@b>"),
        ("Message-ID: <a@b>\n\tBcc: x@y.test", "<a@b>"),
        ("Message-ID: x <a@b> (c)", "<a@b>"),
        ("Message-ID: <è@b>", ""),
        ("Message-ID: <a\r@b>", ""),
        ("Message-ID: <a\x00@b>", ""),
        (f"Message-ID: <{'a' * 249}@b>", ""),
        (f"Message-ID: <{'a' * 248}@b>", f"<{'a' * 248}@b>"),
        ("X: y", ""),
    ],
)
def test_an_id_is_only_an_id(line: str, kept: str) -> None:
    raw = head().replace(b"Message-ID: <1@gmail.com>", line.encode())
    assert asked(raw, NOW).message_id == kept
    assert (answer(raw)["In-Reply-To"] or "") == kept


def test_of_many_references_the_first_and_the_last_are_kept() -> None:
    many = [f"<{number}@gmail.com>" for number in range(2, 1_002)]
    mail = answer(head("References: " + "\n\t".join(many)))
    assert mail["References"].split() == [many[0], *many[-9:], "<1@gmail.com>"]
    long = [f"<{'a' * 200}{number}@gmail.com>" for number in range(1_000)]
    mail = answer(head("References: " + " ".join(long)))
    assert mail["References"].split() == [long[0], *long[-3:], "<1@gmail.com>"]
    mail = answer(head("References: <1@gmail.com> <2@gmail.com> <1@gmail.com>"))
    assert mail["References"].split() == ["<2@gmail.com>", "<1@gmail.com>"]
    assert answer(head("In-Reply-To: <2@x> <3@x>"))["References"].split() == ["<2@x>", "<1@gmail.com>"]


@pytest.mark.parametrize(
    "more",
    [
        "Reply-To: evil@other.test",
        "Reply-To: evil@other.test\nX-Original-To: evil@other.test",
        "Sender: evil@other.test",
        "Errors-To: evil@other.test",
        "Disposition-Notification-To: evil@other.test",
        "Return-Path: <evil@other.test>",
        "Resent-From: evil@other.test",
        "To: evil@other.test",
    ],
)
def test_nothing_in_a_letter_leads_an_answer_elsewhere(more: str) -> None:
    letter = written(asked(head(more), NOW), WORDS, NOW, "<a@myfamily.net>")
    assert read(letter)["To"] == NONNA
    assert b"evil" not in letter


@given(st.dictionaries(st.sampled_from(["Subject", "To", "List"]), st.text(max_size=300)), st.text(max_size=500))
def test_no_line_of_a_stranger_becomes_a_line_of_the_answer(facts: dict[str, str], more: str) -> None:
    try:
        found = asked(head(f"References: {more}", "In-Reply-To: " + more, **facts), NOW)
    except (NotAnswered, UnicodeEncodeError):
        return
    lines = written(found, WORDS, NOW, "<a@myfamily.net>").partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = {line.partition(b":")[0] for line in lines if line[:1] not in b" \t"}
    assert names <= {
        b"In-Reply-To", b"References", b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted",
        b"X-Auto-Response-Suppress", b"Content-Type", b"Content-Transfer-Encoding", b"MIME-Version",
    }  # fmt: skip


@given(st.binary(max_size=500))
def test_any_bytes_are_a_letter_or_not(data: bytes) -> None:
    why(data)
    why(head().replace(b"From: Nonna", data + b"\nFrom: Nonna"))


@given(st.text(max_size=150), st.text(max_size=60))
def test_her_own_words_are_sent_as_they_are(subject: str, name: str) -> None:
    subject, name = (re.sub(r"[^\w @<>\",;:è👪-]", "", text).strip() for text in (subject, name))
    mail = answer(head(), Words(name, ANNA, subject or "x", ".\nFrom x\n" + (subject or "x")))
    assert " ".join(mail["Subject"].split()) == " ".join((subject or "x").split())
    assert mail["From"].addresses[0].addr_spec == ANNA
    assert text_of(mail) == ".\nFrom x\n" + (subject or "x") + "\n"


HOSTILE = {
    "brackets": b"References: " + b"<" * 120_000,
    "ids": b"References: " + b"<a@b> " * 20_000,
    "no end": b"References: <" + b"a" * 120_000,
    "fields": b"X: y\n" * 24_000 + b"X: y",
    "received": b"Received: " + b"; " * 60_000,
    "names": b"list-" * 24_000 + b": x",
    "blanks": b"X-A: " + b" \n " * 40_000,
    "no": b"From: " + b"no-" * 40_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_head_takes_long(name: str) -> None:
    raw = head().replace(b"From: Nonna", HOSTILE[name] + b"\nFrom: Nonna")
    started = time.process_time()
    why(raw)
    assert time.process_time() - started < 1
    local = "no" * 31
    assert why(head(sender=f"{local}@gmail.com", From=f"pass {local}@gmail.com dmarc")) == ""
