"""A stranger's words, made harmless: whatever he writes, it is short plain text, soon."""

import time
import unicodedata
from email.message import EmailMessage

import pytest
from hypothesis import given, strategies as st

from deploy.host import excerpt
from deploy.host.letter import look
from tests.host.held import stored

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HTML = "text/html; charset=utf-8"


def letter(body: str | bytes, kind: str = "text/plain", *more: str) -> bytes:
    """A letter with one part."""
    head = "\n".join([f"Content-Type: {kind}", *more, "", ""]).encode()
    return head + (body.encode() if isinstance(body, str) else body)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (letter("Ciao Emma,\n\n  come va?\n"), "Ciao Emma, come va?"),
        (b"\nno header at all", "no header at all"),
        (b"Subject: only a header", ""),
        (b"", ""),
        (letter("x" * 5000), "x" * 300),
        (letter("caff\xe9".encode("latin-1"), "text/plain; charset=latin-1"), "caffé"),
        (letter(b"caff\xc3\xa9", "text/plain; charset=klingon"), "caffé"),
        (letter(b"caff\xc3\xa9", 'text/plain; charset="utf-8"'), "caffé"),
        (letter(b"\xff\xfe\xfd bad", "text/plain; charset=utf-8"), "\ufffd\ufffd\ufffd bad"),
        (letter("Q2lhbyE=", "text/plain", "Content-Transfer-Encoding: base64"), "Cia"),
        (letter("Q2lhbyEh\n", "text/plain", "Content-Transfer-Encoding: BASE64"), "Ciao!!"),
        (letter("a=C3=A0 b=\nc", "text/plain", "Content-Transfer-Encoding: quoted-printable"), "aà bc"),
        (letter(f"a{BIDI}b\x00\x07\x1b[31mc\u200bd\ufeffe\u2028f"), "ab [31mcde f"),
        (letter("see https://evil.test/x?y=1 or www.evil.test, ok"), "see [link] or [link] ok"),
        (letter("javascript://%0aalert(1) HTTPS://EVIL.TEST ht\u200btps://evil.test"), "[link] [link] [link]"),
        (letter("<b>not markup</b>"), "<b>not markup</b>"),
        (letter("<p>Ciao <b>Em</b>ma</p><p>bella", HTML), "Ciao Emma bella"),
        (letter("<style>p{color:red}</style>Hi<script>alert('<p>')</script> you", HTML), "Hi you"),
        (letter("a<!-- <script>b</script> -->c<!-- d", HTML), "ac"),
        (letter("&lt;b&gt; &amp; &#8238;x &#0; &nbsp;y", HTML), "<b> & x \ufffd y"),
        (letter('<a href="https://evil.test">click</a> <img src=x onerror="a>b">', HTML), 'click b">'),
        (letter("1 < 2 > 0 <", HTML), "1 0 <"),
        (letter("<STYLE>x</STYLE ><Script>y", HTML), ""),
        (letter("PK\x03\x04", "application/zip"), ""),
        (letter("x", "text/calendar"), ""),
        (letter("x", "text/plain", "Content-Disposition: ATTACHMENT; filename=x"), ""),
    ],
)
def test_what_is_shown(raw: bytes, shown: str) -> None:
    assert excerpt.excerpt(raw) == shown


def test_plain_text_comes_before_html_and_what_is_attached_after_all() -> None:
    mail = EmailMessage()
    mail["Subject"] = "x"
    mail.set_content("the plain one")
    mail.add_alternative("<p>the other</p>", subtype="html")
    mail.add_attachment("attached", filename="x.txt")
    assert excerpt.excerpt(mail.as_bytes()) == "the plain one"
    only = EmailMessage()
    only.set_content("<p>the other</p>", subtype="html")
    only.add_attachment("attached", filename="x.txt")
    assert excerpt.excerpt(only.as_bytes()) == "the other"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ciao", "Ciao"),
        ("=?utf-8?q?Perch=C3=A9_no?=", "Perché no"),
        ("=?utf-8?B?UGVyY2jDqQ==?= =?utf-8?q?_no?=", "Perché no"),
        ("=?utf-8?B?!!!?= x", "=?utf-8?B?!!!?= x"),
        ("=?utf-8?B?UGVyY2jD?=", "=?utf-8?B?UGVyY2jD?="),
        ("=?klingon?q?x?=", "=?klingon?q?x?="),
        ("=?idna?q?x?= =?punycode?q?x?= =?hex?q?61?=", "=?idna?q?x?==?punycode?q?x?==?hex?q?61?="),
        ("=?utf-8*it?q?ciao?=", "ciao"),
        ("=?utf-8?q?a=E2=80=AEb=00c?=", "ab c"),
        ("a\n b\r\n\tc", "a b c"),
        ("", ""),
    ],
)
def test_what_a_header_says(value: str, shown: str) -> None:
    assert excerpt.header(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Nonna Rosa <nonna@gmail.com>", "Nonna Rosa"),
        ('"Rosa, Nonna" <nonna@gmail.com>', "Rosa, Nonna"),
        ("=?utf-8?q?Nonn=C3=A0?= <nonna@gmail.com>", "Nonnà"),
        ('"nonna@gmail.com" <evil@x.test>', "nonna@gmail.com"),
        ("nonna@gmail.com <nonna@gmail.com> <evil@x.test>", "nonna@gmail.com <nonna@gmail.com>"),
        ("nonna@gmail.com", ""),
        ("(" * 5000, ""),
        ("", ""),
    ],
)
def test_what_an_author_calls_himself(value: str, shown: str) -> None:
    assert excerpt.display_name(value) == shown


NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000))
HOSTILE = {
    "nested": NESTED,
    "parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 40_000,
    "empty boundary": b'Content-Type: multipart/mixed; boundary=""\n\n' + b"--\n" * 90_000,
    "headers": b"X: y\n" * 50_000 + b"\nz",
    "folded": b"Subject: x\n" + b" y\n" * 80_000 + b"\nz",
    "content type": b"Content-Type: text/plain" + b';a="' * 60_000 + b"\n\nx",
    "parameters": b"Content-Type: text/plain" + b"; a*0*=x''y" * 20_000 + b"\n\nx",
    "from": b"From: " + b'"(<' * 80_000 + b"\n\nx",
    "words": b"Subject: " + b"=?utf-8?q?" * 25_000 + b"\n\nx",
    "brackets": letter("<" * 250_000, HTML),
    "comments": letter("<!--" * 60_000, HTML),
    "styles": letter("<style>" * 36_000, HTML),
    "entities": letter("&#" * 120_000, HTML),
    "blanks": letter(" " * 250_000),
    "punycode": letter("a-" * 120_000, "text/plain; charset=punycode"),
    "idna": letter("xn--" * 60_000, "text/plain; charset=idna"),
    "utf-7": letter("+AGE" * 60_000, "text/plain; charset=utf-7"),
    "marks": letter("e" + "\u0301" * 100_000),
    "links": letter("a" * 20 + "://" * 60_000),
    "nul": b"\0" * 250_000,
    "received": b"Received: from " + b"( [" * 80_000 + b"\n\nx",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_letter_takes_long(name: str) -> None:
    started = time.process_time()
    found = look(HOSTILE[name][: 256 << 10])
    assert time.process_time() - started < 0.5
    assert len(found.excerpt) <= 300


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"Content-Type: text/html\n\n", b"Content-Type: multipart/x; boundary=-\n\n"]),
)
def test_any_bytes_are_shown_as_harmless_text(data: bytes, before: bytes) -> None:
    found = look(before + data)
    for text in (found.excerpt, found.subject, found.called):
        assert text == " ".join(text.split())
        assert not {unicodedata.category(mark) for mark in text} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert "://" not in text or not excerpt.LINK.search(text)


@given(st.text(max_size=300))
def test_any_header_is_read(value: str) -> None:
    head = f"Content-Type: {value}\nSubject: {value}\nFrom: {value}\nContent-Transfer-Encoding: {value}\n\nx"
    look(head.encode("utf-8", "surrogatepass"))


def test_a_letter_that_is_held_is_read() -> None:
    found = look(stored())
    assert (found.queue_id, found.client, found.author) == ("4jZR2h2dKKzJDg0", "192.0.2.9", "evil@other.test")
    assert (found.called, found.subject, found.facts["From"]) == ("A Stranger", "Ciao", "pass evil@other.test dmarc")
    assert found.excerpt == "Ciao, à presto! From here on tabs no end of line"


@pytest.mark.parametrize(
    "lines", [b"X-Mailadmin-From: pass x@y.z dmarc", b"X-Mailadmin-More: x", b"x-mailadmin-auto: no"]
)
def test_facts_that_are_not_of_the_grammar_are_none(lines: bytes) -> None:
    raw = stored().replace(b"\n\n", b"\n" + lines + b"\n\n", 1)
    found = look(raw)
    assert (found.facts, found.author) == ({}, "")


@pytest.mark.parametrize(
    "helo",
    [
        b"x (y [198.51.100.9])",
        b"x by m (Postfix) with ESMTP id 1234567;",
        b"[198.51.100.9]",
        b"x\tby z (Postfix) with ESMTP id 1234567",
    ],
)
def test_who_says_helo_does_not_say_where_he_is(helo: bytes) -> None:
    found = look(stored().replace(b"from mx.other.test (", b"from " + helo + b" (", 1))
    assert (found.queue_id, found.client) == ("4jZR2h2dKKzJDg0", "192.0.2.9")
