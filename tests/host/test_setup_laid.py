"""What the installer lays down: owners and rights whatever the umask, the same at every start, logs for the agent."""

import os
import pwd
import socket
import stat
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

from deploy.host.layout import Layout
from deploy.setup.folders import FILES, FOLDERS, make_folders
from deploy.setup.lay import Choices, lay
from deploy.setup.people import SetupError, group, person
from deploy.setup.place import STATE, Place, can_be_entered, copy_code, find_place, is_open
from deploy.setup.ports import check_ports, read_base
from deploy.setup.templates import fill
from tests.host.letters import ANNA, HOUSE, letter, signed_in, stranger
from tests.host.machine import CHECKOUT, MailHost, free_base, started_host, temporary_var, wait_for

pytestmark = pytest.mark.daemons
LAYING = """
import os, sys
os.umask(0o077)
from pathlib import Path
from deploy.setup.lay import lay
lay(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
"""


def rights(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


def test_owners_and_rights_are_those_of_the_table(mailhost: MailHost) -> None:
    for name, owner, belongs, mode in (*FOLDERS, *FILES):
        assert rights(mailhost.var / name) == (person(owner).uid, group(belongs), mode), name
    assert rights(mailhost.var / "etc" / "tls" / "key.pem") == (0, 0, 0o600)
    assert rights(mailhost.var / "db" / "secret_key")[2] == 0o640
    assert stat.S_IMODE(mailhost.layout.helper.stat().st_mode) == 0o660


def test_a_strict_umask_changes_nothing(mailhost: MailHost) -> None:
    with temporary_var() as var:
        words = [sys.executable, "-c", LAYING, str(var), str(free_base()), str(mailhost.code)]
        subprocess.run(words, check=True, timeout=60, cwd=mailhost.code, env={"PATH": os.environ["PATH"]})
        for path in (path for path in var.rglob("*") if not path.is_socket()):
            if (twin := mailhost.var / path.relative_to(var)).exists() and "releases" not in path.parts:
                assert rights(path) == rights(twin), path


def test_laying_down_again_changes_nothing(mailhost: MailHost) -> None:
    with temporary_var() as var:
        base = free_base()
        lay(var, base, mailhost.code)
        before = {path: path.lstat() for path in var.rglob("*") if path.is_file()}
        lay(var, base, mailhost.code)
        after = {path: path.lstat() for path in var.rglob("*") if path.is_file()}
    assert before.keys() == after.keys()
    changed = [path for path in before if before[path].st_mtime_ns != after[path].st_mtime_ns]
    assert [path for path in changed if path.name not in ("mail.log", "prng_exch")] == []


def test_a_change_of_ports_is_written_and_a_changed_file_put_right(mailhost: MailHost) -> None:
    with temporary_var() as var:
        base = free_base()
        layout = lay(var, base, mailhost.code)
        key = (layout.etc / "tls" / "key.pem").read_text()
        (layout.postfix / "main.cf").write_text("something else\n")
        moved = lay(var, base + 1, mailhost.code)
        assert Layout.read(moved.etc / "host.json") == moved
        assert str(moved.smtp) in (moved.postfix / "master.cf").read_text()
        assert "virtual_transport = procmail" in (moved.postfix / "main.cf").read_text()
        assert (layout.etc / "tls" / "key.pem").read_text() == key


def test_postfix_and_dovecot_have_nothing_to_complain_of(mailhost: MailHost) -> None:
    for words in (
        ["postconf", "-c", str(mailhost.layout.postfix), "-n"],
        ["doveconf", "-c", str(mailhost.layout.dovecot), "-n"],
    ):
        said = mailhost.run(*words)
        assert (said.returncode, said.stderr) == (0, b"")
    mailhost.apply(HOUSE)
    before = len(mailhost.log())  # other tests give reasons to complain
    mailhost.run("postfix", "-c", str(mailhost.layout.postfix), "reload")
    with stranger(mailhost.layout) as dialogue:
        dialogue.sendmail("someone@elsewhere.example", ANNA, letter("complaints"))
    with signed_in(mailhost.layout, ANNA) as dialogue:
        dialogue.sendmail(ANNA, ANNA, letter("complaints", author=ANNA))
    wait_for(lambda: mailhost.log()[before:].count(": removed") == 2, "both letters")
    said_since = mailhost.log()[before:].splitlines()
    assert [line for line in said_since if "warning" in line.lower() or "fatal" in line] == []


def test_the_agent_cannot_put_anything_in_the_place_of_the_logs(mailhost: MailHost) -> None:
    root = mailhost.layout.root
    for words in (
        ["mv", "--", str(root / "log"), str(root / "elsewhere")],
        ["rm", "--", str(root / "log" / "mail.log")],
        ["ln", "-s", "--", "/etc/passwd", str(root / "log" / "new.log")],
        ["tee", "--", str(root / "log" / "mail.log")],
    ):
        assert mailhost.run(*words, user="mailadmin-agent").returncode != 0, words
    assert mailhost.run("ln", "-s", "--", "x", str(root / "own"), user="mailadmin-agent").returncode == 0
    assert mailhost.run("rm", "--", str(root / "own"), user="mailadmin-agent").returncode == 0


@pytest.mark.parametrize("user", ["mailadmin", "nobody"])
def test_others_read_no_log_and_no_password(mailhost: MailHost, user: str) -> None:
    root = mailhost.layout.root
    for path in (
        "log/mail.log",
        "log/dovecot.log",
        "log/procmail.log",
        "current/dovecot/passwd",
        "current/snapshot.json",
    ):
        assert mailhost.run("cat", "--", str(root / path), user=user).returncode != 0, path


def test_the_agent_reads_the_logs_also_after_they_were_moved_away(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    folder = mailhost.layout.root / "log"
    for name in ("mail.log", "dovecot.log", "procmail.log"):
        assert mailhost.run("cat", "--", str(folder / name), user="mailadmin-agent").returncode == 0
    old = (folder / "mail.log").rename(folder / "mail.log.1")
    make_folders(mailhost.var)  # Postfix 3.7 would make the new one for root alone
    mailhost.run("postfix", "-c", str(mailhost.layout.postfix), "reload")
    with stranger(mailhost.layout) as dialogue:
        dialogue.noop()
    wait_for(lambda: "connect from" in mailhost.log(), "lines in the new log")
    try:
        assert mailhost.run("cat", "--", str(folder / "mail.log"), user="mailadmin-agent").returncode == 0
        assert mailhost.run("cat", "--", str(folder / "mail.log"), user="nobody").returncode != 0
    finally:
        old.write_text(old.read_text() + (folder / "mail.log").read_text())
        old.rename(folder / "mail.log")
        mailhost.run("postfix", "-c", str(mailhost.layout.postfix), "reload")


def test_outside_mail_goes_to_the_relay_host_that_was_named() -> None:
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as sink:
        relay = f"[127.0.0.1]:{sink.getsockname()[1]}"
        thread = threading.Thread(target=take_one_letter, args=(sink, got))
        thread.start()
        with started_host(Choices(relayhost=relay)) as host:
            host.apply(HOUSE)
            token = uuid.uuid4().hex
            with signed_in(host.layout, ANNA) as dialogue:
                dialogue.sendmail(ANNA, "x@elsewhere.example", letter(token, author=ANNA))
            wait_for(lambda: got, "the letter at the relay host")
        thread.join(10)
    assert token.encode() in got[0]


def take_one_letter(sink: socket.socket, got: list[bytes]) -> None:
    """The other side of one SMTP dialogue."""
    caller, _address = sink.accept()
    with caller, caller.makefile("rb") as lines:
        caller.sendall(b"220 sink\r\n")
        for line in lines:
            if line.upper().startswith(b"DATA"):
                caller.sendall(b"354 go on\r\n")
                letter_ = b"".join(iter(lines.readline, b".\r\n"))
                caller.sendall(b"250 ok\r\n")
                got.append(letter_)
                return
            caller.sendall(b"250 ok\r\n")


@pytest.mark.parametrize("relay", ["elsewhere", "[127.0.0.1]:x", "[127.0.0.1]\nrelay_domains = all", "[a b]"])
def test_a_relay_host_that_is_none_is_refused(mailhost: MailHost, relay: str) -> None:
    with temporary_var() as var, pytest.raises(SetupError, match="MAILADMIN_RELAYHOST"):
        lay(var, 0, mailhost.code, Choices(relayhost=relay))


@pytest.mark.parametrize(("port", "name", "kind"), [(2143, "imap", "STREAM"), (2053, "dns", "DGRAM")])
def test_a_taken_port_is_named(port: int, name: str, kind: str) -> None:
    base = free_base()
    with socket.socket(type=socket.SocketKind[f"SOCK_{kind}"]) as other:
        other.bind(("127.0.0.1", port + base))
        if name == "imap":
            other.listen()
        with pytest.raises(SetupError, match=rf"Port {port + base} \({name}\)"):
            check_ports(base)
    check_ports(base)


@pytest.mark.parametrize("text", ["", "-1", "x", "1e3", "57536", "٣", "1 "])
def test_a_port_base_is_a_number(text: str) -> None:
    with pytest.raises(SetupError, match="MAILADMIN_PORT_BASE"):
        read_base(text)


def test_a_template_never_keeps_a_name() -> None:
    with pytest.raises(SetupError, match="nobody knows"):
        fill("redis.conf", {})


def test_a_checkout_that_is_closed_is_run_from_a_copy(tmp_path: Path) -> None:
    closed = tmp_path / "checkout"
    closed.mkdir(mode=0o700)
    (closed / "manage.py").write_text("print()")
    (closed / ".venv" / "bin").mkdir(parents=True)
    (closed / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    place = find_place(closed, closed / "var")
    assert place.code.is_relative_to(STATE)
    assert place.var.is_relative_to(STATE)
    assert str(place.var) in place.note


def test_a_copy_is_open_to_all_and_leaves_state_and_history_out(tmp_path: Path) -> None:
    checkout, code = tmp_path / "checkout", tmp_path / "code"
    for name in ("deploy/host", ".git/objects", "var/db", ".venv/bin", "deploy/var"):
        (checkout / name).mkdir(parents=True, mode=0o700)
        (checkout / name / "file").write_text(name)
        (checkout / name / "file").chmod(0o600)
    (checkout / "manage.py").touch(mode=0o700)
    copy_code(checkout, code)
    copy_code(checkout, code)
    files = sorted(str(path.relative_to(code)) for path in code.rglob("*") if path.is_file())
    assert files == [".venv/bin/file", "deploy/host/file", "deploy/var/file", "manage.py"]
    assert stat.S_IMODE((code / "deploy" / "host").stat().st_mode) == 0o755
    assert stat.S_IMODE((code / "deploy" / "host" / "file").stat().st_mode) == 0o644
    assert stat.S_IMODE((code / "manage.py").stat().st_mode) == 0o755


def test_open_means_open_to_those_who_must_enter(tmp_path: Path) -> None:
    with temporary_var() as var:
        var.mkdir(mode=0o755, exist_ok=True)
        (file := var / "file").touch(mode=0o644)
        assert is_open(file)
        assert can_be_entered(file)
        file.chmod(0o640)
        assert not is_open(file)
        file.chmod(0o644)
        var.chmod(0o750)
        assert not is_open(file)
        assert not can_be_entered(file)


def test_state_that_cannot_be_reached_is_not_left_behind_in_silence(tmp_path: Path) -> None:
    wished = tmp_path / "var"
    (wished / "db").mkdir(parents=True)
    real = tmp_path / "state" / "var"
    with pytest.raises(SetupError, match="holds state that the daemons cannot reach"):
        Place(CHECKOUT, wished, real, CHECKOUT).prepare_state()


def test_the_users_are_system_users_without_a_login() -> None:
    for name in ("mailadmin", "mailadmin-agent", "vmail"):
        entry = pwd.getpwnam(name)
        assert entry.pw_shell == "/usr/sbin/nologin"
        assert entry.pw_uid < 1000
