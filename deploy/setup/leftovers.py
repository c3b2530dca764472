"""One runner at a time for each `var/`, and no process of an earlier one left behind.

In: `var/`. Touched: the lock `run/server.lock`; processes whose pid stands in a pid file below `var/` and whose
command line names that `var/`. No other process is ever looked for. Raises Running when the lock is taken.
"""

import fcntl
import os
import re
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

POSTFIX = "spool/postfix/pid/master.pid"
# What each process writes of itself, the one that starts the others first.
PID_FILES = (
    "run/supervisord.pid",
    "redis/redis.pid",
    POSTFIX,
    "lib/dovecot/master.pid",
)
PATIENCE = 20.0


class AlreadyRunning(Exception):
    """Another runner holds this `var/`; the text is one sentence."""


def lock(var: Path) -> int:
    """Hold `var/` for as long as this process lives; the kernel lets go however it ends."""
    descriptor = os.open(var / "run" / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise AlreadyRunning(f"Mailadmin already runs from {var} (process {holder or 'unknown'}).") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, b"%d\n" % os.getpid())
    return descriptor


def end_leftovers(var: Path, names: Iterable[str] = PID_FILES) -> list[int]:
    """End what an earlier runner that was killed has left; the pids."""
    found = list(leftovers(var, names))
    for number, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, 5.0)):
        for pid in found:
            if is_ours(pid, var):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
        if _wait_until_gone(found, var, patience):
            break
    return found


def leftovers(var: Path, names: Iterable[str]) -> Iterator[int]:
    """The pids in the pid files that are alive and ours."""
    for name in names:
        with suppress(OSError):
            digits = re.fullmatch(rb"\s*([0-9]{1,7})\s*", (var / name).read_bytes()[:32])
            if digits and is_ours(int(digits[1]), var):
                yield int(digits[1])


def is_ours(pid: int, var: Path) -> bool:
    """Whether a living process was told about this `var/` on its command line."""
    with suppress(OSError):
        return f"{var}/".encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _wait_until_gone(pids: list[int], var: Path, patience: float) -> bool:
    until = time.monotonic() + patience
    while any(is_ours(pid, var) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
