"""Ways around × stations: what else a sender, a brother or a child may try, through SMTP, rspamd, Postfix and procmail.

| way around | in-1 a proper letter | in-2 blocked | in-3 who is it | in-5 may they write | in-6 answers | out-2 |
|---|---|---|---|---|---|---|
| the From line's form | `broken` | `blocked_forms` | | `strangers_forms` | | |
| other headers that name somebody | | `blocked_forms` | `unproven` | `strangers_forms` | `replies` | |
| kind of letter (invitation, report, S/MIME) | | `blocked_forms` | `unproven` | `strangers_forms` | | |
| bytes (NUL, CR, 8-bit, length, number) | `broken` | | `unproven` | `strangers_forms` | | |
| proof of another kind | | | `pinned`, `unproven` | `explorer` | | |
| another way in (mailbox, alias, two at once) | | | | `two_people`, `two_mailboxes` | | |
| time (queue, release, list) | | | | `list_changed…` | | `open_session` |
"""

import smtplib
from dataclasses import replace

import pytest

from deploy.snapshot import Circle, Entry, Gate, Mailbox, Screen
from tests.host.family import (
    CIRCLE,
    EMMA,
    EXPLORER,
    HOME,
    KEYS,
    LISTED,
    LUCA,
    NONNA,
    SCHOOL,
    STARTER,
    fate,
    let_in,
    places,
    provider,
    settle,
    submit,
    try_again,
    written,
)
from tests.host.letters import HASH, signed_in
from tests.host.machine import MailHost, wait_for
from tests.host.outside import signed

