"""Facts at the door, live: through SMTP, and with the filter down, broken, or lied to."""

import os
import signal
import smtplib
import socket
import threading
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from deploy.host.canary import CanaryError, sing
from deploy.render.facts import NAMES, PREFIX, Facts, parse
from deploy.setup.lay import CARRIER, HOSTNAME, Choices
from deploy.setup.templates import fill
from deploy.snapshot import Mailbox
from tests.host.letters import ANNA, HOUSE, INFO, KEYS, MARCO, answer, signed_in, stranger
from tests.host.machine import MailHost, start_filter, started_host, wait_for
from tests.host.outside import publish, signed, written
from tests.host.test_setup_laid import take_one_letter

pytestmark = pytest.mark.daemons
ROSA = "rosa@strict.test"


@pytest.fixture(scope="module")
def mailhost() -> Iterator[MailHost]:
    """A mail host of its own: Postfix complains while the filter is down, and others look at its log."""
    with started_host() as host:
        yield host


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    publish(mailhost.layout)


def arrived(host: MailHost, token: str, key: str = KEYS[ANNA]) -> bytes:
    """The head of the letter with this token, once it is there."""

    def found() -> list[bytes]:
        return [one for one in host.letters(key) if token.encode() in one]

    return bytes(wait_for(found, "the letter", 90)[0]).partition(b"\n\n")[0]


def facts(head: bytes) -> Facts:
    lines = [line.decode().partition(": ") for line in head.split(b"\n") if line.lower().startswith(b"x-mailadmin")]
    return parse((name, value) for name, _colon, value in lines)


def let_in(host: MailHost, raw: bytes, sender: str = ROSA) -> None:
    with stranger(host.layout) as dialogue:
        dialogue.sendmail(sender, ANNA, raw)


