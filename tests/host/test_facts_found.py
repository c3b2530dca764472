"""What rspamd finds about a letter, letter by letter over HTTP: genuine ones, forged ones, and rubbish."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deploy.render.facts import PREFIX
from tests.host.letters import ANNA, HOUSE, MARCO
from tests.host.machine import MailHost
from tests.host.outside import Sign, another_key, publish, shown, signed, written

pytestmark = pytest.mark.daemons
ROSA = "rosa@strict.test"
FROM = f"From: Nonna Rosa <{ROSA}>"
STRICT, OTHER = signed("strict.test"), signed("other.test")
EVIL = "evil@other.test"
PASS, FAIL, BAD = f"pass {ROSA} dmarc", f"fail {ROSA} dmarc", "malformed"


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    mailhost.put_live("rspamd/screened", "# Nobody.\n")
    publish(mailhost.layout)


def unsigned(letter: bytes) -> bytes:
    return letter


# What a letter is called, its header lines, who signs it, its envelope sender, and the fact From.
LETTERS: list[tuple[str, list[str], Sign, str, str]] = [
    ("1 a known sender, proved", [FROM], STRICT, ROSA, PASS),
    ("1 proved through another envelope", [FROM], STRICT, "bounce@other.test", PASS),
    ("1 a bare address", [f"From: {ROSA}"], STRICT, ROSA, PASS),
    ("1 upper case", ["From: ROSA@Strict.TEST"], STRICT, ROSA, PASS),
    ("1 a quoted name", [f'From: "Rosa, N. \\"Nonna\\"" <{ROSA}>'], STRICT, ROSA, PASS),
    ("1 an encoded name", [f"From: =?utf-8?q?N=C3=B2nna?= <{ROSA}>"], STRICT, ROSA, PASS),
    ("1 a name in UTF-8", [f"From: Nònna <{ROSA}>"], STRICT, ROSA, PASS),
    ("1 all of atext", ["From: O'Brien!#$%&*+/=?^_`{|}~-x@strict.test"], STRICT, ROSA,
     "pass o'brien!#$%&*+/=?^_`{|}~-x@strict.test dmarc"),
    ("1 SPF alone", ["From: a@spf.test"], unsigned, "a@spf.test", "pass a@spf.test dmarc"),
    ("1 a subdomain of a proved one", ["From: a@news.example.net"], signed("example.net"), ROSA,
     "pass a@news.example.net dmarc"),
    ("1 no policy, DKIM", ["From: a@dkim-only.test"], signed("dkim-only.test"), ROSA, "pass a@dkim-only.test dkim"),
    ("1 no policy, SPF", ["From: a@spf-only.test"], unsigned, "a@spf-only.test", "pass a@spf-only.test spf"),
    ("2 a stranger, proved", ["From: Evil <evil@other.test>"], OTHER, EVIL, "pass evil@other.test dmarc"),
    ("3 no signature", [FROM], unsigned, ROSA, FAIL),
    ("3 a broken signature", [FROM], lambda letter: STRICT(letter) + b"x\r\n", ROSA, FAIL),
    ("3 a foreign key", [FROM], signed("strict.test", another_key()), ROSA, FAIL),
    ("4 an address as a name", [f'From: "{ROSA}" <{EVIL}>'], OTHER, EVIL, "pass evil@other.test dmarc"),
    ("4 an address as a bare name", [f"From: {ROSA} <{EVIL}>"], OTHER, EVIL, BAD),
    ("4 a name with brackets", [f'From: "<{ROSA}>" <{EVIL}>'], OTHER, EVIL, "pass evil@other.test dmarc"),
    ("4 two addresses in brackets", [f"From: <{ROSA}> <{EVIL}>"], OTHER, EVIL, BAD),
    ("5 two From lines", [FROM, f"From: {EVIL}"], OTHER, EVIL, BAD),
    ("5 two From lines, the other first", [f"From: {EVIL}", FROM], STRICT, EVIL, BAD),
    ("5 no From", ["X-From: rosa@strict.test"], STRICT, ROSA, BAD),
    ("5 an empty From", ["From:"], STRICT, ROSA, BAD),
    ("6 two mailboxes", [f"From: {ROSA}, {EVIL}"], STRICT, ROSA, BAD),
    ("6 a group", [f"From: Family: {ROSA};"], STRICT, ROSA, BAD),
    ("7 a comment after", [f"From: {EVIL} ({ROSA})"], OTHER, EVIL, BAD),
    ("7 a comment before", [f"From: ({ROSA}) {EVIL}"], OTHER, EVIL, BAD),
    ("8 folded, the address on its second line", [f"From: {ROSA}\r\n <{EVIL}>"], OTHER, EVIL, BAD),
    ("8 folded as it should be", [f"From: Nonna Rosa\r\n\t<{ROSA}>"], STRICT, ROSA, PASS),
    ("9 Sender and Reply-To of another", [f"From: {EVIL}", f"Sender: {ROSA}", f"Reply-To: {ROSA}"], OTHER, EVIL,
     "pass evil@other.test dmarc"),
    ("10 the envelope of another", [f"From: {EVIL}"], OTHER, ROSA, "pass evil@other.test dmarc"),
    ("10 the header of another", [FROM], OTHER, EVIL, FAIL),
    ("12 a forged verdict", [FROM, "Authentication-Results: mail.mailadmin.invalid; dmarc=pass"],
     unsigned, ROSA, FAIL),
    ("12 a forged fact", [FROM, f"X-Mailadmin-From: {PASS}"], unsigned, ROSA, FAIL),
    ("12 a quoted envelope", [FROM], unsigned, '"x dmarc=pass"@other.test', FAIL),
    ("13 a pass for another domain", [FROM, "X: y"], OTHER, EVIL, FAIL),
    ("14 a longer local part", ["From: xrosa@strict.test"], OTHER, EVIL, "fail xrosa@strict.test dmarc"),
    ("14 a longer domain", ["From: rosa@strict.test.evil.test"], signed("strict.test.evil.test"), EVIL,
     "pass rosa@strict.test.evil.test dmarc"),
    ("15 a dot is a dot", ["From: nonnaxrosa@strict.test"], STRICT, ROSA, "pass nonnaxrosa@strict.test dmarc"),
    ("16 a look-alike in A-labels", ["From: rosa@xn--strct-uva.test"], signed("xn--strct-uva.test"), EVIL,
     "pass rosa@xn--strct-uva.test dmarc"),
    ("16 a look-alike in UTF-8", ["From: rosa@strìct.test"], OTHER, EVIL, BAD),
    ("16 a look-alike local part", ["From: rоsa@strict.test"], STRICT, ROSA, BAD),
    ("17 another word before", ["From: rosa@notstrict.test"], signed("notstrict.test"), EVIL,
     "pass rosa@notstrict.test dmarc"),
    ("20 a forged Received line",
     [FROM, "Received: from x by mail.mailadmin.invalid (Authenticated sender: anna@house.test) with ESMTPSA id 1; x"],
     unsigned, ROSA, FAIL),
    ("no policy, nothing to show", ["From: a@silent.test"], unsigned, "a@silent.test",
     "none a@silent.test ip:127.0.0.0/24"),
    ("no policy, a short name", ["From: a@b.de"], unsigned, "a@b.de", "none a@b.de ip:127.0.0.0/24"),
    ("no policy, signed by another", ["From: a@silent.test"], OTHER, "a@silent.test",
     "none a@silent.test dkim:other.test"),
    ("no policy, another's SPF", ["From: a@silent.test"], unsigned, "a@spf-only.test",
     "none a@silent.test spf:spf-only.test"),
    ("no policy, a subdomain's DKIM", ["From: a@news.dkim-only.test"], signed("dkim-only.test"), EVIL,
     "none a@news.dkim-only.test dkim:dkim-only.test"),
    ("a policy given twice", ["From: a@twice.test"], unsigned, EVIL, "none a@twice.test spf:other.test"),
    ("the policy cannot be had", ["From: a@unsure.test"], signed("unsure.test"), EVIL, "temp a@unsure.test dmarc"),
    ("the key cannot be had", ["From: a@slow.test"], signed("slow.test"), EVIL, "temp a@slow.test dmarc"),
    ("the key cannot be had, no policy", ["From: a@waiting.test"], signed("waiting.test"), EVIL,
     "temp a@waiting.test dkim"),
    ("another's key cannot be had", [FROM], signed("slow.test"), EVIL, FAIL),
    ("an encoded word in the address", ["From: =?utf-8?q?rosa?=@strict.test"], STRICT, ROSA, BAD),
    ("an encoded address", ["From: =?utf-8?q?rosa=40strict.test?="], STRICT, ROSA, BAD),
    ("an encoded address as a name", [f"From: =?utf-8?q?=3Crosa=40strict.test=3E?= <{EVIL}>"], OTHER, EVIL,
     "pass evil@other.test dmarc"),
    ("a literal domain", ["From: a@[127.0.0.1]"], unsigned, EVIL, BAD),
    ("a quoted local part", ['From: "rosa"@strict.test'], STRICT, ROSA, BAD),
    ("an escape outside of quotes", [f"From: Nonna\\ Rosa <{ROSA}>"], STRICT, ROSA, BAD),
    ("a quote that does not end", [f'From: "Nonna <{ROSA}>'], STRICT, ROSA, BAD),
    ("a route", [f"From: <@other.test:{ROSA}>"], STRICT, ROSA, BAD),
    ("no local part", ["From: @strict.test"], STRICT, ROSA, BAD),
    ("two dots", ["From: ro..sa@strict.test"], STRICT, ROSA, BAD),
    ("a domain without a dot", ["From: rosa@strict"], STRICT, ROSA, BAD),
    ("a local part that is too long", [f"From: {'x' * 65}@strict.test"], STRICT, ROSA, BAD),
    ("a control character", ["From: Nonna\x01 <rosa@strict.test>"], STRICT, ROSA, BAD),
    ("a NUL", ["From: Nonna <rosa@strict.test>\0"], STRICT, ROSA, BAD),
    ("a bare CR", [f"From: {EVIL}\r<{ROSA}>"], STRICT, ROSA, BAD),
    ("a bare CR elsewhere", [FROM, "X: y\rZ: z"], STRICT, ROSA, BAD),
    ("a line that is no field", [FROM, "nothing but words"], STRICT, ROSA, BAD),
    ("a blank before a colon", [FROM, "X : y"], STRICT, ROSA, BAD),  # Postfix takes such blanks away
    ("a name in UTF-8 for a field", [FROM, "Fromé: evil@other.test"], STRICT, ROSA, BAD),
    ("a percent in the address", ["From: rosa%other.test@strict.test"], STRICT, ROSA,
     "pass rosa%other.test@strict.test dmarc"),
    ("a resent letter", [f"From: {EVIL}", f"Resent-From: {ROSA}"], OTHER, EVIL, "pass evil@other.test dmarc"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "sign", "sender", "fact"), [row[1:] for row in LETTERS], ids=[r[0] for r in LETTERS])
def test_who_it_is_from(mailhost: MailHost, lines: list[str], sign: Sign, sender: str, fact: str) -> None:
    answer = shown(mailhost.layout, sign(written(*lines)), sender)
    assert answer.refusal == ""
    assert dict(answer.added)[f"{PREFIX}From"] == fact
    assert answer.facts.verdict == fact.split(maxsplit=1)[0]


@pytest.mark.parametrize(
    ("lines", "fact"),
    [
        ([], "none"),
        ([f"Reply-To: Rosa <{ROSA}>"], "same"),
        (["Reply-To: ROSA@strict.test"], "same"),
        ([f"Reply-To: {EVIL}"], "other"),
        ([f'Reply-To: "{ROSA}" <{EVIL}>'], "other"),
        ([f"Reply-To: {ROSA}, {EVIL}"], "malformed"),
        ([f"Reply-To: {ROSA}", f"Reply-To: {EVIL}"], "malformed"),
        (["Reply-To:"], "malformed"),
        ([f"Reply-To: {EVIL} ({ROSA})"], "malformed"),
    ],
)
def test_where_answers_go(mailhost: MailHost, lines: list[str], fact: str) -> None:
    assert shown(mailhost.layout, STRICT(written(FROM, *lines))).facts.reply_to == fact


@pytest.mark.parametrize(
    ("login", "author", "refusal"),
    [
        (ANNA, ANNA, ""),
        (ANNA, "Anna <ANNA@house.test>", ""),
        (ANNA, "anna+diary@house.test", ""),
        (ANNA, "anna@old.test", ""),
        (ANNA, "info@house.test", ""),
        (ANNA, "kids@house.test", ""),
        (ANNA, MARCO, f"{ANNA} may not write as {MARCO}; choose one of your own addresses."),
        (MARCO, "kids@house.test", f"{MARCO} may not write as kids@house.test; choose one of your own addresses."),
        (ANNA, ROSA, f"{ANNA} may not write as {ROSA}; choose one of your own addresses."),
        (ANNA, "nobody@house.test", f"{ANNA} may not write as nobody@house.test; choose one of your own addresses."),
        (ANNA, "@house.test", "The From line of a letter must hold exactly one address."),
        (ANNA, f'"{ANNA}" <{MARCO}>', f"{ANNA} may not write as {MARCO}; choose one of your own addresses."),
        (ANNA, f"{ANNA}, {MARCO}", "The From line of a letter must hold exactly one address."),
        (ANNA, f"{MARCO} ({ANNA})", "The From line of a letter must hold exactly one address."),
        (ANNA, f"{ANNA}\r\nFrom: {MARCO}", "The From line of a letter must hold exactly one address."),
        ("nna@house.test", ANNA, f"nna@house.test may not write as {ANNA}; choose one of your own addresses."),
    ],
)
def test_a_login_writes_as_itself(mailhost: MailHost, login: str, author: str, refusal: str) -> None:
    answer = shown(mailhost.layout, written(f"From: {author}"), login, login)
    assert answer.refusal == refusal
    if not refusal:
        assert (answer.facts.verdict, answer.facts.how) == ("pass", "login")


def part(kind: str, name: str, content: str) -> str:
    return f'--=b\r\nContent-Type: {kind}\r\nContent-Disposition: attachment; filename="{name}"\r\n\r\n{content}\r\n'


ZIP = (
    "UEsDBAoAAAAAAAAAIQDvCZx7AgAAAAIAAAAHAAAAcnVuLmV4ZU1aUEsBAh4DCgAAAAAAAAAhAO8JnHsCAAAAAgAAAAcAAAAAAAAAAAAAAKSBAAAA"
    "AHJ1bi5leGVQSwUGAAAAAAEAAQA1AAAAJwAAAAAA"
)


@pytest.mark.parametrize(
    ("parts", "kinds"),
    [
        ([], ()),
        ([part("text/plain", "a.txt", "x")], ("text",)),
        ([part("application/pdf", "a.pdf", "%PDF-1.4 x")], ("pdf",)),
        ([part("image/png", "a.png", "x")], ("picture",)),
        ([part("image/png", "a.png.exe", "x")], ("program",)),
        ([part("image/png", "a.EXE ", "x")], ("program",)),
        ([part("text/calendar", "a.ics", "BEGIN:VCALENDAR")], ("calendar",)),
        ([part("message/rfc822", "a.eml", "From: x@y.test\r\nSubject: x\r\n\r\nx")], ("message",)),
        ([part("application/octet-stream", "a", "x")], ("other",)),
        ([part("application/zip\r\nContent-Transfer-Encoding: base64", "a.zip", ZIP)], ("archive", "program")),
        ([part("image/png", "a.png", "x"), part("application/vnd.ms-word", "a.docm", "x")], ("picture", "program")),
    ],
)
def test_what_is_attached(mailhost: MailHost, parts: list[str], kinds: tuple[str, ...]) -> None:
    body = "--=b\r\nContent-Type: text/plain\r\n\r\nCiao!\r\n" + "".join(parts) + "--=b--"
    letter = written(FROM, "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="=b"', body=body)
    assert shown(mailhost.layout, letter).facts.attachments == kinds


@pytest.mark.parametrize(
    ("lines", "body", "name", "value"),
    [
        ([], "http://a.example/ http://a.example/ https://intranet/x", "Links", "2"),
        ([], "no link", "Links", "0"),
        ([], " ".join(f"http://a{n}.example/" for n in range(1200)), "Links", "999"),
        (["List-Id: Club <club.example.org>"], "", "List", "club.example.org"),
        (["List-Id: <a.example>", "List-Id: <b.example>"], "", "List", "malformed"),
        (["List-Id: <a b>"], "", "List", "malformed"),
        (["Auto-Submitted: auto-replied"], "", "Auto", "yes"),
        (["Auto-Submitted: no"], "", "Auto", "no"),
        (["Precedence: bulk"], "", "Auto", "yes"),
        (["List-Unsubscribe: <mailto:x@y.example>"], "", "Auto", "yes"),
    ],
)
def test_the_other_facts(mailhost: MailHost, lines: list[str], body: str, name: str, value: str) -> None:
    answer = shown(mailhost.layout, written(FROM, *lines, body=body))
    assert dict(answer.added)[PREFIX + name] == value
    assert answer.facts.verdict == "fail"


@pytest.mark.parametrize(
    ("raw", "subject"),
    [
        ("Ciao", "Ciao"),
        ("=?utf-8?b?w6jDqA==?= x\r\n y", "èè x y"),
        ("=?utf-8?q?a=0D=0AX-Mailadmin-From:_pass?=", "a X-Mailadmin-From: pass"),
        ("=?utf-8?b?w6jDq?= x", "=?utf-8?b?w6jDq?= x"),
        ("", ""),
        ("=?iso-8859-1?q?=E8?=", "è"),
        ("x" * 300, "x" * 200),
    ],
)
def test_the_subject_is_one_line(mailhost: MailHost, raw: str, subject: str) -> None:
    letter = written(FROM).replace(b"Subject: Ciao", b"Subject: " + raw.encode())
    assert shown(mailhost.layout, letter).facts.subject == subject


@pytest.mark.parametrize("end", ["34X", "76F", "89A", "28B"])
def test_no_word_in_a_letter_keeps_its_facts_away(mailhost: MailHost, end: str) -> None:
    """The test patterns that spam filters know (GTUBE) end their search. rspamd 3.4 always refuses one of them."""
    body = f"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.{end}"
    answer = shown(mailhost.layout, STRICT(written(FROM, body=body)))
    assert answer.action == "reject" or answer.facts.verdict == "pass"


@pytest.fixture
def quiet(mailhost: MailHost) -> Iterator[None]:
    """Nothing goes wrong in the Lua meanwhile."""
    before = len(mailhost.log("rspamd.log"))
    yield
    said = mailhost.log("rspamd.log")[before:]
    assert not re.findall(r".*(?:mailadmin: |; lua; |error in|attempt to).*", said)


MARKS = [*list('<>"\\(),;:@a._[]é'), "+x", "=?utf-8?q?", "=?utf-8?b?w6k", "?="]
WORDS = st.sampled_from([ROSA, EVIL, *MARKS, " ", "\t", "\r\n ", "\r\n\t", "\r", "\0", "\x0b", "\x7f", "\udcff"])
VALUES = st.lists(WORDS, max_size=12).map("".join)
OURS = ["X-Mailadmin-From", "x-mailadmin-foo"]
READ = ["From", "from", "FROM", "Sender", "Reply-To", "Received", "Subject", "List-Id", "Precedence", "Auto-Submitted"]
NAMES = st.sampled_from([*OURS, *READ, "Content-Type", "Authentication-Results"])


@pytest.mark.usefixtures("quiet")
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(NAMES, VALUES).map(": ".join), max_size=8), body=VALUES)
def test_whatever_comes_the_facts_keep_to_their_grammar(mailhost: MailHost, lines: list[str], body: str) -> None:
    head = "\r\n".join(lines)
    answer = shown(mailhost.layout, f"{head}\r\n\r\n{body}".encode("utf-8", "surrogateescape"), EVIL)
    assert answer.refusal == ""
    assert answer.facts.verdict != "pass" or answer.facts.address.endswith("@other.test")
    brought = {line.split(":")[0] for line in lines if line.startswith(tuple(OURS))}
    assert brought <= answer.removed or re.search(
        r"\0|\r[^\n]|\r\Z", head
    )  # then it is malformed, and Postfix drops them
