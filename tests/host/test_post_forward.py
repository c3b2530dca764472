"""What a rule forwards, through the real program and the real door: it arrives whole, and it never circles."""

import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from socket import create_server

import pytest

from deploy.host.helper import ask
from deploy.host.submission import read_login
from deploy.setup.lay import Choices
from deploy.setup.people import person
from tests.host.family import ANNA, EMMA, HOME, KEYS, LUCA, MARCO, NONNA, fate, let_in, provider, settle, written
from tests.host.machine import MailHost, start_filter, started_host, wait_for
from tests.host.test_post_door import WHOLE, found, lines as facts
from tests.host.test_setup_laid import take_one_letter

pytestmark = pytest.mark.daemons
FULL = replace(HOME, mailboxes=tuple(
    replace(box, quota=1 << 20) if box.address == MARCO else replace(box, active=box.address != ANNA)
    for box in HOME.mailboxes
))  # fmt: skip
ABOVE = f"Return-Path: <someone@elsewhere.example>\nX-Original-To: {LUCA}\nDelivered-To: {LUCA}\n"


@pytest.fixture(scope="module", autouse=True)
def _home(mailhost: MailHost) -> Iterator[None]:
    settle(mailhost)
    yield
    mailhost.run("postsuper", "-c", str(mailhost.layout.postfix), "-d", "ALL")


def forward(host: MailHost, letter: bytes, *to: str, own: str = LUCA) -> tuple[int, str]:
    """Run the program as procmail does; exit code and word. It says nothing of the letter elsewhere."""
    done = host.run(str(host.layout.etc / "forward"), own, " ".join(to), user="vmail", stdin=letter)
    assert done.returncode in (0, 75), done.stderr
    assert len(done.stderr) < 100
    assert done.stdout == b"" or done.returncode == 0
    return done.returncode, done.stdout.decode()


def made(*lines: str, body: bytes = b"Ciao!\n") -> tuple[str, bytes]:
    """A letter as it lies in a folder, and its token."""
    token = uuid.uuid4().hex
    head = [f"{ABOVE}From: {NONNA}", f"Message-ID: <{token}@x>", *facts(WHOLE), *lines, "", ""]
    return token, "\n".join(head).encode("utf-8", "surrogateescape") + body


def arrived(host: MailHost, token: str, whose: str = MARCO) -> bytes:
    """The letter with this token in somebody's inbox, once it is there."""
    return bytes(
        wait_for(lambda: [one for one in host.letters(KEYS[whose]) if token.encode() in one], "the letter", 60)[0]
    )


def stays_away(host: MailHost, token: str) -> bool:
    """Whether no letter with this token was queued, once a later one has arrived."""
    later, letter = made()
    assert forward(host, letter, MARCO) == (0, "sent\n")
    arrived(host, later)
    ids = [line.partition("]: ")[2].partition(":")[0] for line in host.log().splitlines() if f"<{token}@" in line]
    assert not [one for one in ids if f"{one}: from=<" in host.log()]
    return not any(token.encode() in one for key in KEYS.values() for one in host.letters(key))


def mentions(host: MailHost, text: str) -> bool:
    """Whether Postfix has said this."""
    return text in host.log()


def queued(host: MailHost, token: str) -> str:
    """The queue id of the letter with this token, once it is known."""

    def here() -> list[str]:
        lines = [line for line in host.log().splitlines() if f"message-id=<{token}@" in line]
        return [line.partition("]: ")[2].partition(":")[0] for line in lines]

    return str(wait_for(here, "the letter in the log")[0])


