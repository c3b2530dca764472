"""POLICY's attempts on a child's mailbox from outside, through SMTP, rspamd, Postfix and procmail."""

import smtplib

import pytest

from tests.host.family import ANNA, EMMA, LUCA, NONNA, SCHOOL, fate, let_in, provider, settle, submit, written
from tests.host.letters import answer, stranger
from tests.host.machine import MailHost
from tests.host.outside import signed

pytestmark = pytest.mark.daemons
EVIL = "evil@other.test"  # its provider signs for it: perfectly authenticated, and a stranger


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> MailHost:
    settle(mailhost)
    return mailhost


def nonna(host: MailHost, author: str = f"From: Nonna Rosa <{NONNA}>", *more: str, **facts: str) -> tuple[str, bytes]:
    """A letter that Nonna's provider signs."""
    token, raw = written(author, *more, **facts)
    return token, provider(host.layout, "gmail.com")(raw)


def evil(*lines: str, body: str = "Ciao!") -> tuple[str, bytes]:
    """A letter that the stranger's provider signs."""
    token, raw = written(*lines, body=body)
    return token, signed("other.test")(raw)


def test_nonna_arrives(home: MailHost) -> None:
    token, raw = nonna(home)
    let_in(home, raw, NONNA)
    assert fate(home, token) == "deliver"


def test_somebody_of_the_school_arrives(home: MailHost) -> None:
    token, raw = written(f"From: maestra@{SCHOOL}")
    let_in(home, provider(home.layout, SCHOOL)(raw))
    assert fate(home, token) == "deliver"


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ([f"From: Evil <{EVIL}>"], "in-5.stranger"),
        ([f'From: "{NONNA}" <{EVIL}>'], "in-5.stranger"),
        ([f"From: {NONNA}, {EVIL}"], "in-1.malformed"),
        ([f"From: friends: {NONNA};"], "in-1.malformed"),
        ([f"From: {EVIL} ({NONNA})"], "in-1.malformed"),
        ([f"From: Evil\r\n <{EVIL}>"], "in-5.stranger"),
        ([f"From: {NONNA}\r\n <{EVIL}>"], "in-1.malformed"),
        ([f"From: {EVIL}", f"Sender: {NONNA}", f"Reply-To: {NONNA}"], "in-5.stranger"),
        (["From: xnonna.rosa@gmail.com"], "in-5.stranger"),
        (["From: nonnaxrosa@gmail.com"], "in-5.stranger"),
        ([""], "in-1.malformed"),
    ],
)
def test_a_strangers_letter_is_held(home: MailHost, lines: list[str], place: str) -> None:
    token, raw = evil(*lines)
    let_in(home, raw, EVIL)
    assert fate(home, token) == place


def test_nonnas_name_without_her_providers_word_is_held(home: MailHost) -> None:
    token, raw = written(f"From: {NONNA}")
    let_in(home, raw, NONNA)
    assert fate(home, token) == "in-3.unproven"


@pytest.mark.parametrize("domain", ["other.test", "strict.test"])
def test_a_true_signature_of_another_domain_is_none_of_nonnas(home: MailHost, domain: str) -> None:
    token, raw = written(f"From: {NONNA}")
    let_in(home, signed(domain)(raw), f"x@{domain}")
    assert fate(home, token) == "in-3.unproven"


@pytest.mark.parametrize("first", [f"From: {NONNA}\r\nFrom: {EVIL}", f"From: {EVIL}\r\nFrom: {NONNA}"])
def test_two_authors_are_no_author(home: MailHost, first: str) -> None:
    token, raw = nonna(home, first)
    let_in(home, raw, NONNA)
    assert fate(home, token) == "in-1.malformed"


def test_a_from_with_a_blank_beside_nonnas_is_held(home: MailHost) -> None:
    token, raw = nonna(home)
    let_in(home, raw.replace(b"\r\n\r\n", f"\r\nFrom : {EVIL}\r\n\r\n".encode(), 1), NONNA)
    assert fate(home, token) == "in-1.malformed"


def test_nonnas_envelope_opens_nothing(home: MailHost) -> None:
    token, raw = evil(f"From: {EVIL}")
    let_in(home, raw, NONNA)
    assert fate(home, token) == "in-5.stranger"


@pytest.mark.parametrize("address", [EVIL, "not an address", f"{NONNA}, {EVIL}"])
def test_nonna_with_answers_elsewhere_is_held(home: MailHost, address: str) -> None:
    token, raw = nonna(home, f"From: {NONNA}", f"Reply-To: {address}")
    let_in(home, raw, NONNA)
    assert fate(home, token) == "in-6.content"


