"""Whom a letter says that it is for, and which phrases of the release its text holds, letter by letter over HTTP."""

import base64
import time

import pytest

from deploy.host.canary import Envelope, ask
from tests.host.letters import HOUSE
from tests.host.machine import MailHost
from tests.host.outside import publish, shown, signed, written
from tests.host.test_facts_found import EVIL, FROM, ROSA, part

pytestmark = pytest.mark.daemons
STRICT = signed("strict.test")


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    mailhost.put_live("rspamd/screened", "# Nobody.\n")
    publish(mailhost.layout)


@pytest.mark.parametrize(
    ("lines", "to", "cc"),
    [
        ([], ["anna@house.test"], []),
        (["Cc: Luca <LUCA@House.test>, m@house.test"], ["anna@house.test"], ["luca@house.test", "m@house.test"]),
        (["To: marco@house.test, Anna <anna@house.test>"], ["anna@house.test", "marco@house.test"], []),
        (["Cc: Rossi, Luca <luca@house.test>"], ["anna@house.test"], ["luca@house.test"]),
        (['Cc: "Rossi, marco@house.test" <luca@house.test>'], ["anna@house.test"], ["luca@house.test"]),
        (["Cc: (marco@house.test (x), y) luca@house.test"], ["anna@house.test"], ["luca@house.test"]),
        (["Cc: (\\) marco@house.test) luca@house.test"], ["anna@house.test"], ["luca@house.test"]),
        (['Cc: "\\" marco@house.test, " <luca@house.test>'], ["anna@house.test"], ["luca@house.test"]),
        (['Cc: luca@house.test, "marco@house.test'], ["anna@house.test"], ["luca@house.test"]),
        (["Cc: luca@house.test, (marco@house.test"], ["anna@house.test"], ["luca@house.test"]),
        (["Cc: We: luca@house.test, <m@house.test>;"], ["anna@house.test"], ["luca@house.test", "m@house.test"]),
        (["Cc: undisclosed-recipients:;"], ["anna@house.test"], []),
        (["Cc: luca@house.test,\r\n\tm@house.test"], ["anna@house.test"], ["luca@house.test", "m@house.test"]),
        (["Cc: =?utf-8?q?luca=40house.test?=, =?utf-8?q?marco?=@house.test"], ["anna@house.test"], []),
        (["Cc: =?utf-8?q?marco=40house=2Etest=2C?= <luca@house.test>"], ["anna@house.test"], ["luca@house.test"]),
        (["Cc: lùca@house.test, luca@hòuse.test, \"luca\"@house.test"], ["anna@house.test"], []),
        (["Cc: luca@house.test marco@house.test"], ["anna@house.test"], []),
        (["Cc: <luca@house.test> <marco@house.test>"], ["anna@house.test"], []),
        (["Bcc: luca@house.test", "X-To: luca@house.test", "Resent-To: luca@house.test"], ["anna@house.test"], []),
        ([f"X-Mailadmin-To: {EVIL}", f"X-Mailadmin-Cc: {EVIL}"], ["anna@house.test"], []),
    ],
)  # fmt: skip
def test_whom_it_is_for(mailhost: MailHost, lines: list[str], to: list[str], cc: list[str]) -> None:
    facts = shown(mailhost.layout, STRICT(written(FROM, *lines))).facts
    assert (list(facts.to), list(facts.cc)) == (to, cc)


def test_as_many_as_fit_are_read(mailhost: MailHost) -> None:
    many = [f"a{number:05}@house.test" for number in range(20_000)]
    for names in (", ".join(many), ",\r\n ".join(many), "\r\nCc: ".join(many)):
        facts = shown(mailhost.layout, written(FROM, f"Cc: {names}")).facts
        assert list(facts.cc) == many[:50]
        assert len(" ".join(facts.cc)) == 899
    short = shown(mailhost.layout, written(FROM, f"Cc: {', '.join(many[:50])}, b@d.test, {many[51]}")).facts
    assert list(short.cc) == many[:50]


@pytest.mark.parametrize(
    "line", ["(" * 5_000_000, '"' * 5_000_000, "\\" * 5_000_000, "<" * 5_000_000, "a@b.test," * 900_000]
)
@pytest.mark.parametrize("name", ["To", "Cc"])
def test_no_line_takes_long(mailhost: MailHost, name: str, line: str) -> None:
    started = time.monotonic()
    facts = shown(mailhost.layout, written(FROM, f"{name}: {line}")).facts
    assert time.monotonic() - started < 8  # as long as a letter of this size takes without them
    assert "b@b.test" not in (*facts.to, *facts.cc)


PHRASES = {
    "anna@house.test": ["compiti di scuola", "è perché", "<b>", "οδοσ", "caffè", "ab&c", "100%", "a.c", "one two"],
    "marco@house.test": ["gita"],
    "@catch.test": ["gatto"],
}


def ids(mailhost: MailHost, letter: bytes, *recipients: str) -> list[str]:
    """The phrases that are found in a letter."""
    rows = [
        (key, f"{number:016x}", one)
        for number, (key, one) in enumerate((key, one) for key, ones in PHRASES.items() for one in ones)
    ]
    text = "# Phrases.\n" + "".join(f"{key} {number} {one}\n" for key, number, one in rows)
    mailhost.put_live("rspamd/phrases", text)
    said = ask(
        mailhost.layout, letter, Envelope(ROSA, recipients or ("anna@house.test",), "127.0.0.1", "mx.strict.test")
    )
    return [next(one for _key, known, one in rows if known == number) for number in said.facts.phrases]


