"""A private mail host for tests: real daemons on loopback, without Django, in a folder and on ports of its own.

`started_host()` lays it down with the code that a person uses and stops all of it at the end. It is slow to start
(about three seconds) and quick to use, so the fixture `mailhost` shares one between the tests of a run; give every
test domains of its own, or apply what it needs at its beginning.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.host.apply import Applied, ApplyError
from deploy.host.canary import CanaryError, sing
from deploy.host.layout import Layout
from deploy.setup.lay import Choices, lay
from deploy.setup.panel import filter_answers, mail_answers
from deploy.setup.people import person
from deploy.setup.place import find_place
from deploy.setup.ports import taken
from deploy.setup.programs import mail_programs
from deploy.setup.supervision import Running, supervise
from deploy.snapshot import Snapshot

CHECKOUT = Path(__file__).resolve().parents[2]
PATTERNS = Path("/var/tmp/mailadmin-rspamd-patterns")  # as root alone may write there: rspamd believes what it reads


@dataclass(frozen=True, slots=True)
class MailHost:
    """A running private mail host."""

    var: Path
    code: Path
    layout: Layout
    running: Running

    def apply(self, snapshot: Snapshot, at: datetime | None = None) -> Applied:
        """Make wishes live, here and now, as the agent does. Raises ApplyError as it does."""
        moment = (at or datetime.now(UTC)).isoformat()
        script = (Path(__file__).parent / "agent.py").read_text()
        words = [sys.executable, "-c", script, str(self.code), str(self.layout.etc / "host.json"), moment]
        done = self.run(*words, user=self.layout.agent, stdin=snapshot.to_json().encode())
        if done.returncode:
            raise ApplyError(done.stderr.decode().strip())
        return Applied(**json.loads(done.stdout))

    def put_live(self, path: str, text: str) -> None:
        """Write into the live release what no release would hold, such as a broken recipe."""
        target = self.layout.root / "current" / path
        staging = target.with_name(".new")
        staging.write_text(text)
        staging.chmod(0o640)
        agent = person(self.layout.agent)
        os.chown(staging, agent.uid, target.parent.stat().st_gid)
        staging.rename(target)

    def log(self, name: str = "mail.log") -> str:
        """What a daemon has said so far."""
        return (self.layout.root / "log" / name).read_text(encoding="utf-8", errors="replace")

    def letters(self, key: str) -> list[bytes]:
        """The new letters of a mailbox, as they lie in its folder."""
        return [path.read_bytes() for path in sorted((self.layout.mail / key / "Maildir" / "new").glob("*"))]

    def run(self, *words: str, user: str | None = None, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a program as one of the system's users."""
        rights: dict[str, Any] = {}
        if user:
            ids = person(user)
            rights = {"user": ids.uid, "group": ids.gid, "extra_groups": list(ids.groups)}
        return subprocess.run(words, input=stdin, capture_output=True, timeout=30, check=False, cwd="/", **rights)


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Wait until something is so, and return it."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.02)
    return found


def wait_with_retries(host: MailHost, condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait until something is so, and have Postfix try what waits meanwhile.

    Once is not enough: a letter may still be on its way into the queue of those put off, and would wait there for
    minutes.
    """

    def tried() -> Any:
        host.run("postqueue", "-c", str(host.layout.postfix), "-f")
        return condition()

    return wait_for(tried, what, seconds)


def start_filter(host: MailHost) -> None:
    """Start rspamd, and wait until it writes facts."""
    host.running.control("start", "rspamd")
    wait_for(lambda: sings(host), "the filter", 60)


def sings(host: MailHost) -> bool:
    """Whether rspamd writes facts."""
    try:
        sing(host.layout)
    except CanaryError:
        return False
    return True


def free_base() -> int:
    """A port base whose ports are all free just now, and which no other test takes meanwhile."""
    for base in range(20000 + os.getpid() % 97 * 100, 57000, 100):
        if claim(base) and not taken(base):
            return base
    raise AssertionError("no free ports on loopback")


def claim(base: int) -> bool:
    """Take a base until this process ends: two hosts that start at once would both find its ports free."""
    lock = os.open(f"/tmp/mailadmin-test-ports-{base}", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return False
    return True


def bring_patterns(folder: Path) -> None:
    """Give a new host the patterns that an earlier one compiled: rspamd works on them for half a minute."""
    if PATTERNS.is_dir():
        folder.mkdir(parents=True)
        for path in PATTERNS.iterdir():
            shutil.copy(path, folder)
            shutil.chown(folder / path.name, "_rspamd", "_rspamd")


def keep_patterns(folder: Path) -> None:
    """Keep what a host compiled for the next one, whole or not at all."""
    if not PATTERNS.is_dir() and list(folder.glob("*.hsmp")):
        staging = Path(tempfile.mkdtemp(prefix="mailadmin-patterns-", dir="/tmp"))
        for path in folder.glob("*.hs*"):
            shutil.copy(path, staging)
        with suppress(OSError):  # another run was first
            staging.rename(PATTERNS)
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def temporary_var() -> Iterator[Path]:
    """A folder for `var` that the daemons' users can enter, which pytest's own are not; gone afterwards.

    Gone is also the copy of the code that a checkout needs which these users cannot enter.
    """
    folder = Path(tempfile.mkdtemp(prefix="mailadmin-test-", dir="/tmp"))
    folder.chmod(0o755)
    code = find_place(CHECKOUT, folder / "var").code
    bring_patterns(folder / "var" / "lib" / "rspamd")
    try:
        yield folder / "var"
    finally:
        keep_patterns(folder / "var" / "lib" / "rspamd")
        shutil.rmtree(folder)
        if code != CHECKOUT:
            shutil.rmtree(code.parent, ignore_errors=True)


@contextmanager
def started_host(choices: Choices | None = None, *, clock: bool = False) -> Iterator[MailHost]:
    """A private mail host, up and answering; gone afterwards. Without a clock a test says what time it is."""
    with temporary_var() as var:
        place = find_place(CHECKOUT, var)
        place.prepare_state()
        place.prepare_code()
        layout = lay(place.var, free_base(), place.code, choices)
        programs = [one for one in mail_programs(layout, place.code) if clock or one.name != "clock"]
        with supervise(place.var, sys.executable, programs) as running:
            running.wait(lambda: filter_answers(layout), "the filter rspamd", 170)
            sing(layout)
            running.wait(lambda: mail_answers(layout), "the mail host", 30)
            yield MailHost(place.var, place.code, layout, running)