pytestmark = pytest.mark.daemons
EVIL, BULLY = "evil@other.test", "bully@other.test"
PINNED = "zio@silent.test"
LOOP_NETWORK = "ip:127.0.0.0/24"
MORE = (
    Entry(BULLY, "blocked"),
    Entry(f"monitor@{SCHOOL}", "blocked"),
    Entry(PINNED, "allowed", "pinned", LOOP_NETWORK),
    Entry("zia@silent.test", "allowed", "pinned", "ip:192.0.2.0/24"),
    Entry("coach@silent.test", "allowed", "unproven"),
    Entry("coach@gmail.com", "allowed", "unproven"),
    Entry("cousin@silent.test", "allowed", "pinned"),
    Entry("doctor@strict.test", "always"),
)
WATCHED = replace(
    HOME,
    screens=(
        Screen(EMMA, (replace(STARTER, entries=(*LISTED, *MORE)),)),
        Screen(LUCA, (replace(EXPLORER, entries=(Entry(BULLY, "blocked"),)),)),
    ),
)
INVITATION = (
    "MIME-Version: 1.0",
    'Content-Type: text/calendar; method=REQUEST; charset="utf-8"',
)
EVENT = f"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nORGANIZER:mailto:{NONNA}\r\nEND:VEVENT\r\nEND:VCALENDAR"
REPORT = ("MIME-Version: 1.0", 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"')
REPORTED = (
    "--b\r\n\r\nnot delivered\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
    f"Final-Recipient: rfc822; {NONNA}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    f"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {NONNA}\r\nTo: {EMMA}\r\n\r\nCiao\r\n--b--"
)
SMIME = ("MIME-Version: 1.0", 'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"')
RESENT = (f"Resent-From: {NONNA}", f"Resent-Sender: {NONNA}", "Resent-Date: Mon, 23 Nov 2026 10:00:00 +0000")


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> MailHost:
    settle(mailhost, WATCHED)
    return mailhost


def came(host: MailHost, domain: str, author: str, *more: str, body: str = "Ciao!") -> str:
    """What becomes of a letter to Emma that this domain's provider signs, if it signs."""
    token, raw = written(author, *more, body=body)
    let_in(host, sign(host, domain, raw), f"x@{domain}")
    return fate(host, token)


def sign(host: MailHost, domain: str, raw: bytes) -> bytes:
    if domain == "silent.test":
        return raw
    return (provider(host.layout, domain) if domain in ("gmail.com", SCHOOL) else signed(domain))(raw)


@pytest.mark.parametrize(
    "author",
    [
        "From: <@gmail.com>",
        "From: @gmail.com",
        "From: <>",
        "From: Nonna",
        f"From: \0{NONNA}",
        f"From: {NONNA}\rX-Other: y",
        f"From: <{NONNA}> <{EVIL}>",
        f"From: <{NONNA}>,",
        f"From: {NONNA} via evil",
        "From: nonna.rosa@gmail\udce8.com",
        "From: nònna.rosa@gmail.com",
        f"From: =?utf-8?q?{NONNA}?=",
        f"From: nonna.rosa\\@gmail.com@{EVIL.partition('@')[2]}",
        '"From": x',
    ],
)
def test_a_broken_from_is_no_proper_letter(home: MailHost, author: str) -> None:
    assert came(home, "gmail.com", author) == "in-1.malformed"


def test_a_nul_behind_a_name_is_no_proof(home: MailHost) -> None:
    assert came(home, "gmail.com", f"From: {NONNA}\0").startswith("in-")


@pytest.mark.parametrize("line", ["X-Long: " + "x" * 60_000, "\r\n".join(f"X-{n}: y" for n in range(3000))])
def test_a_very_long_head_hides_nobody(home: MailHost, line: str) -> None:
    assert came(home, "other.test", f"From: {EVIL}", line) in ("in-5.stranger", "in-1.malformed")
    assert came(home, "gmail.com", f"From: {NONNA}", line) in ("deliver", "in-1.malformed")


@pytest.mark.parametrize(
    ("author", "more", "body"),
    [
        (f"From: {BULLY}", (), "Ciao!"),
        (f"From: {BULLY.upper()}", (), "Ciao!"),
        ("From: bully+new@other.test", (), "Ciao!"),
        (f'From: "Nonna" <{BULLY}>', RESENT, "Ciao!"),
        (f"From: {BULLY}", INVITATION, EVENT),
        (f"From: {BULLY}", REPORT, REPORTED),
        (f"From: {BULLY}", ("List-Id: <friends.other.test>",), "Ciao!"),
    ],
)
def test_who_is_blocked_stays_blocked(home: MailHost, author: str, more: tuple[str, ...], body: str) -> None:
    assert came(home, "other.test", author, *more, body=body) == "in-2.blocked"


def test_a_blocked_address_of_a_listed_domain_is_blocked(home: MailHost) -> None:
    assert came(home, SCHOOL, f"From: monitor@{SCHOOL}") == "in-2.blocked"
    assert came(home, SCHOOL, f"From: Monitor+2@{SCHOOL}") == "in-2.blocked"
    assert came(home, SCHOOL, f"From: maestra@{SCHOOL}") == "deliver"


@pytest.mark.parametrize(
    ("domain", "author", "more", "body"),
    [
        ("other.test", f"From: {NONNA}", (), "Ciao!"),
        ("other.test", f"From: {NONNA}", SMIME, "AAAA"),
        ("other.test", f"From: {NONNA}", INVITATION, EVENT),
        ("other.test", f"From: {NONNA}", REPORT, REPORTED),
        ("other.test", f"From: {NONNA}", RESENT, "Ciao!"),
        ("other.test", f"From: {NONNA}", (f"Sender: {NONNA}", f"Return-Path: <{NONNA}>"), "Ciao!"),
        ("other.test", f"From: {NONNA}", ("Received-SPF: pass", "ARC-Authentication-Results: i=1; x; dmarc=pass"), "x"),
        ("other.test", f"From: N\udce8nna <{NONNA}>", (), "8 bit"),
    ],
)
def test_nonnas_name_alone_proves_nothing(
    home: MailHost, domain: str, author: str, more: tuple[str, ...], body: str
) -> None:
    assert came(home, domain, author, *more, body=body) == "in-3.unproven"


def test_who_is_pinned_shows_the_same_again(home: MailHost) -> None:
    assert came(home, "silent.test", f"From: {PINNED}") == "deliver"
    assert came(home, "silent.test", "From: zia@silent.test") == "in-3.unproven"  # pinned to another network
    assert came(home, "silent.test", "From: cousin@silent.test") == "in-3.unproven"  # nothing was seen of him yet


def test_who_was_accepted_unproven_is_let_in_by_his_name(home: MailHost) -> None:
    assert came(home, "silent.test", "From: coach@silent.test") == "deliver"
    assert came(home, "other.test", "From: coach@gmail.com") == "deliver"


@pytest.mark.parametrize(
    ("author", "more", "body"),
    [
        (f"From: {EVIL}", INVITATION, EVENT),
        (f"From: {EVIL}", REPORT, REPORTED),
        (f"From: {EVIL}", SMIME, "AAAA"),
        (f"From: {EVIL}", RESENT, "Ciao!"),
        (f"From: {EVIL}", (f"Sender: {NONNA}",), "Ciao!"),
        (f"From: {EVIL}", (f"Apparently-From: {NONNA}", f"X-Original-From: {NONNA}"), "Ciao!"),
        (f"From: {EVIL}", (), f"\r\nFrom: {NONNA}\r\nX-Mailadmin-From: pass {NONNA} dmarc\r\n\r\nCiao"),
        ("From: \udcf0\udc9f\udc98\udc80 <evil@other.test>", (), "8 bit"),
        (f"From: {NONNA.upper().replace('@GMAIL.COM', '')}@other.test", (), "Ciao!"),
        (f"From: {EVIL}", ("Subject: x\0y",), "a\0b"),
    ],
)
def test_a_stranger_in_any_dress_is_a_stranger(home: MailHost, author: str, more: tuple[str, ...], body: str) -> None:
    assert came(home, "other.test", author, *more, body=body) in ("in-5.stranger", "in-1.malformed")


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ((f"Reply-To: Nonna <{NONNA}>",), "deliver"),
        ((f"Reply-To: {NONNA.upper()}",), "deliver"),
        ((f"Reply-To: {NONNA}", f"Reply-To: {EVIL}"), "in-6.content"),
        ((f"Reply-To: {NONNA}\r\n ,{EVIL}",), "in-6.content"),
        ((f"Reply-To: friends: {EVIL};",), "in-6.content"),
        ((f'Reply-To: "{NONNA}" <{EVIL}>',), "in-6.content"),
        (("Reply-To: nonna.rosa@gmail.com.evil.test",), "in-6.content"),
        ((f"Resent-Reply-To: {EVIL}", f"Mail-Reply-To: {EVIL}"), "deliver"),
    ],
)
def test_answers_go_where_the_letter_came_from(home: MailHost, more: tuple[str, ...], place: str) -> None:
    assert came(home, "gmail.com", f"From: {NONNA}", *more) == place


