"""The processes of a private mail host, under supervisord: started, watched and stopped together.

In: `var/`, the code's folder, which programs. Out: `Running`, a context manager. Touched: `etc/supervisord.conf`,
`log/`, the processes. Raises SetupError when a process does not come up, with the end of its log.

Each process asks the kernel to be stopped when the one that started it dies (`setpriv --pdeathsig`), so that even
`kill -9` of the runner leaves nothing behind.
"""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.host.commands import CommandError, Completed, Process, run, start, stop
from deploy.setup.people import SetupError
from deploy.setup.templates import write

STOP_SECONDS = 40.0
WITH_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its words, whom it runs as, and what it is told through the environment. Paths are plain words."""

    name: str
    words: tuple[str, ...]
    user: str = "root"
    umask: str = "022"
    folder: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    priority: int = 10

    def section(self, log: Path) -> str:
        """The program's part of supervisord.conf."""
        told = ",".join(f"{name}={_quoted(value)}" for name, value in sorted(self.environment.items()))
        command = shlex.join([*WITH_PARENT, *self.words]).replace("%", "%%")
        return (
            f"\n[program:{self.name}]\ncommand={command}\nuser={self.user}\numask={self.umask}\n"
            f"directory={self.folder}\nenvironment={told}\npriority={self.priority}\n"
            "autorestart=true\nstartsecs=2\nstartretries=3\nstopasgroup=false\nkillasgroup=true\nstopwaitsecs=10\n"
            f"redirect_stderr=true\nstdout_logfile={log}/{self.name}.log\nstdout_logfile_backups=2\n"
        )


@dataclass(slots=True)
class Running:
    """supervisord and what it started. Leaving the `with` block stops all of it."""

    var: Path
    python: str
    process: Process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def alive(self) -> bool:
        """Whether supervisord itself still runs."""
        return self.process.poll() is None

    def control(self, *words: str) -> Completed:
        """Ask supervisord something; exit codes speak of the programs' states, so any will do."""
        config = str(self.var / "etc" / "supervisord.conf")
        args = [self.python, "-m", "supervisor.supervisorctl", "-c", config, *words]
        return run(args, timeout=60, expect=tuple(range(8)))

    def wait(self, ready: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Wait until something is so, such as an answer of the `panel`; raise SetupError when it is not in time."""
        until, log = time.monotonic() + seconds, self._log(what.rpartition(" ")[2])
        while not ready():
            self._look_for_failure()
            if time.monotonic() > until:
                raise SetupError(f"Waited {seconds:g} s for {what} in vain. {_end_of(log)}")
            time.sleep(0.05)

    def _look_for_failure(self) -> None:
        if not self.alive():
            raise SetupError(f"The process runner ended; {self.var}/log/supervisord.log says why.")
        for line in self.control("status").out.decode("utf-8", "replace").splitlines():
            name, state = [*line.split(), "", ""][:2]
            if state == "FATAL":
                raise SetupError(f"{name} does not start: {_end_of(self._log(name))}")

    def _log(self, name: str) -> Path:
        """Where a program says why: in a log of its own, or in what we collect of it."""
        own = self.var / "host" / "log" / f"{name}.log"
        return own if own.exists() and own.stat().st_size else self.var / "log" / f"{name}.log"

    def stop(self) -> None:
        """Stop everything and wait for the end of it: all at once, since supervisord itself takes one by one."""
        with suppress(CommandError):
            self.control("stop", "all")
        stop(self.process, STOP_SECONDS)
        for door in (self.var / "run").glob("*/*.sock"):  # rspamd leaves its own
            door.unlink(missing_ok=True)


def supervise(var: Path, python: str, programs: Sequence[Program]) -> Running:
    """Write supervisord.conf and start it; what it starts comes up in the order of priority."""
    config = var / "etc" / "supervisord.conf"
    write(config, _header(var) + "".join(program.section(var / "log") for program in programs), 0o600)
    words = [*WITH_PARENT, python, "-m", "supervisor.supervisord", "-n", "-s", "-c", str(config)]
    return Running(var, python, start(words))


def _header(var: Path) -> str:
    return (
        "; Written by mailadmin at every start; changes made here are lost.\n"
        f"[supervisord]\nnodaemon=true\nsilent=true\nuser=root\npidfile={var}/run/supervisord.pid\n"
        f"logfile={var}/log/supervisord.log\nlogfile_backups=2\nchildlogdir={var}/log\n"
        f"[unix_http_server]\nfile={var}/run/supervisor.sock\nchmod=0700\n"
        f"[supervisorctl]\nserverurl=unix://{var}/run/supervisor.sock\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n"
    )


def _quoted(value: str) -> str:
    if any(mark in value for mark in "\"'\\\n\r"):
        raise SetupError(f"A setting may not hold quotes or backslashes: {value[:8]}…")
    return f'"{value}"'.replace("%", "%%")


def _end_of(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return f"{log} ends: {' | '.join(text.splitlines()[-5:])}" if text else f"The logs are in {log.parent}."
