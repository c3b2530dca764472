"""What Postfix lets in: nothing is relayed without a login, and with one only one's own addresses send."""

import smtplib
import ssl
import uuid
from dataclasses import replace

import pytest

from deploy.snapshot import Alias
from tests.host.letters import ANNA, HOUSE, INFO, KEYS, LUCA, MARCO, answer, letter, signed_in, stranger
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
OUTSIDE = "x@elsewhere.example"


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)


@pytest.mark.parametrize(
    "recipient",
    [
        "x@elsewhere.example",
        "x%elsewhere.example@house.test",
        "x%elsewhere.example",
        "elsewhere.example!x",
        "elsewhere.example!x@house.test",
        "@house.test:x@elsewhere.example",
        "@house.test,@old.test:x@elsewhere.example",
        '"x@elsewhere.example"',
        '"x@elsewhere.example"@house.test',
        '"x%elsewhere.example"',
        "x@elsewhere.example@house.test",
        "x@elsewhere.example@far.test",
        "x%elsewhere.example@far.test",
        "x@[127.0.0.1]",
        "x@[192.0.2.1]",
        "x@localhost",
        "x@mail.mailadmin.invalid",
        "anna",
        "anna@sub.house.test",
        "x@sub.far.test",
        "nobody@house.test",
    ],
)
def test_a_stranger_reaches_nobody_but_us(mailhost: MailHost, recipient: str) -> None:
    with stranger(mailhost.layout) as dialogue:
        assert answer(dialogue, "y@other.example", recipient).startswith("5")


def test_a_bare_postmaster_is_answered_and_goes_nowhere(mailhost: MailHost) -> None:
    with stranger(mailhost.layout) as dialogue:
        dialogue.sendmail("y@other.example", "postmaster", letter("hello"))
    wait_for(lambda: "status=bounced (there is no postmaster at this host)" in mailhost.log(), "the answer")


def test_a_stranger_reaches_us_and_whom_we_relay_for(mailhost: MailHost) -> None:
    with stranger(mailhost.layout) as dialogue:
        for recipient in (
            ANNA,
            "ANNA@House.Test",
            "anna+list@house.test",
            "anna@old.test",
            "kids@house.test",
            "x@far.test",
        ):
            assert answer(dialogue, "y@other.example", recipient).startswith("250"), recipient
        assert answer(dialogue, "", ANNA).startswith("250")


@pytest.mark.parametrize(
    "sender", [ANNA, INFO, LUCA, "anna+x@house.test", "ANNA@HOUSE.TEST", "anna@old.test", "nobody@house.test"]
)
def test_a_stranger_may_not_write_as_one_of_us(mailhost: MailHost, sender: str) -> None:
    with stranger(mailhost.layout) as dialogue:
        assert answer(dialogue, sender, ANNA).startswith("5")


def test_a_stranger_may_not_write_as_what_a_catch_all_takes(mailhost: MailHost) -> None:
    mailhost.apply(replace(HOUSE, aliases=(Alias("@house.test", (ANNA,)), *HOUSE.aliases)))
    try:
        with stranger(mailhost.layout) as dialogue:
            assert answer(dialogue, "y@other.example", "made.up@house.test").startswith("250")
            for sender in ("made.up@house.test", "Made.Up+x@HOUSE.TEST", "made.up@old.test"):
                assert answer(dialogue, sender, ANNA).startswith("550 5.7.1 "), sender
    finally:
        mailhost.apply(HOUSE)


def test_the_world_is_offered_no_login(mailhost: MailHost) -> None:
    with stranger(mailhost.layout) as dialogue:
        assert not dialogue.has_extn("auth")
        assert dialogue.docmd("AUTH PLAIN AGFubmFAaG91c2UudGVzdAB1bmEgcGFyb2xhIGx1bmdh")[0] == 503
        assert dialogue.docmd("VRFY anna@house.test")[0] == 502


def test_submission_without_a_login_sends_nothing(mailhost: MailHost) -> None:
    with smtplib.SMTP(mailhost.layout.address, mailhost.layout.submission, timeout=30) as dialogue:
        dialogue.ehlo()
        for recipient in (ANNA, OUTSIDE):
            assert answer(dialogue, ANNA, recipient).startswith("5")
            assert answer(dialogue, "", recipient).startswith("5")


@pytest.mark.parametrize(
    ("login", "sender", "may"),
    [
        (ANNA, ANNA, True),
        (ANNA, "anna+diary@house.test", True),
        (ANNA, "anna@old.test", True),
        (ANNA, INFO, True),
        (ANNA, "kids@house.test", True),
        (ANNA, MARCO, False),
        (ANNA, LUCA, False),
        (MARCO, "kids@house.test", False),
        (ANNA, OUTSIDE, False),
        (ANNA, "nobody@house.test", False),
    ],
)
def test_only_own_addresses_send(mailhost: MailHost, login: str, sender: str, may: bool) -> None:
    with signed_in(mailhost.layout, login) as dialogue:
        assert answer(dialogue, sender, OUTSIDE).startswith(
            "250" if may else "553" if sender != "nobody@house.test" else "5"
        )


