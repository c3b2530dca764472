"""The one place where programs are started: absolute paths, a list of words, no shell, a time limit.

In: the words of a command, bytes for its standard input, whom to run it as. Out: `Completed`, or a running
`Process`. Touched: whatever the program touches. Raises CommandError with one sentence when the program
is missing, answers with an exit code that was not expected, or takes longer than its time.

The environment is built here and never inherited, so that a stray `LD_PRELOAD`, `MAIL_CONFIG` or `TZ` of the
person who started us changes nothing.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


Process: TypeAlias = "subprocess.Popen[bytes]"


class CommandError(Exception):
    """A program could not be started, failed, or did not end in time; the text is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program left behind: its exit code (minus the signal's number when killed) and all it wrote."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        """Standard output and standard error on one line, for a sentence or a log."""
        return " | ".join((self.out + b"\n" + self.err).decode("utf-8", "replace").split("\n")).strip(" |")


@dataclass(frozen=True, slots=True)
class Person:
    """The system user that a program runs as: ids by number, so that a dropped right is dropped for good."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def run(
    args: Sequence[str],
    *,
    timeout: float,
    input: bytes | None = None,
    expect: tuple[int, ...] = (0,),
    person: Person | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Completed:
    """Run a program to its end. `timeout`: seconds; `expect`: the exit codes that are no failure.

    A program that takes too long is killed together with everything it started.
    """
    process = start(args, person=person, env=env, cwd=cwd, pipes=True, stdin=input is not None)
    try:
        out, err = process.communicate(input, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise CommandError(f"{_name(args)} did not end within {timeout:g} s.") from None
    finally:
        _end(process)
    done = Completed(process.returncode, out, err)
    if done.code not in expect:
        raise CommandError(f"{_name(args)} answered {done.code}: {done.text[-600:] or 'nothing said'}")
    return done


def start(
    args: Sequence[str],
    *,
    person: Person | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pipes: bool = False,
    stdin: bool = False,
) -> Process:
    """Start a program in a process group of its own and return at once; with `pipes` its words are collected."""
    stream = subprocess.PIPE if pipes else None
    try:
        return subprocess.Popen(
            [program(args[0]), *args[1:]],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env={**ENVIRONMENT, **(env or {})},
            cwd=cwd or "/",
            umask=0o007 if person else 0o022,
            start_new_session=True,
            user=person.uid if person else None,
            group=person.gid if person else None,
            extra_groups=person.groups if person else None,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise CommandError(f"{_name(args)} could not be started: {error}") from error


def stop(process: Process, seconds: float) -> None:
    """Ask a program to end, and kill it and all of its group when it has not done so in time."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(process)


def end_children() -> None:
    """Kill whatever this process has started and not waited for: a signal may come between a start and its name."""
    for listing in Path("/proc/self/task").glob("*/children"):
        for pid in map(int, listing.read_text(encoding="ascii").split()):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)  # it may not have come to a group of its own yet
                os.waitpid(pid, 0)


@cache
def program(name: str) -> str:
    """The absolute path of a program; raise CommandError when this machine has none."""
    found = name if name.startswith("/") else shutil.which(name, path=PATH)
    if found is None:
        raise CommandError(f"The program {name} is not installed.")
    return found


def _name(args: Sequence[str]) -> str:
    return " ".join([Path(args[0]).name, *args[1:4]])


def _end(process: Process) -> None:
    """Kill the whole group of a program that is still running, and collect it."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