def test_forged_proof_from_outside_is_none(home: MailHost) -> None:
    token, raw = evil(
        f"From: {EVIL}",
        f"X-Mailadmin-From: pass {NONNA} dmarc",
        f"x-mailadmin-from : pass {NONNA} dmarc",
        "Authentication-Results: mail.mailadmin.invalid; dmarc=pass header.from=gmail.com",
    )
    let_in(home, raw, EVIL)
    assert fate(home, token) == "in-5.stranger"


def test_forged_proof_from_a_brother_is_none(home: MailHost) -> None:
    token, raw = written(f"From: {LUCA}", f"X-Mailadmin-From: pass {NONNA} dmarc", f"Sender: {ANNA}")
    submit(home, LUCA, raw)
    assert fate(home, token) == "deliver"  # he is her brother, and no more
    copies = [one for one in home.letters("e" * 15 + "1") if token.encode() in one]
    assert copies[0].count(b"X-Mailadmin-From:") == 1
    assert b"X-Mailadmin-From: pass luca@myfamily.net login" in copies[0]


@pytest.mark.parametrize(
    "author", [f"{NONNA}.evil.test", "nonna.rosa@gmail.com.evil.test", "nonna.rosa@gmai1.test", "x@xn--gmal-nza.test"]
)
def test_a_name_that_only_looks_alike_is_held(home: MailHost, author: str) -> None:
    domain = author.partition("@")[2]
    token, raw = written(f"From: {author}")
    let_in(home, signed(domain)(raw), f"x@{domain}")
    assert fate(home, token).startswith("in-5.")


@pytest.mark.parametrize("domain", [f"not{SCHOOL}", f"blog.{SCHOOL}"])
def test_a_domain_like_the_schools_is_held(home: MailHost, domain: str) -> None:
    token, raw = written(f"From: maestra@{domain}")
    let_in(home, signed(domain)(raw))
    assert fate(home, token) in ("in-5.stranger", "in-5.unproven")


def test_an_outsider_is_not_mum(home: MailHost) -> None:
    with stranger(home.layout) as dialogue:
        assert answer(dialogue, ANNA, EMMA).startswith("550 5.7.1")
    token, raw = evil(f"From: Mum <{ANNA}>")
    let_in(home, raw, EVIL)
    assert fate(home, token) == "in-3.unproven"


def test_a_brother_is_not_dad(home: MailHost) -> None:
    _token, raw = written("From: marco@myfamily.net")
    with pytest.raises(smtplib.SMTPDataError, match=r"may not write as marco@myfamily\.net"):
        submit(home, LUCA, raw)


def test_a_forged_trace_of_mum_is_none(home: MailHost) -> None:
    trace = (
        f"Received: from x (x [192.0.2.1])\r\n\t(Authenticated sender: {ANNA})\r\n\tby mail.mailadmin.invalid (Postfix)"
    )
    token, raw = evil(f"From: {ANNA}", f"{trace} with ESMTPSA id 4XYZ; Mon, 23 Nov 2026 10:00:00 +0000")
    let_in(home, raw, EVIL)
    assert fate(home, token) == "in-3.unproven"


@pytest.mark.parametrize("id_", ["<friends.lists.test>", "Friends <nonna.rosa.gmail.com.lists.test>", "nothing"])
def test_nonna_through_a_mailing_list_is_held(home: MailHost, id_: str) -> None:
    token, raw = nonna(home, f"From: {NONNA}", f"List-Id: {id_}", "List-Unsubscribe: <http://lists.test/>")
    let_in(home, raw, "friends-bounces@lists.test")
    assert fate(home, token) == "in-5.stranger"


def test_backscatter_is_held(home: MailHost) -> None:
    for author, sign in ((f"MAILER-DAEMON@{SCHOOL}", provider(home.layout, SCHOOL)), ("postmaster@other.test", None)):
        token, raw = written(f"From: Mail Delivery System <{author}>", "Auto-Submitted: auto-replied")
        let_in(home, (sign or signed("other.test"))(raw), "")
        assert fate(home, token) == "in-5.stranger"


@pytest.mark.parametrize(
    "to", ["kids@myfamily.net", "emma+game@myfamily.net", "emma@old-domain.example", "EMMA@MyFamily.net"]
)
def test_every_name_of_hers_leads_to_the_same_policy(home: MailHost, to: str) -> None:
    token, raw = evil(f"From: {EVIL}")
    let_in(home, raw, EVIL, [to])
    assert fate(home, token) == "in-5.stranger"
    token, raw = nonna(home)
    let_in(home, raw, NONNA, [to])
    assert fate(home, token) == "deliver"