def of_kind(kind: str, text: str, charset: str = "utf-8") -> bytes:
    """A letter with one part."""
    head = written(
        FROM, "MIME-Version: 1.0", f"Content-Type: {kind}; charset={charset}", "Content-Transfer-Encoding: base64"
    )
    return head.replace(b"Ciao!", base64.encodebytes(text.encode(charset)).replace(b"\n", b"\r\n"))


@pytest.mark.parametrize(
    ("letter", "found"),
    [
        (of_kind("text/plain", "I COMPITI  di\r\n\tScuola"), ["compiti di scuola"]),
        (of_kind("text/plain", "compiti\u00a0di\u2003scuola"), ["compiti di scuola"]),
        (of_kind("text/plain", "compiti, di scuola; compitidi scuola"), []),
        (of_kind("text/plain", "È  PERCHÉ; ΟΔΟΣ"), ["è perché", "οδοσ"]),
        (of_kind("text/plain", "CAFFÈ", "iso-8859-1"), ["caffè"]),
        (of_kind("text/plain", "caffè one two", "utf-16"), ["caffè", "one two"]),
        (of_kind("text/plain", "abc 1000 b"), []),
        (of_kind("text/plain", "A.C 100%"), ["100%", "a.c"]),
        (of_kind("text/html", "<p>com<b>piti</b>&nbsp;di<br>scuola</p>&Egrave; <i>perch&eacute;</i>"),
         ["compiti di scuola", "è perché"]),
        (of_kind("text/html", "<style>caff&egrave;</style><p title='one two'>x<!-- a.c --> AB&amp;C &lt;b&gt;</p>"),
         ["<b>", "ab&c"]),
        (written(FROM, "Subject: caffè", "X-Caffe: caffè", body="nothing"), []),
        (written(FROM, body="caff\udce8 one two"), ["caffè", "one two"]),
    ],
)  # fmt: skip
def test_what_a_text_holds(mailhost: MailHost, letter: bytes, found: list[str]) -> None:
    assert ids(mailhost, letter) == found


def test_what_is_attached_is_no_text_and_no_phrase_goes_over_two_parts(mailhost: MailHost) -> None:
    body = "--=b\r\n\r\nand one\r\n--=b\r\n\r\ntwo a.c\r\n" + part("text/plain", "a.txt", "100%") + "--=b--"
    letter = written(FROM, "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="=b"', body=body)
    assert ids(mailhost, letter) == ["a.c"]


@pytest.mark.parametrize(
    ("recipients", "found"),
    [
        (("anna@house.test",), ["caffè"]),
        (("ANNA+x@House.test",), ["caffè"]),
        (("marco@house.test",), ["gita"]),
        (("marco@house.test", "anna@house.test"), ["gita", "caffè"]),
        (("anyone@catch.test",), ["gatto"]),
        (("anna@catch.test", "anna@house.test"), ["gatto", "caffè"]),
        (("anna@other.test", "xanna@house.test", "@house.test", "house.test", ""), []),
    ],
)
def test_a_text_is_searched_for_those_whom_it_is_for(mailhost: MailHost, recipients: tuple[str, ...], found) -> None:
    assert ids(mailhost, written(FROM, body="gita gatto caffè"), *recipients) == found


def test_so_much_of_a_text_is_read(mailhost: MailHost) -> None:
    assert ids(mailhost, of_kind("text/plain", "è" * 262_140 + "one two")) == ["one two"]
    assert ids(mailhost, of_kind("text/plain", "è" * 262_141 + "one two")) == []
    assert ids(mailhost, of_kind("text/plain", "x" * 5_000_000)) == []


def test_a_text_that_is_searched_for_very_much_is_soon_done(mailhost: MailHost) -> None:
    text = "xxxx " * 50_000 + "the end" + "xxxx " * 50_000
    for more, found in (("x xxx{}", True), ("xx xxxxx {}", True), (" xxxx xxxx xxxxx", False)):
        many = "".join(f"anna@house.test {number:016x} {more.format(number)}\n" for number in range(20_000))
        mailhost.put_live("rspamd/phrases", f"# Many.\n{many}anna@house.test {'f' * 16} the end\n")
        started = time.monotonic()
        facts = shown(mailhost.layout, of_kind("text/plain", text)).facts
        assert time.monotonic() - started < 12
        assert facts.phrases == (("f" * 16,) if found else ())


def test_forty_phrases_are_told(mailhost: MailHost) -> None:
    many = "".join(f"anna@house.test {number:016x} ciao\n" for number in range(60))
    mailhost.put_live("rspamd/phrases", f"# Many.\n{many}")
    assert shown(mailhost.layout, written(FROM)).facts.phrases == tuple(f"{number:016x}" for number in range(40))


@pytest.mark.parametrize("text", ["", "anna@house.test\n", "anna@house.test 00 ciao\n", "anna@house.test zz ciao\n \n"])
def test_without_a_list_nothing_is_found(mailhost: MailHost, text: str) -> None:
    mailhost.put_live("rspamd/phrases", text)
    assert shown(mailhost.layout, written(FROM)).facts.phrases == ()
    (mailhost.layout.root / "current" / "rspamd" / "phrases").unlink()
    assert shown(mailhost.layout, written(FROM)).facts.phrases == ()