@pytest.mark.parametrize("recipient", [LUCA, "luca+x@house.test", "luca@old.test"])
def test_a_suspended_mailbox_is_refused_in_its_words(mailhost: MailHost, recipient: str) -> None:
    with stranger(mailhost.layout) as dialogue:
        assert answer(dialogue, "y@other.example", recipient).startswith("550 5.2.1 ")
    with signed_in(mailhost.layout, ANNA) as dialogue:
        assert answer(dialogue, ANNA, recipient).startswith("550 5.2.1 ")


def test_an_internal_alias_is_for_people_who_are_signed_in(mailhost: MailHost) -> None:
    with stranger(mailhost.layout) as dialogue:
        assert answer(dialogue, "y@other.example", "team@house.test").startswith("550 5.7.1 ")
    with signed_in(mailhost.layout, MARCO) as dialogue:
        assert answer(dialogue, MARCO, "team@house.test").startswith("250")


def test_letters_outside_wait_while_no_relay_host_is_named(mailhost: MailHost) -> None:
    recipient = f"{uuid.uuid4().hex}@elsewhere.example"
    with signed_in(mailhost.layout, ANNA) as dialogue:
        dialogue.sendmail(ANNA, recipient, letter("out", author=ANNA))

    def fate() -> list[str]:
        return [line for line in mailhost.log().splitlines() if f": to=<{recipient}>, " in line]

    assert "status=deferred (deferred transport)" in wait_for(fate, "a line about the letter")[0]


@pytest.mark.parametrize("how", ["stranger", "signed in"])
def test_nobody_brings_facts_of_his_own(mailhost: MailHost, how: str) -> None:
    token = uuid.uuid4().hex
    inner = "From: a@b.example\r\nX-Mailadmin-From: kept inside\r\n\r\ninner"
    body = f"--=b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--=b--"
    raw = letter(
        token,
        body,
        "y@other.example" if how == "stranger" else MARCO,
        X_Mailadmin_From="pass nonna@example.org dmarc",
        x_mailadmin_anything="x",
        MIME_Version="1.0",
        Content_Type='multipart/mixed; boundary="=b"',
    )
    if how == "stranger":
        with stranger(mailhost.layout) as dialogue:
            dialogue.sendmail("y@other.example", ANNA, raw)
    else:
        with signed_in(mailhost.layout, MARCO) as dialogue:
            dialogue.sendmail(MARCO, ANNA, raw)
    head, _blank, rest = the_letter(mailhost, token).partition(b"\n\n")
    assert b"nonna@example.org" not in head
    assert b"mailadmin-anything" not in head.lower()
    assert b"X-Mailadmin-From: kept inside" in rest


@pytest.mark.parametrize("recipients", [[ANNA], [ANNA, "x@far.test"]], ids=["one", "two"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_where_a_person_sat_stays_with_her(mailhost: MailHost, encrypted: bool, recipients: list[str]) -> None:
    token, layout = uuid.uuid4().hex, mailhost.layout
    with smtplib.SMTP(layout.address, layout.submission, local_hostname="laptop.house.test", timeout=30) as dialogue:
        if encrypted:
            dialogue.starttls(context=ssl.create_default_context(cafile=str(layout.etc / "tls" / "certificate.pem")))
        dialogue.login(MARCO, "una parola lunga")
        dialogue.sendmail(MARCO, recipients, letter(token, author=INFO))
    head = the_letter(mailhost, token).partition(b"\n\n")[0]
    assert b"Postfix, submission" in head
    assert b"laptop" not in head
    assert b"127.0.0.1" not in head
    assert MARCO.encode() not in head.partition(b"Received")[2]


def test_a_full_mailbox_refuses_until_there_is_room(mailhost: MailHost) -> None:
    """Marco has a megabyte."""
    token, large = uuid.uuid4().hex, " SIZE=200000"
    with stranger(mailhost.layout) as dialogue:
        assert answer(dialogue, "y@other.example", MARCO, large).startswith("250")
        dialogue.rset()
        dialogue.sendmail("y@other.example", MARCO, letter(token, ("x" * 76 + "\r\n") * 12_000))
    wait_for(lambda: any(token.encode() in one for one in mailhost.letters(KEYS[MARCO])), "the large letter")
    with stranger(mailhost.layout) as dialogue:
        assert answer(dialogue, "y@other.example", MARCO, large).startswith("552 5.2.2 ")
        assert answer(dialogue, "y@other.example", "marco+x@house.test", large).startswith("552 5.2.2 ")
        assert answer(dialogue, "y@other.example", ANNA, large).startswith("250")
    with signed_in(mailhost.layout, ANNA) as dialogue:
        assert answer(dialogue, ANNA, MARCO, large).startswith("552 5.2.2 ")
    for path in (mailhost.layout.mail / KEYS[MARCO] / "Maildir" / "new").iterdir():
        path.unlink()
    with stranger(mailhost.layout) as dialogue:
        wait_for(lambda: answer(dialogue, "y@other.example", MARCO, large).startswith("250"), "room in the mailbox")


def test_a_letter_over_the_limit_is_refused_at_once(mailhost: MailHost) -> None:
    with stranger(mailhost.layout) as dialogue:
        assert dialogue.docmd("MAIL FROM:<y@other.example> SIZE=52428801")[0] == 552


def the_letter(host: MailHost, token: str) -> bytes:
    """Anna's new letter with this subject."""

    def found() -> list[bytes]:
        return [one for one in host.letters(KEYS[ANNA]) if f"Subject: {token}".encode() in one]

    return bytes(wait_for(found, "the letter")[0])