def test_a_proved_letter_arrives_with_its_facts(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    raw = written(f"From: Nonna <{ROSA}>", f"X-Token: {token}", "Reply-To: x@other.test", body="http://a.example/")
    let_in(mailhost, signed("strict.test")(raw))
    head = arrived(mailhost, token)
    assert sum(line.startswith(PREFIX.encode()) for line in head.split(b"\n")) == len(NAMES)
    found = facts(head)
    assert (found.verdict, found.address, found.how) == ("pass", ROSA, "dmarc")
    assert (found.reply_to, found.links, found.automatic, found.subject) == ("other", 1, False, "Ciao")


@pytest.mark.parametrize("how", ["stranger", "signed in"])
def test_forged_facts_vanish(mailhost: MailHost, how: str) -> None:
    token = uuid.uuid4().hex
    forged = [f"X-Mailadmin-From: pass {ROSA} dmarc", "x-mailadmin-spam : ham 0.0", "X-MAILADMIN-Other: x"]
    if how == "stranger":
        let_in(mailhost, written("From: evil@other.test", f"X-Token: {token}", *forged))
    else:
        with signed_in(mailhost.layout, MARCO) as dialogue:
            dialogue.sendmail(MARCO, ANNA, written(f"From: {MARCO}", f"X-Token: {token}", *forged))
    head = arrived(mailhost, token)
    assert b"Other" not in head
    assert facts(head).address == ("evil@other.test" if how == "stranger" else MARCO)
    assert facts(head).how == ("dmarc" if how == "stranger" else "login")


def test_a_from_with_a_blank_beside_a_proved_one_is_malformed(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    raw = signed("strict.test")(written(f"From: {ROSA}", f"X-Token: {token}"))
    let_in(mailhost, raw.replace(b"\r\n\r\n", b"\r\nFrom : evil@other.test\r\n\r\n", 1))
    assert facts(arrived(mailhost, token)).verdict == "malformed"


@pytest.mark.parametrize(
    ("author", "refusal"),
    [
        ("Anna <anna@house.test>", ""),
        ("kids@house.test", ""),
        (INFO, ""),
        ("anna+diary@old.test", ""),
        (MARCO, "5.7.1 anna@house.test may not write as marco@house.test"),
        ("someone@elsewhere.example", "5.7.1 anna@house.test may not write as someone@elsewhere.example"),
        (f'"{ANNA}" <{MARCO}>', "may not write as marco@house.test"),
        (f"{ANNA}\r\nFrom: {MARCO}", "must hold exactly one address"),
        (f"{ANNA}\r\nFrom : {MARCO}", "must hold exactly one address"),
    ],
)
def test_a_login_is_refused_another_from(mailhost: MailHost, author: str, refusal: str) -> None:
    with signed_in(mailhost.layout, ANNA) as dialogue:
        if not refusal:
            assert dialogue.sendmail(ANNA, MARCO, written(f"From: {author}")) == {}
            return
        with pytest.raises(smtplib.SMTPDataError) as caught:
            dialogue.sendmail(ANNA, MARCO, written(f"From: {author}"))
    assert caught.value.smtp_code == 554
    assert isinstance(caught.value.smtp_error, bytes)
    assert refusal in caught.value.smtp_error.decode()


def test_an_address_that_was_given_to_another_is_refused_at_once_in_an_open_session(mailhost: MailHost) -> None:
    theirs = Mailbox(INFO, KEYS[INFO], (MARCO,), "", 0, active=True)
    others = tuple(box for box in HOUSE.mailboxes if box.address != INFO)
    with signed_in(mailhost.layout, ANNA) as dialogue:
        assert dialogue.sendmail(ANNA, MARCO, written(f"From: {INFO}")) == {}
        mailhost.apply(replace(HOUSE, mailboxes=(*others, theirs)))
        with pytest.raises(smtplib.SMTPDataError, match="may not write as info@house"):
            dialogue.sendmail(ANNA, MARCO, written(f"From: {INFO}"))
    mailhost.apply(HOUSE)


@pytest.fixture
def filter_stopped(mailhost: MailHost) -> Iterator[None]:
    """rspamd is down, and comes back."""
    mailhost.running.control("stop", "rspamd")
    yield
    start_filter(mailhost)


def test_with_the_filter_down_letters_wait_outside(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    mailhost.running.control("stop", "rspamd")
    try:
        with stranger(mailhost.layout) as dialogue:
            assert answer(dialogue, ROSA, ANNA).startswith("451 ")
        with pytest.raises(smtplib.SMTPAuthenticationError, match="454"), signed_in(mailhost.layout, ANNA):
            pass
        with pytest.raises(CanaryError, match="rspamd does not answer"):
            sing(mailhost.layout)
    finally:
        start_filter(mailhost)
    let_in(mailhost, written(f"From: {ROSA}", f"X-Token: {token}"))
    assert facts(arrived(mailhost, token)).verdict == "fail"


def test_with_the_filter_gone_in_the_middle_of_a_letter_it_waits_outside(mailhost: MailHost) -> None:
    token = uuid.uuid4().hex
    raw = written(f"From: {ROSA}", f"X-Token: {token}")
    with stranger(mailhost.layout) as dialogue:
        dialogue.mail(ROSA)
        dialogue.rcpt(ANNA)
        mailhost.running.control("stop", "rspamd")
        try:
            code, _text = dialogue.data(raw)
        except smtplib.SMTPDataError as error:
            code = error.smtp_code
        finally:
            start_filter(mailhost)
    assert code == 451
    assert not [one for one in mailhost.letters(KEYS[ANNA]) if token.encode() in one]


def test_a_scanner_that_ends_in_the_middle_of_a_letter_is_asked_anew(mailhost: MailHost) -> None:
    """As rspamd does itself when one crashes: its place is taken at once, and the letter comes in with its facts."""
    token = uuid.uuid4().hex
    scanner = scanner_of(mailhost)
    with stranger(mailhost.layout) as dialogue:
        dialogue.mail(ROSA)
        dialogue.rcpt(ANNA)
        os.kill(scanner, signal.SIGSTOP)
        threading.Timer(1, os.kill, (scanner, signal.SIGKILL)).start()
        assert dialogue.data(written(f"From: {ROSA}", f"X-Token: {token}"))[0] == 250
    assert facts(arrived(mailhost, token)).verdict == "fail"
    assert scanner_of(mailhost) != scanner


def scanner_of(host: MailHost) -> int:
    """The process of rspamd that reads the letters."""
    main = host.running.control("pid", "rspamd").out.decode().strip()
    return int(host.run("pgrep", "-P", main, "-f", "normal process").stdout)


@pytest.mark.usefixtures("filter_stopped")
def test_wishes_go_live_while_the_filter_is_down(mailhost: MailHost) -> None:
    suspended = tuple(replace(box, active=box.address != ANNA and box.active) for box in HOUSE.mailboxes)
    assert mailhost.apply(replace(HOUSE, mailboxes=suspended)).changed
    assert mailhost.apply(HOUSE).changed


BROKEN = {
    "a syntax error": lambda lua: lua + "\n}\n",
    "an error at its start": lambda lua: "error('x')\n" + lua,
    "nothing in it": lambda _lua: "",
    "an error in a letter": lambda lua: lua.replace("local add, remove = {}, {}", "local add, remove = nil, {}"),
    "another name": lambda lua: lua.replace("'MAILADMIN_FACTS'", "'MAILADMIN_FICTION'"),
    "a fact too few": lambda lua: lua.replace("  { 'Auto', auto_fact, 'yes' },\n", ""),
    "addresses from comments": lambda lua: lua.replace("'()([\\\\\"()])'", "'()([\\\\\"])'"),
    "forged ones left": lambda lua: lua.replace("remove[one.name] = 0", "").replace(
        "remove['X-Mailadmin-'", "add['X-'"
    ),
    "always proved": lambda lua: lua.replace("then return 'temp', 'dmarc'", "then return 'pass', 'dmarc'").replace(
        "return verdict or 'none', how or evidence(task, signed)", "return 'pass', 'dkim'"
    ),
}


@pytest.mark.parametrize("change", BROKEN)
def test_a_broken_lua_is_not_taken_as_good(mailhost: MailHost, change: str) -> None:
    path, token = mailhost.layout.etc / "rspamd" / "rspamd.local.lua", uuid.uuid4().hex
    good = path.read_text()
    broken = BROKEN[change](good)
    assert broken != good
    mailhost.running.control("stop", "rspamd")
    path.write_text(broken)
    mailhost.running.control("start", "rspamd")
    try:
        wait_for(lambda: dead(mailhost) or "rspamd does not answer" not in problem(mailhost), "it to have read the Lua")
        assert problem(mailhost)
        if change in (
            "a syntax error",
            "an error at its start",
            "nothing in it",
            "an error in a letter",
            "another name",
        ):
            with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPSenderRefused)) as caught:
                let_in(mailhost, written(f"From: {ROSA}", f"X-Token: {token}"))
            assert caught.value.smtp_code == 451
    finally:
        mailhost.running.control("stop", "rspamd")
        path.write_text(good)
        start_filter(mailhost)
    assert not [one for one in mailhost.letters(KEYS[ANNA]) if token.encode() in one]


def problem(host: MailHost) -> str:
    try:
        sing(host.layout)
    except CanaryError as error:
        return str(error)
    return ""


def dead(host: MailHost) -> bool:
    state = host.running.control("status", "rspamd").out
    return b"BACKOFF" in state or b"FATAL" in state


def test_the_lua_holds_no_name_of_a_template(mailhost: MailHost) -> None:
    text = (mailhost.layout.etc / "rspamd" / "rspamd.local.lua").read_text()
    names = {
        "ROOT": str(mailhost.layout.root),
        "HOSTNAME": HOSTNAME,
        "OWN": f"mailadmin@{HOSTNAME}",
        "CARRIER": CARRIER,
    }
    assert text == fill("rspamd.local.lua", names)


def test_facts_do_not_leave_the_house() -> None:
    """What a relay host gets of a letter that was stamped here."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as sink:
        thread = threading.Thread(target=take_one_letter, args=(sink, got))
        thread.start()
        with started_host(Choices(relayhost=f"[127.0.0.1]:{sink.getsockname()[1]}")) as host:
            host.apply(HOUSE)
            with signed_in(host.layout, ANNA) as dialogue:
                dialogue.sendmail(ANNA, "x@elsewhere.example", written(f"From: {ANNA}"))
            wait_for(lambda: got, "the letter at the relay host")
        thread.join(10)
    assert b"Subject: Ciao" in got[0]
    assert b"mailadmin-from" not in got[0].lower()
    assert b"x-mailadmin" not in got[0].lower()
