"""The root helper does three things for one caller, and nothing else for anybody."""

import os
import pwd
import socket
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.host.helper import HelperError, ask
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons

ASKING = """
import socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
line.sendall(sys.argv[2].encode() + b"\\n")
print(line.recv(600).decode(), end="")
"""


def say(host: MailHost, request: bytes, *, then_close: bool = True) -> str:
    """Send bytes to the helper, as root, and return its whole answer."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(20)
        line.connect(str(host.layout.helper))
        line.sendall(request)
        if then_close:
            line.shutdown(socket.SHUT_WR)
        return line.makefile("rb").read().decode()


def test_agent_makes_a_folder(mailhost: MailHost) -> None:
    asked = mailhost.run(
        sys.executable, "-c", ASKING, str(mailhost.layout.helper), "folder 00000000000000a1", user="mailadmin-agent"
    )
    assert asked.stdout == b"ok\n"
    status = (mailhost.layout.mail / "00000000000000a1").stat()
    assert stat.S_IMODE(status.st_mode) == 0o700
    assert status.st_uid == pwd.getpwnam("vmail").pw_uid


def test_a_folder_that_is_there_stays_as_it_is(mailhost: MailHost) -> None:
    ask(mailhost.layout, "folder", "00000000000000a2")
    (mailhost.layout.mail / "00000000000000a2" / "letter").write_text("kept")
    ask(mailhost.layout, "folder", "00000000000000a2")
    assert (mailhost.layout.mail / "00000000000000a2" / "letter").read_text() == "kept"


@pytest.mark.parametrize("what", ["postfix", "dovecot"])
def test_reload_is_heard(mailhost: MailHost, what: str) -> None:
    log, words = {
        "postfix": ("mail.log", "reload -- version"),
        "dovecot": ("dovecot.log", "SIGHUP received - reloading configuration"),
    }[what]
    before = mailhost.log(log).count(words)
    ask(mailhost.layout, "reload", what)
    wait_for(lambda: mailhost.log(log).count(words) > before, f"{what} to say that it reloads")


def test_kicking_somebody_who_is_not_there_is_no_failure(mailhost: MailHost) -> None:
    assert ask(mailhost.layout, "kick", "nobody@kick.test") == ""


@pytest.mark.parametrize("user", ["nobody", "mailadmin", "vmail"])
def test_others_cannot_even_connect(mailhost: MailHost, user: str) -> None:
    asked = mailhost.run(
        sys.executable, "-c", ASKING, str(mailhost.layout.helper), "folder 00000000000000b1", user=user
    )
    assert b"PermissionError" in asked.stderr
    assert not (mailhost.layout.mail / "00000000000000b1").exists()


def test_the_agents_group_is_not_enough(mailhost: MailHost) -> None:
    agent, nobody = pwd.getpwnam("mailadmin-agent"), pwd.getpwnam("nobody")
    words = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={agent.pw_gid}", "--clear-groups", "--"]
    script = [sys.executable, "-c", ASKING, str(mailhost.layout.helper), "folder 00000000000000b2"]
    asked = mailhost.run(*words, *script)
    assert asked.stdout.decode() == f"refused user {nobody.pw_uid} may not ask\n"
    assert not (mailhost.layout.mail / "00000000000000b2").exists()


@pytest.mark.parametrize(
    "request_",
    [
        b"\n",
        b" \n",
        b"folder\n",
        b"folder \n",
        b"folder ../../../../tmp/x\n",
        b"folder /etc\n",
        b"folder 00000000000000c\n",
        b"folder 00000000000000c10\n",
        b"folder 00000000000000C1\n",
        b"folder 00000000000000c1 \n",
        b"folder  00000000000000c1\n",
        b"folder 00000000000000c1\r\n",
        b"folder 00000000000000c1\x00\n",
        b"folder 00000000000000c1\x0b\n",
        b"Folder 00000000000000c1\n",
        b"folder\t00000000000000c1\n",
        b"reload postfix dovecot\n",
        b"reload ../postfix\n",
        b"reload\n",
        b"kick *\n",
        b"kick ?@d.test\n",
        b"kick -A\n",
        b"kick --help@d.test\n",
        b"kick a@d.test b@d.test\n",
        b"kick a@d.test;id\n",
        b"kick \xc3\xa9@d.test\n",
        b"__class__ x\n",
        b"run id\n",
        b"\xff\xfe\x00\n",
    ],
)
def test_anything_else_is_refused(mailhost: MailHost, request_: bytes) -> None:
    before = sorted(path.name for path in mailhost.layout.mail.iterdir())
    assert say(mailhost, request_).startswith("refused ")
    assert sorted(path.name for path in mailhost.layout.mail.iterdir()) == before


def test_one_line_is_one_request(mailhost: MailHost) -> None:
    answer = say(mailhost, b"folder 00000000000000d1\nfolder 00000000000000d2\n")
    assert answer.startswith("refused ")
    assert not (mailhost.layout.mail / "00000000000000d1").exists()
    assert not (mailhost.layout.mail / "00000000000000d2").exists()


@pytest.mark.parametrize(
    "request_",
    [b"folder 00000000000000e1", b"folder 0000", b"", b"x" * 1000, b"x" * 100_000, b"folder " + b"0" * 1100 + b"\n"],
    ids=["no line feed", "half", "nothing", "1000", "100000", "too long"],
)
def test_an_unfinished_or_endless_line_is_refused(mailhost: MailHost, request_: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(20)
        line.connect(str(mailhost.layout.helper))
        try:
            line.sendall(request_)
            line.shutdown(socket.SHUT_WR)
            answer = line.recv(700)
        except (BrokenPipeError, ConnectionResetError):
            answer = b"refused by hanging up"
    assert answer.startswith(b"refused ")
    assert not (mailhost.layout.mail / "00000000000000e1").exists()


def test_a_silent_caller_keeps_nobody_waiting_and_is_sent_away(mailhost: MailHost) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.settimeout(20)
        silent.connect(str(mailhost.layout.helper))
        silent.sendall(b"folder 0000")
        started = time.monotonic()
        ask(mailhost.layout, "folder", "00000000000000f1")
        assert time.monotonic() - started < 2
        assert silent.recv(600).startswith(b"refused ")
        assert time.monotonic() - started < 10


def test_a_caller_who_does_not_wait_for_the_answer_does_no_harm(mailhost: MailHost) -> None:
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(mailhost.layout.helper))
            line.sendall(b"folder 00000000000000f2\n")
    ask(mailhost.layout, "folder", "00000000000000f3")


def test_fifty_at_once_are_all_served(mailhost: MailHost) -> None:
    keys = [f"00000000000050{number:02}" for number in range(50)]
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda key: ask(mailhost.layout, "folder", key), keys))
    assert all((mailhost.layout.mail / key).is_dir() for key in keys)


def test_a_link_in_place_of_a_mailbox_is_not_followed(mailhost: MailHost, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir(mode=0o755)
    planted = mailhost.layout.mail / "00000000000000aa"
    planted.symlink_to(target)
    try:
        with pytest.raises(HelperError, match="cannot be made a folder"):
            ask(mailhost.layout, "folder", planted.name)
    finally:
        planted.unlink()
    assert (target.stat().st_uid, stat.S_IMODE(target.stat().st_mode)) == (os.getuid(), 0o755)


def test_a_file_in_place_of_a_mailbox_is_said(mailhost: MailHost) -> None:
    planted = mailhost.layout.mail / "00000000000000ab"
    planted.write_text("here first")
    try:
        with pytest.raises(HelperError, match="Not a directory"):
            ask(mailhost.layout, "folder", planted.name)
    finally:
        planted.unlink()


def test_a_missing_helper_is_one_sentence(mailhost: MailHost, tmp_path: Path) -> None:
    with pytest.raises(HelperError, match="does not answer"):
        ask(replace(mailhost.layout, helper=tmp_path / "nobody.sock"), "reload", "postfix")
