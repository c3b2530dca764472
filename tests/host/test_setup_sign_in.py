"""Which lines of the passwd-file let somebody in, at every door, and what the agent may ask Dovecot."""

import imaplib
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.host.helper import fetch
from deploy.services.room import parsed
from tests.host.letters import ANNA, HASH, HOUSE, INFO, KEYS, LUCA, MARCO, WORD, signs_in
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
ALL = "imap pop3 submission"


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)


def test_people_are_let_in_at_every_door_whatever_their_letters_case(mailhost: MailHost) -> None:
    assert signs_in(mailhost.layout, ANNA, WORD) == ALL
    assert signs_in(mailhost.layout, "Anna@House.Test", WORD) == ALL


def test_wrong_words_suspended_people_and_addresses_without_people_are_not(mailhost: MailHost) -> None:
    wrong = [
        (ANNA, "wrong"),
        (ANNA, ""),
        (ANNA, HASH),
        (LUCA, WORD),
        (INFO, WORD),
        (INFO, "!"),
        (INFO, ""),
        ("x@y.test", WORD),
    ]
    with ThreadPoolExecutor(len(wrong)) as pool:
        assert list(pool.map(lambda pair: signs_in(mailhost.layout, *pair), wrong)) == [""] * len(wrong)


NOBODY = {
    "none": "",
    "mark": "!",
    "star": "*",
    "locked": f"!{HASH}",
    "inside": HASH.replace("}", "}!"),
    "crypt": "{CRYPT}!",
    "sha512": "{SHA512-CRYPT}!",
    "argon2id": "{ARGON2ID}!",
    "crypt-star": "{CRYPT}*",
}


def test_no_field_that_means_nobody_lets_anybody_in(mailhost: MailHost) -> None:
    """Dovecot 2.4 takes a field without {SCHEME} for the password itself, unless it is told a default."""
    whole = (mailhost.layout.root / "current" / "dovecot" / "passwd").read_text()
    lines = "".join(f"{name}@house.test:{field}::::/nonexistent::\n" for name, field in NOBODY.items())
    mailhost.put_live("dovecot/passwd", whole + lines)
    try:
        wait_for(lambda: lookup(mailhost, "crypt-star@house.test") == 0, "Dovecot to read its file again")
        tries = [
            (f"{name}@house.test", word)
            for name, field in NOBODY.items()
            for word in {WORD, "!", "*", "", field, field[1:], field.partition("}")[2], "*0"}
        ]
        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(lambda pair: signs_in(mailhost.layout, *pair), tries))
        assert [pair for pair, doors in zip(tries, found, strict=True) if doors] == []
    finally:
        mailhost.put_live("dovecot/passwd", whole)
        mailhost.run("doveadm", "-c", str(mailhost.layout.dovecot), "reload")


def lookup(host: MailHost, login: str, user: str = "mailadmin-agent") -> int:
    """What `doveadm auth lookup` answers a system user: 0 known, 67 unknown."""
    words = ["doveadm", "-c", str(host.layout.dovecot), "auth", "lookup", "-a", str(host.layout.auth), login]
    return host.run(*words, user=user).returncode


def test_the_agent_asks_dovecot_who_is_known_and_nobody_else_does(mailhost: MailHost) -> None:
    assert lookup(mailhost, ANNA) == 0
    assert lookup(mailhost, "stranger@house.test") == 67
    for user in ("nobody", "mailadmin", "vmail"):
        assert lookup(mailhost, ANNA, user) not in (0, 67)


def test_quota_is_what_the_line_says(mailhost: MailHost) -> None:
    for login, limit in ((ANNA, "-"), (MARCO, "1024")):
        said = mailhost.run("doveadm", "-c", str(mailhost.layout.dovecot), "quota", "get", "-u", login).stdout.decode()
        assert [line.split()[-2] for line in said.splitlines() if "STORAGE" in line] == [limit], said


def test_the_helper_tells_how_full_mailboxes_with_a_limit_are(mailhost: MailHost) -> None:
    told = parsed(fetch(mailhost.layout, "quota-list").decode())
    assert [(use.address, use.most) for use in told] == [(MARCO, 1 << 20)]


def test_a_mailbox_opens_in_its_own_folder_with_the_usual_folders(mailhost: MailHost) -> None:
    with imaplib.IMAP4(mailhost.layout.address, mailhost.layout.imap, timeout=30) as imap:
        imap.login(ANNA, WORD)
        assert imap.select()[0] == "OK"
        folders = b" ".join(line for line in imap.list()[1] if isinstance(line, bytes))
    assert (mailhost.layout.mail / KEYS[ANNA] / "Maildir" / "cur").is_dir()
    for name in (b"Drafts", b"Junk", b"Sent", b"Trash"):
        assert name in folders


def test_every_door_speaks_tls_with_the_hosts_certificate(mailhost: MailHost) -> None:
    layout = mailhost.layout
    context = ssl.create_default_context(cafile=str(layout.etc / "tls" / "certificate.pem"))
    for port in (layout.smtp, layout.submission):
        with smtplib.SMTP(layout.address, port, timeout=30) as dialogue:
            assert dialogue.starttls(context=context)[0] == 220
    with imaplib.IMAP4(layout.address, layout.imap, timeout=30) as imap:
        imap.starttls(context)
        imap.login(ANNA, WORD)


def test_wrong_passwords_of_one_slow_down_no_other(mailhost: MailHost) -> None:
    """Everybody comes from 127.0.0.1 here; Dovecot's penalty would make the tenth wait 17 s."""
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: signs_in(mailhost.layout, ANNA, "wrong"), range(10)))
    with imaplib.IMAP4(mailhost.layout.address, mailhost.layout.imap, timeout=2) as imap:
        imap.login(ANNA, WORD)