def test_a_letter_to_one_of_ours_arrives_as_it_was(mailhost: MailHost) -> None:
    token, letter = made(
        "Subject: à", "X-Folded: a\n\tb", ".Dotted: x", body=b".\n..\n.x\n\nFrom x\n\xe8\n" + b"y" * 5_000
    )
    assert forward(mailhost, letter, MARCO) == (0, "sent\n")
    got = arrived(mailhost, token)
    head, _blank, body = got.partition(b"\n\n")
    assert body.rstrip(b"\n") == letter.partition(b"\n\n")[2]
    lines = head.decode().split("\n")
    assert lines[:3] == [f"Return-Path: <{LUCA}>", f"X-Original-To: {MARCO}", f"Delivered-To: {MARCO}"]
    for line in (f"X-Loop: {LUCA}", f"From: {NONNA}", "Subject: à", "X-Folded: a", "\tb", ".Dotted: x"):
        assert lines.count(line) == 1, line
    assert "elsewhere.example" not in head.decode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b".",
        b".\n",
        b"..\n.\n",
        b"no end",
        b"a\rb\r\nc\r\r\n.\r\n\r.\r\nd\n",
        b"\n.\nMAIL FROM:<x@y.test>\nRCPT TO:<anna@myfamily.net>\nDATA\nx\n.\n",
        b"\r\n.\r\nQUIT\r\nMAIL FROM:<>\r\n.\r\n",
        b"\xff\xfe\x80\n" * 3,
        b"x" * ((1 << 20) - 1) + b"\n.\n",
        b"x" * (1 << 20) + b"\n.\n",
        b"x" * ((1 << 20) - 2) + b"\n..\n",
        (b"." * 70 + b"\n") * 50_000,
    ],
    ids=range(14),
)  # fmt: skip
def test_every_body_is_kept_byte_by_byte(mailhost: MailHost, body: bytes) -> None:
    """But that a file ends in a line feed, and Postfix makes a blank of a CR by itself."""
    token, letter = made(body=body)
    assert forward(mailhost, letter, MARCO) == (0, "sent\n")
    got = arrived(mailhost, token).partition(b"\n\n")[2]
    ended = body if body.endswith(b"\n") or not body else body + b"\n"
    assert got.removesuffix(b"\n") == ended.removesuffix(b"\n").replace(b"\r", b" ")
    assert mailhost.log().count(f"message-id=<{token}@") == 1


def test_a_head_without_an_end_is_sent(mailhost: MailHost) -> None:
    token, letter = made()
    assert forward(mailhost, letter.partition(b"\n\n")[0], MARCO) == (0, "sent\n")
    assert arrived(mailhost, token)


def test_a_large_letter_is_sent_and_one_over_the_limit_is_refused(mailhost: MailHost) -> None:
    token, letter = made(body=(b"x" * 76 + b"\n") * 30_000)
    started = time.monotonic()
    assert forward(mailhost, letter, EMMA) == (0, "sent\n")
    assert time.monotonic() - started < 15
    assert fate(mailhost, token) == "deliver"
    token, letter = made(body=(b"x" * 76 + b"\n") * 700_000)
    assert forward(mailhost, letter, EMMA) == (0, "refused\n")
    assert stays_away(mailhost, token)


def test_a_letter_to_outside_waits_in_the_queue_without_its_way_here(mailhost: MailHost) -> None:
    token, letter = made("Subject: out")
    assert forward(mailhost, letter, "x@elsewhere.example", "y@elsewhere.example") == (0, "sent\n")
    queue_id = queued(mailhost, token)
    shown = mailhost.run("postcat", "-c", str(mailhost.layout.postfix), "-q", queue_id).stdout.decode()
    assert f"sender: {LUCA}" in shown
    assert f"X-Loop: {LUCA}" in shown
    assert "someone@elsewhere.example" not in shown
    for name in ("x", "y"):
        wait_for(partial(mentions, mailhost, f"{queue_id}: to=<{name}@elsewhere.example>"), "the letter to wait")