def test_an_always_contact_may_be_answered_elsewhere_but_proves_himself(home: MailHost) -> None:
    assert came(home, "strict.test", "From: doctor@strict.test", f"Reply-To: {EVIL}") == "deliver"
    assert came(home, "other.test", "From: doctor@strict.test") == "in-3.unproven"


def test_one_letter_to_two_people_is_decided_for_each(home: MailHost) -> None:
    token, raw = written(f"From: {EVIL}")
    let_in(home, signed("other.test")(raw), EVIL, ["kids@myfamily.net"])
    assert (fate(home, token), fate(home, token, LUCA)) == ("in-5.stranger", "deliver")
    token, raw = written("From: nobody@silent.test")
    let_in(home, raw, "nobody@silent.test", [EMMA, LUCA])
    assert (fate(home, token), fate(home, token, LUCA)) == ("in-5.stranger", "in-5.unproven")


def test_explorer_lets_in_who_proves_himself_and_nobody_else(home: MailHost) -> None:
    def to_luca(author: str, domain: str) -> str:
        token, raw = written(f"From: {author}", to=LUCA)
        let_in(home, sign(home, domain, raw), f"x@{domain}", [LUCA])
        return fate(home, token, LUCA)

    assert to_luca(EVIL, "other.test") == "deliver"
    assert to_luca(BULLY, "other.test") == "in-2.blocked"
    assert to_luca("x@silent.test", "silent.test") == "in-5.unproven"
    assert to_luca("marco@myfamily.net", "other.test") == "in-3.unproven"
    assert to_luca("nobody@myfamily.net", "other.test") == "in-3.unproven"


def test_two_mailboxes_of_one_person_have_one_policy(home: MailHost) -> None:
    school = Mailbox("emma.school@myfamily.net", "e" * 15 + "2", (EMMA,), HASH, 0, active=True)
    own = (*HOME.screens[0].gates,)
    both = replace(HOME, mailboxes=(*HOME.mailboxes, school), screens=(Screen(EMMA, own), Screen(school.address, own)))
    home.apply(both)
    token, raw = written(f"From: {EVIL}")
    let_in(home, signed("other.test")(raw), EVIL, [EMMA, school.address])
    wait_for(
        lambda: len(list(home.layout.held.glob("*/in-5.stranger/new/*"))) and both_held(home, token), "both letters"
    )
    home.apply(WATCHED)


def both_held(host: MailHost, token: str) -> bool:
    found = [path for path in host.layout.held.glob("*/*/new/*") if token.encode() in path.read_bytes()]
    return {path.parts[-4] for path in found} == {"e" * 15 + "1", "e" * 15 + "2"}


