"""The door for letters that the host itself sends for its people: who comes in, and which facts a letter keeps."""

import smtplib
import socket
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from deploy.host.submission import own_login, read_login
from deploy.render.facts import NAMES, PREFIX
from deploy.setup.lay import CARRIER, OWN
from deploy.setup.people import group
from deploy.snapshot import Domain, Mailbox
from tests.host.family import ANNA, EMMA, HOME, KEYS, LUCA, MARCO, NONNA, fate, let_in, settle, submit, written
from tests.host.letters import HASH, WORD, answer, signed_in, signs_in
from tests.host.machine import MailHost, wait_for
from tests.host.outside import signed

pytestmark = pytest.mark.daemons
EVIL = "evil@other.test"
WHOLE = {
    "From": f"pass {NONNA} dmarc",
    "Reply-To": "none",
    "To": LUCA,
    "Cc": "none",
    "Links": "7",
    "Attachments": "pdf",
    "List": "none",
    "Auto": "no",
    "Spam": "ham -1.5",
    "Subject": "Già visto",
    "Body": "none",
}


@pytest.fixture(scope="module", autouse=True)
def _home(mailhost: MailHost) -> None:
    settle(mailhost)


@contextmanager
def at_the_door(host: MailHost, login: str = "", word: str = "") -> Iterator[smtplib.SMTP]:
    """A dialogue at the door, as the mail user or as somebody else."""
    if not login:
        login, word = read_login(host.layout.etc / "post-login")
    with smtplib.SMTP("127.0.0.1", host.layout.post, local_hostname="test.invalid", timeout=30) as dialogue:
        dialogue.login(login, word)
        yield dialogue


def lines(facts: dict[str, str]) -> list[str]:
    """Facts as header lines."""
    return [f"{PREFIX}{name}: {value}" for name, value in facts.items()]


def carried(
    host: MailHost,
    brought: list[str],
    author: str = f"From: {NONNA}",
    sender: str = LUCA,
    login: tuple[str, str] = ("", ""),
) -> str:
    """Hand over a letter for Emma that brings these lines; the token."""
    token, raw = written(author, *brought)
    with at_the_door(host, *login) as dialogue:
        dialogue.sendmail(sender, [EMMA], raw)
    return token


def found(host: MailHost, token: str, whose: str = EMMA) -> dict[str, str]:
    """The lines under our prefix in a letter, wherever it lies."""

    def here() -> list[bytes]:
        folders = [host.layout.mail / KEYS[whose] / "Maildir" / "new", *host.layout.held.glob(f"{KEYS[whose]}/*/new")]
        letters = (path.read_bytes() for folder in folders for path in folder.glob("*"))
        return [letter for letter in letters if token.encode() in letter]

    head = bytes(wait_for(here, "the letter")[0]).partition(b"\n\n")[0].decode()
    ours = [line.partition(": ") for line in head.split("\n") if line.lower().startswith(PREFIX.lower())]
    assert len({name for name, _colon, _value in ours}) == len(ours), ours
    return {name.removeprefix(PREFIX): value for name, _colon, value in ours}


def test_the_mail_users_login_opens_this_door_and_no_other(mailhost: MailHost) -> None:
    login, word = read_login(mailhost.layout.etc / "post-login")
    assert login == CARRIER
    assert signs_in(mailhost.layout, login, word) == ""
    with at_the_door(mailhost) as dialogue:
        assert answer(dialogue, "", ANNA).startswith("250 ")
        assert answer(dialogue, "anyone@elsewhere.example", "x@elsewhere.example").startswith("250 ")
        assert answer(dialogue, LUCA, "nobody@myfamily.net").startswith("550 5.1.1 ")
        assert "Nobody reads" in answer(dialogue, LUCA, OWN)


@pytest.mark.parametrize("login", [ANNA, EMMA, "nobody@myfamily.net", f"x@{CARRIER.partition('@')[2]}", "post"])
def test_no_other_login_is_let_in(mailhost: MailHost, login: str) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError, match="535"), at_the_door(mailhost, login, WORD):
        pass