def test_nothing_that_we_know_of_it_goes_with_it() -> None:
    got: list[bytes] = []
    with create_server(("127.0.0.1", 0)) as sink:
        thread = threading.Thread(target=take_one_letter, args=(sink, got))
        thread.start()
        with started_host(Choices(relayhost=f"[127.0.0.1]:{sink.getsockname()[1]}")) as host:
            settle(host)
            token, raw = written(f"From: Nonna <{NONNA}>", to=LUCA)
            let_in(host, provider(host.layout, "gmail.com")(raw), NONNA, to=(LUCA,))
            letter = arrived(host, token, LUCA)
            assert forward(host, letter, "x@elsewhere.example") == (0, "sent\n")
            wait_for(lambda: got, "the letter at the relay host")
        thread.join(10)
    assert f"From: Nonna <{NONNA}>".encode() in got[0]
    assert b"DKIM-Signature: " in got[0]
    for word in (b"x-mailadmin", b"delivered-to", b"x-original-to", b"return-path"):
        assert word in letter.lower()
        assert word not in got[0].lower()


def test_what_was_proved_at_the_first_door_is_proved_at_the_next(mailhost: MailHost) -> None:
    """Nonna writes to Luca, who forwards to Emma: she is on Emma's list. So does a stranger."""
    token, raw = written(f"From: Nonna <{NONNA}>", to=LUCA)
    let_in(mailhost, provider(mailhost.layout, "gmail.com")(raw), NONNA, to=(LUCA,))
    letter = arrived(mailhost, token, LUCA)
    assert forward(mailhost, letter, EMMA) == (0, "sent\n")
    assert fate(mailhost, token) == "deliver"
    assert found(mailhost, token) == found(mailhost, token, LUCA)
    assert found(mailhost, token)["From"] == f"pass {NONNA} dmarc"
    token, raw = written("From: x@example.org", to=LUCA)
    let_in(mailhost, provider(mailhost.layout, "example.org")(raw), "x@example.org", to=(LUCA,))
    assert forward(mailhost, arrived(mailhost, token, LUCA), EMMA) == (0, "sent\n")
    assert fate(mailhost, token) == "in-5.stranger"


@pytest.mark.parametrize("more", ["X-Mailadmin-From: pass nonna.rosa@gmail.com dmarc", "X-Mailadmin-More: x"])
def test_who_writes_facts_into_a_letter_by_hand_loses_them(mailhost: MailHost, more: str) -> None:
    token, raw = written(f"From: Nonna <{NONNA}>", to=LUCA)
    let_in(mailhost, provider(mailhost.layout, "gmail.com")(raw), NONNA, to=(LUCA,))
    letter = arrived(mailhost, token, LUCA).replace(b"\n\n", f"\n{more}\n\n".encode(), 1)
    assert forward(mailhost, letter, EMMA) == (0, "sent\n")
    assert fate(mailhost, token) == "in-1.malformed"


def test_a_letter_is_sent_on_once_from_each_mailbox(mailhost: MailHost) -> None:
    token, letter = made()
    assert forward(mailhost, letter, MARCO) == (0, "sent\n")
    back = arrived(mailhost, token)
    assert forward(mailhost, back, LUCA, own=MARCO) == (0, "sent\n")
    again = arrived(mailhost, token, LUCA)
    assert again.count(b"\nX-Loop: ") == 2
    assert forward(mailhost, again, MARCO) == (0, "loop\n")
    assert forward(mailhost, again, LUCA, own=MARCO) == (0, "loop\n")


@pytest.mark.parametrize("line", [f"X-Loop: {LUCA}", f"x-loop:{LUCA.upper()} ", f"X-LOOP :\t{LUCA}"])
def test_a_loop_is_known_however_it_is_written(mailhost: MailHost, line: str) -> None:
    token, letter = made("X-Loop: other@elsewhere.example", line, body=b"x" * (5 << 20))
    assert forward(mailhost, letter, MARCO) == (0, "loop\n")
    assert stays_away(mailhost, token)