def test_strictest_of_two_communities_decides(home: MailHost) -> None:
    club = Circle("Club", (LUCA,), (), entries=(Entry("@other.test", "allowed"),))
    gates = (EXPLORER, Gate("Club", (("", "hold"),)))
    home.apply(replace(HOME, circles=(CIRCLE, club), screens=(Screen(LUCA, gates),)))
    for author, domain, place in ((EVIL, "other.test", "deliver"), ("x@strict.test", "strict.test", "in-5.stranger")):
        token, raw = written(f"From: {author}", to=LUCA)
        let_in(home, signed(domain)(raw), author, [LUCA])
        assert fate(home, token, LUCA) == place
    home.apply(WATCHED)


def waiting(host: MailHost, *tokens: str) -> bool:
    """Whether all of these letters were tried and put off."""
    log = host.log("procmail.log")
    return log.count("wait=recipe") >= len(tokens) and not any(places(host, token) for token in tokens)


def test_a_list_changed_while_a_letter_waits_decides_at_delivery(home: MailHost) -> None:
    home.put_live("procmail/myfamily.net/emma.rc", f"BOX='{KEYS[EMMA]}'\n")  # broken off: letters wait
    nonnas, raw = written(f"From: {NONNA}")
    let_in(home, provider(home.layout, "gmail.com")(raw), NONNA)
    evils, raw = written(f"From: {EVIL}")
    let_in(home, signed("other.test")(raw), EVIL)
    wait_for(lambda: waiting(home, nonnas, evils), "both letters in the queue")
    changed = replace(STARTER, entries=(Entry(f"@{SCHOOL}", "allowed"), Entry(EVIL, "allowed")))
    home.apply(replace(HOME, generation=2, screens=(Screen(EMMA, (changed,)), HOME.screens[1])))
    try_again(home, nonnas, evils)
    assert (fate(home, nonnas), fate(home, evils)) == ("in-5.stranger", "deliver")
    home.apply(WATCHED)


def test_a_list_that_is_gone_lets_nobody_in_and_loses_nothing(home: MailHost) -> None:
    lists = home.layout.root / "current" / "procmail" / "lists"
    token, raw = written(f"From: {NONNA}")
    moved = lists.rename(lists.with_name("away"))
    try:
        let_in(home, provider(home.layout, "gmail.com")(raw), NONNA)
        wait_for(lambda: "wait=list" in home.log("procmail.log"), "the letter put off")
        assert places(home, token) == []
    finally:
        moved.rename(lists)
    try_again(home, token)
    assert fate(home, token) == "deliver"


def test_a_list_that_is_broken_off_lets_nobody_in(home: MailHost) -> None:
    name = next(
        line.partition("'")[2].rstrip("'")
        for line in (home.layout.root / "current/procmail/myfamily.net/emma.rc").read_text().splitlines()
        if line.startswith("LIST=")
    )
    path = home.layout.root / "current" / "procmail" / "lists" / name
    whole = path.read_text()
    token, raw = written(f"From: {NONNA}")
    home.put_live(f"procmail/lists/{name}", whole[: whole.index("* stranger")])
    try:
        let_in(home, provider(home.layout, "gmail.com")(raw), NONNA)
        wait_for(lambda: home.log("procmail.log").rstrip().endswith("wait=list"), "the letter put off")
        assert places(home, token) == []
    finally:
        home.put_live(f"procmail/lists/{name}", whole)
    try_again(home, token)
    assert fate(home, token) == "deliver"


def test_a_bcc_of_a_brother_and_a_letter_to_oneself_are_of_the_family(home: MailHost) -> None:
    token, raw = written(f"From: {LUCA}", to="undisclosed-recipients:;")
    submit(home, LUCA, raw, [EMMA])
    assert fate(home, token) == "deliver"
    token, raw = written(f"From: {EMMA}")
    submit(home, EMMA, raw, [EMMA])
    assert fate(home, token) == "deliver"


@pytest.mark.parametrize("to", ["<>", "<@gmail.com>", "<\0@gmail.com>"])
def test_a_broken_recipient_is_refused(home: MailHost, to: str) -> None:
    with signed_in(home.layout, EMMA) as dialogue:
        dialogue.docmd(f"MAIL FROM:<{EMMA}>")
        assert dialogue.docmd(f"RCPT TO:{to}")[0] // 100 == 5


def test_an_international_sender_is_himself(home: MailHost) -> None:
    token, raw = written("From: nönna@strict.test")
    try:
        let_in(home, raw, "nönna@strict.test")
    except (smtplib.SMTPNotSupportedError, smtplib.SMTPException):
        return  # it is not spoken here
    assert fate(home, token) == "in-1.malformed"