@pytest.mark.parametrize("word", ["x", "", WORD, "post"])
def test_a_wrong_secret_is_not_let_in(mailhost: MailHost, word: str) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError), at_the_door(mailhost, CARRIER, word):
        pass


def test_without_a_login_nothing_is_taken(mailhost: MailHost) -> None:
    with smtplib.SMTP("127.0.0.1", mailhost.layout.post, timeout=30) as dialogue:
        dialogue.ehlo()
        for to in (ANNA, "x@elsewhere.example"):
            assert answer(dialogue, "", to).startswith("554 5.7.1 "), to


def test_it_is_on_loopback(mailhost: MailHost) -> None:
    for address in ("127.0.0.2", "::1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as line:
            assert line.connect_ex((address, mailhost.layout.post)) != 0


def test_a_mailbox_of_the_same_name_opens_nothing(mailhost: MailHost) -> None:
    """Should somebody make this host's name a domain: its people are not the mail user."""
    name = CARRIER.partition("@")[2]
    box = Mailbox(CARRIER, "7" * 16, (CARRIER,), HASH, 0, active=True)
    home = replace(HOME, generation=2, domains=(*HOME.domains, Domain(name, "mail")), mailboxes=(*HOME.mailboxes, box))
    mailhost.apply(home)
    try:
        assert signs_in(mailhost.layout, CARRIER, WORD) == ""
        with pytest.raises(smtplib.SMTPAuthenticationError), at_the_door(mailhost, CARRIER, WORD):
            pass
    finally:
        mailhost.apply(replace(HOME, generation=3))


def test_only_the_mail_user_and_dovecot_read_the_secret(mailhost: MailHost) -> None:
    for name, reader in (("post-login", "vmail"), ("post-passwd", "dovecot")):
        path = mailhost.layout.etc / name
        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, group(reader), 0o640)
        for user in {"mailadmin", "mailadmin-agent", "nobody", "postfix", "_rspamd", "vmail", "dovecot"} - {reader}:
            assert mailhost.run("cat", "--", str(path), user=user).returncode != 0, (name, user)
        assert mailhost.run("cat", "--", str(path), user=reader).returncode == 0
    assert read_login(mailhost.layout.etc / "post-login")[1] not in (mailhost.layout.etc / "post-passwd").read_text()


def test_a_letter_keeps_the_facts_of_its_first_door(mailhost: MailHost) -> None:
    """Nonna is on Emma's list, and proved to be herself when she wrote to Luca."""
    token = carried(mailhost, lines(WHOLE), author="From: somebody else <x@strict.test>")
    assert found(mailhost, token) == WHOLE
    assert fate(mailhost, token) == "deliver"


def test_which_phrases_a_letter_holds_is_found_anew(mailhost: MailHost) -> None:
    mailhost.put_live("rspamd/phrases", f"# Two.\n{EMMA} {'1' * 16} ciao\n{LUCA} {'2' * 16} ciao\n")
    token = carried(mailhost, lines(WHOLE | {"Body": "2" * 16}))
    assert found(mailhost, token) == WHOLE | {"Body": "1" * 16}
    mailhost.put_live("rspamd/phrases", "# None.\n")


def test_a_look_up_that_failed_at_the_first_door_is_not_waited_for_at_this_one(mailhost: MailHost) -> None:
    token = carried(mailhost, lines(WHOLE | {"From": f"temp {NONNA} dmarc"}))
    assert found(mailhost, token)["From"] == f"temp {NONNA} dmarc"
    assert fate(mailhost, token) == "in-3.unproven"


BROKEN = {
    "none": [],
    "one": lines({"From": f"pass {NONNA} dmarc"}),
    **{f"without {name}": lines({key: value for key, value in WHOLE.items() if key != name}) for name in NAMES},
    "two From": [*lines(WHOLE), f"X-Mailadmin-From: pass {NONNA} dmarc"],
    "two From, in two cases": [*lines(WHOLE), f"x-mailadmin-from: pass {NONNA} dmarc"],
    "one too many": [*lines(WHOLE), "X-Mailadmin-More: x"],
    "a folded one": [*lines(WHOLE)[1:], f"X-Mailadmin-From: pass\r\n {NONNA} dmarc"],
}