@pytest.mark.parametrize("lines", [["X-Loop: x@myfamily.net"], [f"X-Looped: {LUCA}"], [f"X: y\n X-Loop: {LUCA}"]])
def test_what_is_no_loop_is_sent(mailhost: MailHost, lines: list[str]) -> None:
    token, letter = made(*lines, body=f"X-Loop: {LUCA}\n".encode())
    assert forward(mailhost, letter, MARCO) == (0, "sent\n")
    arrived(mailhost, token)


def test_a_letter_without_a_sender_stays_without_so_that_no_report_circles(mailhost: MailHost) -> None:
    token, letter = made()
    letter = letter.replace(b"Return-Path: <someone@elsewhere.example>", b"Return-Path: <>")
    assert forward(mailhost, letter, MARCO) == (0, "sent\n")
    assert arrived(mailhost, token).startswith(b"Return-Path: <>\n")
    token, letter = made("Return-Path: <>")
    assert forward(mailhost, letter, MARCO) == (0, "sent\n")
    assert arrived(mailhost, token).startswith(f"Return-Path: <{LUCA}>\n".encode())


def test_an_address_that_nobody_has_is_refused_and_the_others_have_it(mailhost: MailHost) -> None:
    token, letter = made()
    assert forward(mailhost, letter, "nobody@myfamily.net") == (0, "refused\n")
    assert stays_away(mailhost, token)
    assert forward(mailhost, letter, "nobody@myfamily.net", MARCO) == (0, "refused\n")
    arrived(mailhost, token)


def test_a_suspended_and_a_full_mailbox_refuse(mailhost: MailHost) -> None:
    mailhost.apply(replace(FULL, generation=2))
    empty(mailhost)
    try:
        token, letter = made(body=(b"x" * 76 + b"\n") * 14_000)
        assert forward(mailhost, letter, ANNA) == (0, "refused\n")
        wait_for(lambda: forward(mailhost, letter, MARCO) == (0, "sent\n"), "room")
        arrived(mailhost, token)
        wait_for(lambda: forward(mailhost, made()[1], MARCO) == (0, "refused\n"), "the mailbox to be full")
    finally:
        empty(mailhost)
        mailhost.apply(replace(HOME, generation=3))


def empty(host: MailHost) -> None:
    """Take Marco's letters away."""
    for path in (host.layout.mail / KEYS[MARCO] / "Maildir" / "new").glob("*"):
        path.unlink()


@pytest.mark.parametrize(
    "to",
    [
        "",
        " ",
        "marco",
        "@myfamily.net",
        "<marco@myfamily.net>",
        "marco@myfamily.net\rRCPT TO:<anna@myfamily.net>",
        "marco@myfamily.net>,<anna@myfamily.net",
        "|id",
        '"marco"@myfamily.net',
        "MARCO@myfamily.net",
        "marcò@myfamily.net",
        "marco@myfamily.net /tmp/x",
    ],
)
def test_what_is_no_address_is_refused(mailhost: MailHost, to: str) -> None:
    token, letter = made()
    assert forward(mailhost, letter, to) == (0, "refused\n")
    assert forward(mailhost, letter, MARCO, own=to or "-") == (0, "refused\n")
    assert stays_away(mailhost, token)


DOWN = {"Postfix": ["postfix"], "Dovecot": ["dovecot"], "the filter": ["rspamd"]}


@pytest.mark.parametrize("what", DOWN)
def test_what_is_down_is_waited_for(mailhost: MailHost, what: str) -> None:
    token, letter = made()
    for program in DOWN[what]:
        mailhost.running.control("stop", program)
    try:
        if what == "Dovecot":  # an idle smtpd keeps its process alive
            ask(mailhost.layout, "reload", "postfix")
        wait_for(lambda: forward(mailhost, made()[1], MARCO) == (75, ""), f"{what} to be gone")
        assert forward(mailhost, letter, MARCO) == (75, "")
    finally:
        for program in DOWN[what]:
            mailhost.running.control("start", program)
        start_filter(mailhost)
    wait_for(lambda: forward(mailhost, letter, MARCO) == (0, "sent\n"), "the door", 30)
    arrived(mailhost, token)
    assert sum(token.encode() in one for one in mailhost.letters(KEYS[MARCO])) == 1


