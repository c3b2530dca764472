"""`script/server` as a person runs it: it starts, says where it is, and whatever ends it, no process stays."""

import json
import os
import signal
import smtplib
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.host.machine import CHECKOUT, free_base, temporary_var, wait_for

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(300)]


class Server:
    """A runner that was started in a process group of its own, and what it has printed."""

    def __init__(self, var: Path, base: int, *options: str) -> None:
        """Start it; `var` may hold the state of an earlier one."""
        self.var, self.base = var, base
        self.out, self.err = var.parent / "out", var.parent / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.setup.server", *options],
                stdout=out,
                stderr=err,
                cwd=CHECKOUT,
                env={"PATH": os.environ["PATH"], "MAILADMIN_VAR": str(var), "MAILADMIN_PORT_BASE": str(base)},
                start_new_session=True,
            )

    def said(self) -> str:
        return self.out.read_text()

    def ready(self) -> bool:
        assert self.process.poll() is None, self.err.read_text()
        return "Mailadmin is running" in self.said()

    def wait_until_ready(self) -> None:
        wait_for(self.ready, "the server to be ready", 120)

    def end(self, number: int, seconds: float = 60) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)


@contextmanager
def server(var: Path, base: int, *options: str) -> Iterator[Server]:
    running = Server(var, base, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end(signal.SIGTERM)


def processes(var: Path) -> list[str]:
    """The command lines of all processes that know of this folder, by argument, environment or open folder."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            known = command + (folder / "environ").read_bytes().decode(errors="replace") + os.readlink(folder / "cwd")  # noqa: PTH115
            if f"{var}" in known and int(folder.name) != os.getpid():
                found.append(command)
    return found


@pytest.fixture
def var() -> Iterator[Path]:
    with temporary_var() as folder:
        yield folder
        try:
            wait_for(lambda: not processes(folder), "the end of every process", 60)
        except AssertionError:
            raise AssertionError(f"these are left: {processes(folder)}") from None


def test_it_starts_says_where_it_is_and_ends_without_a_trace(var: Path) -> None:
    base = free_base()
    with server(var, base) as running:
        running.wait_until_ready()
        said = running.said()
        assert f"http://localhost:{8000 + base}/" in said
        assert f"127.0.0.1:{2587 + base}" in said
        assert "shown this once" in said
        with urllib.request.urlopen(f"http://127.0.0.1:{8000 + base}/", timeout=10) as page:
            assert page.status == 200
        assert running.end(signal.SIGINT) == 0
        assert processes(var) == []
        assert not list(var.glob("**/*.sock"))
    assert running.said().endswith("Stopping …\nStopped.\n")
    assert running.err.read_text() == ""


def test_whoever_kills_the_runner_leaves_nothing_and_the_next_start_works(var: Path) -> None:
    base = free_base()
    with server(var, base, "--empty") as running:
        running.wait_until_ready()
        assert "The first page makes the administrator." in running.said()
        running.end(signal.SIGKILL)
    wait_for(lambda: not processes(var), "everything to end by itself", 40)
    with server(var, base, "--empty", "--check") as again:
        wait_for(lambda: again.process.poll() is not None, "the check", 120)
    assert again.process.returncode == 1
    assert "nothing to check" in again.err.read_text()


def test_a_runner_and_its_supervisor_killed_together_are_cleaned_up(var: Path) -> None:
    base = free_base()
    with server(var, base) as running:
        running.wait_until_ready()
        os.kill(int((var / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
        running.process.kill()
        running.process.wait(10)
    with server(var, base, "--check") as again:
        wait_for(lambda: again.process.poll() is not None, "the check", 120)
    assert again.process.returncode == 0, again.err.read_text() + again.said()
    mailboxes = json.loads((var / "db" / "example.json").read_text())
    for address in mailboxes:
        assert f"ok     anna@myfamily.net -> {address}: " in again.said()


def test_a_second_one_is_refused_and_a_check_uses_the_first(var: Path) -> None:
    base = free_base()
    with server(var, base) as running:
        running.wait_until_ready()
        words = [sys.executable, "-m", "deploy.setup.server"]
        env = {"PATH": os.environ["PATH"], "MAILADMIN_VAR": str(var), "MAILADMIN_PORT_BASE": str(base)}
        second = subprocess.run(words, cwd=CHECKOUT, env=env, capture_output=True, timeout=60, check=False)
        assert second.returncode == 1
        assert (
            second.stderr.decode()
            == f"script/server: Mailadmin already runs from {var} (process {running.process.pid}).\n"
        )
        check = subprocess.run(
            [*words, "--check"], cwd=CHECKOUT, env=env, capture_output=True, timeout=120, check=False
        )
        assert check.returncode == 0, check
        other = env | {"MAILADMIN_VAR": str(var.parent / "other")}
        taken = subprocess.run(words, cwd=CHECKOUT, env=other, capture_output=True, timeout=60, check=False)
        assert taken.returncode == 1
        assert taken.stderr.decode().startswith(
            f"script/server: Port {8000 + base} (http) is taken by another program; "
        )
        assert taken.stderr.count(b"\n") == 1
        with smtplib.SMTP("127.0.0.1", 2525 + base, timeout=10) as dialogue:
            assert dialogue.noop()[0] == 250


def test_mail_is_served_without_panel_worker_and_queue(var: Path) -> None:
    base = free_base()
    with server(var, base) as running:
        running.wait_until_ready()
        control = [sys.executable, "-m", "supervisor.supervisorctl", "-c", str(var / "etc" / "supervisord.conf")]
        subprocess.run([*control, "stop", "panel", "worker", "redis"], check=True, capture_output=True, timeout=60)
        (var / "db" / "mailadmin.sqlite3").rename(var / "db" / "away")
        words = [sys.executable, "-m", "deploy.setup.server", "--check"]
        env = {"PATH": os.environ["PATH"], "MAILADMIN_VAR": str(var), "MAILADMIN_PORT_BASE": str(base)}
        check = subprocess.run(words, cwd=CHECKOUT, env=env, capture_output=True, timeout=120, check=False)
        assert check.returncode == 0, check


@pytest.mark.parametrize(
    ("number", "sign"),
    [
        (signal.SIGTERM, "etc/tls"),
        (signal.SIGINT, "etc/postfix/main.cf"),
        (signal.SIGTERM, "host/current"),
        (signal.SIGHUP, "run/supervisord.pid"),
    ],
)
def test_an_end_half_way_leaves_nothing(var: Path, number: int, sign: str) -> None:
    with server(var, free_base()) as running:
        wait_for(lambda: os.path.lexists(var / sign), "half a start", 60)
        assert running.end(number) == 0
        assert processes(var) == []