@pytest.mark.parametrize("how", BROKEN)
def test_facts_that_are_not_whole_are_none(mailhost: MailHost, how: str) -> None:
    token = carried(mailhost, BROKEN[how])
    said = found(mailhost, token)
    assert said.keys() == WHOLE.keys()
    assert (said["From"], said["Links"], said["Subject"]) == ("malformed", "0", "Ciao")
    assert fate(mailhost, token) == "in-1.malformed"


@pytest.mark.parametrize("null", [True, False])
def test_what_the_panel_writes_for_somebody_is_from_her(mailhost: MailHost, null: bool) -> None:
    """It brings no facts, and if it did, they would not be kept."""
    sender = "" if null else LUCA
    for brought in ([], lines(WHOLE)):
        token = carried(mailhost, brought, f"From: Luca <{LUCA}>", sender, own_login(mailhost.layout))
        assert found(mailhost, token)["From"] == f"pass {LUCA} login"
        assert found(mailhost, token)["Links"] == "0"
        assert fate(mailhost, token) == "deliver"


@pytest.mark.parametrize("author", [NONNA, EVIL, "nobody@myfamily.net", "kids@elsewhere.example"])
def test_the_panel_writes_for_our_people_alone(mailhost: MailHost, author: str) -> None:
    token = carried(mailhost, [], f"From: {author}", "", own_login(mailhost.layout))
    assert found(mailhost, token)["From"] == f"fail {author} login"
    assert fate(mailhost, token).startswith("in-3.unproven" if author == NONNA else "in-5.")


@pytest.mark.parametrize("forged", [lines(WHOLE), [line.lower() for line in lines(WHOLE)], lines(WHOLE)[:1]])
def test_no_other_door_lets_facts_in(mailhost: MailHost, forged: list[str]) -> None:
    token, raw = written(f"From: {NONNA}", *forged)
    let_in(mailhost, raw, NONNA)
    assert found(mailhost, token)["From"] == f"fail {NONNA} dmarc"
    token, raw = written(f"From: {EVIL}", *forged)
    let_in(mailhost, signed("other.test")(raw), EVIL)
    assert found(mailhost, token)["From"] == f"pass {EVIL} dmarc"
    token, raw = written(f"From: {LUCA}", *forged)
    submit(mailhost, LUCA, raw)
    assert found(mailhost, token)["From"] == f"pass {LUCA} login"
    token, raw = written(f"From: {OWN}", *forged)
    with signed_in(mailhost.layout, *own_login(mailhost.layout)) as dialogue:
        dialogue.sendmail(OWN, [EMMA], raw)
    assert found(mailhost, token)["From"] == f"pass {OWN} login"


def test_root_brings_no_facts_either(mailhost: MailHost) -> None:
    """What `sendmail` takes passes no filter: it has none."""
    token, raw = written(f"From: {NONNA}", *lines(WHOLE))
    words = ["sendmail", "-C", str(mailhost.layout.postfix), "-f", NONNA, EMMA]
    assert mailhost.run(*words, stdin=raw.replace(b"\r\n", b"\n")).returncode == 0
    assert found(mailhost, token) == {}
    assert fate(mailhost, token) == "in-1.malformed"


def test_a_letter_in_a_letter_brings_none(mailhost: MailHost) -> None:
    body = "\r\n".join(["--=b", "Content-Type: message/rfc822", "", *lines(WHOLE), "Subject: x", "", "x", "--=b--"])
    token, raw = written(
        f"From: {EVIL}", "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="=b"', body=body
    )
    let_in(mailhost, signed("other.test")(raw), EVIL)
    assert found(mailhost, token)["From"] == f"pass {EVIL} dmarc"
    token = uuid.uuid4().hex
    with at_the_door(mailhost) as dialogue:
        dialogue.sendmail(MARCO, [EMMA], raw.replace(b"Message-ID: <", f"Message-ID: <{token}".encode()))
    assert found(mailhost, token)["From"] == "malformed"