def test_one_address_that_can_not_be_told_of_keeps_the_letter_from_all(mailhost: MailHost) -> None:
    """Else the others would get it each time that it is tried again."""
    refused = mailhost.layout.root / "current" / "postfix" / "refused"
    token, letter = made()
    text = refused.read_text()
    try:
        refused.write_text(f"{text}{ANNA} 450 4.2.0 later\n")
        mailhost.run("postmap", "-c", str(mailhost.layout.postfix), f"hash:{refused}")
        wait_for(lambda: forward(mailhost, made()[1], ANNA) == (75, ""), "the map to be read")
        assert forward(mailhost, letter, MARCO, ANNA, "x@elsewhere.example") == (75, "")
        assert forward(mailhost, letter, "nobody@myfamily.net", ANNA, MARCO) == (75, "")
    finally:
        refused.write_text(text)
        mailhost.run("postmap", "-c", str(mailhost.layout.postfix), f"hash:{refused}")
    assert stays_away(mailhost, token)
    wait_for(lambda: forward(mailhost, letter, ANNA) == (0, "sent\n"), "the map to be read again")


def test_a_lost_secret_is_a_thing_to_mend_not_to_refuse(mailhost: MailHost) -> None:
    path = mailhost.layout.etc / "post-login"
    login, secret = read_login(path)
    for text in (f"{login} x{secret}\n", "", "one two three\n", "é è\n"):
        path.write_text(text)
        try:
            assert forward(mailhost, made()[1], MARCO) == (75, "")
        finally:
            path.write_text(f"{login} {secret}\n")
    assert forward(mailhost, made()[1], MARCO) == (0, "sent\n")


def test_killed_in_the_middle_of_a_letter_nothing_is_sent(mailhost: MailHost) -> None:
    token, letter = made(body=b"x" * 76 + b"\n")
    ids = person("vmail")
    with subprocess.Popen(
        [str(mailhost.layout.etc / "forward"), LUCA, MARCO],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=ids.uid, group=ids.gid, extra_groups=[], cwd="/",
    ) as process:  # fmt: skip
        assert process.stdin
        process.stdin.write(letter * 20_000)
        process.stdin.flush()
        os.kill(process.pid, signal.SIGKILL)
    assert stays_away(mailhost, token)


RECIPE = """SHELL=/bin/sh
LOGFILE={log}
LOGABSTRACT=no
ORGMAIL=/nonexistent
DEFAULT=/nonexistent
SAID=
:0 w
SAID=| {forward} "$1" "$2"

:0
* SAID ?? .
{{ LOG="said=$SAID" EXITCODE=0 HOST=_stop_ }}
LOG="nothing said"
EXITCODE=75
HOST=_stop_
"""


@pytest.mark.parametrize(
    ("to", "more", "said"),
    [(MARCO, "X: y", "sent"), ("nobody@myfamily.net", "X: y", "refused"), (MARCO, f"X-Loop: {LUCA}", "loop")],
)
def test_procmail_hears_the_word(mailhost: MailHost, to: str, more: str, said: str) -> None:
    folder = mailhost.var / "lib" / "procmail-test"
    folder.mkdir(exist_ok=True)
    os.chown(folder, person("vmail").uid, person("vmail").gid)
    log, recipe = folder / uuid.uuid4().hex, folder / "rc"
    recipe.write_text(RECIPE.format(log=log, forward=mailhost.layout.etc / "forward"))
    token, letter = made(more, body=b"x" * (1 << 20))
    done = mailhost.run("procmail", "-t", "-m", str(recipe), LUCA, to, user="vmail", stdin=letter)
    assert (done.returncode, log.read_text()) == (0, f"said={said}")
    if said == "sent":
        assert b"\nFrom " not in arrived(mailhost, token)
