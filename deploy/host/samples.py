"""Before rules go live: real procmail is asked about letters that each of them should and should not act on.

In: a `Layout`, files of rules that are written but not live, letters with what is expected of each. Out: nothing when
procmail says the same of every one. Touched: nothing; it runs in a sandbox. Raises `SampleError` with one sentence.

The sandbox (bwrap(1)): no network, no other process, the file system to read alone but for an empty folder in memory,
limits of time, memory and size. A kernel that allows no sandbox to people without rights, as in many containers, is
told of by `sandboxed`; then procmail runs as the agent under the same limits. What it reads was parsed strictly before.
"""

import base64
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from deploy.host.commands import CommandError, Person, run
from deploy.host.layout import Layout
from deploy.render.judging import Judged
from deploy.render.quoting import maildir
from deploy.render.samples import Sample

CODE: Final = Path(__file__).resolve().parents[2]
TIME: Final = 300.0  # seconds for all samples of a release
LIMITS: Final = ("prlimit", "--cpu=120", "--as=2000000000", "--fsize=64000000", "--core=0", "--")
SANDBOX: Final = (
    "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--dev", "/dev",
    "--chdir", str(CODE), "--setenv", "TMPDIR", "/dev/shm", "--",  # noqa: S108 - a new one, empty, that nobody else sees
)  # fmt: skip
ACTED: Final = re.compile(r"^queue=\S+ box=\S+ rule=([0-9a-z]+)$", re.MULTILINE)
WOULD: Final = re.compile(r"^would-([a-z]+)=(.*)$", re.MULTILINE)


class SampleError(Exception):
    """Rules do not do what they say; the text is one sentence. They do not go live."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Rules, as a file or as its text, and the letters that they are asked about."""

    rules: Path | str
    samples: Sequence[Sample]


@cache
def sandboxed(person: Person | None = None) -> bool:
    """True when the kernel lets the agent have a sandbox. Root, who may always have one, asks for this `person`."""
    try:
        run([*SANDBOX, "true"], timeout=20, person=person)
    except CommandError:
        return False
    return True


def check(layout: Layout, trials: Sequence[Trial]) -> None:
    """Ask about every sample; raise for the first of which procmail says something else."""
    wanted = [sample for trial in trials for sample in trial.samples]
    for sample, said in zip(wanted, answers(layout, trials), strict=True):
        if said != expected(sample.judged):
            name = sample.sentence or "no rule at all"
            raise SampleError(f"The rule “{name}” does not do what it says, so nothing was changed: {said!s:.200}.")


def answers(layout: Layout, trials: Sequence[Trial]) -> Iterator[object]:
    """What procmail says of each sample, as `expected` puts it; its own words where it complains."""
    if not any(trial.samples for trial in trials):
        return
    words = [sys.executable, "-E", "-s", "-m", "deploy.host.trial", str(layout.etc / "sample.rc")]
    program = [*LIMITS, *(SANDBOX if sandboxed() else ()), *words]
    lines = "".join(f"{json.dumps(line)}\n" for trial in trials for line in asked(trial))
    done = run(program, timeout=TIME, input=lines.encode(), cwd=CODE)
    for line in done.out.decode().splitlines():
        log, complaint = json.loads(line)
        yield complaint or told(log)


def asked(trial: Trial) -> Iterator[list[str]]:
    """The lines of a trial."""
    yield ["text", trial.rules] if isinstance(trial.rules, str) else ["file", str(trial.rules)]
    for sample in trial.samples:
        yield ["ask", sample.to, base64.b64encode(sample.letter).decode()]


def told(log: str) -> object:
    """What the log of one letter tells."""
    would = dict(WOULD.findall(log))
    rest = ACTED.sub("", WOULD.sub("", log)).strip()
    return rest or (tuple(ACTED.findall(log)), would)


def expected(judged: Judged) -> object:
    """The same, as it should be."""
    would = {
        "folder": maildir(judged.folder) if judged.folder else "",
        "copies": "".join(f"{maildir(name)}/" for name in judged.copies),
        "forward": "".join(f" {name}" for name in judged.forwards),
        "flags": ("F" if judged.flagged else "") + ("S" if judged.seen else ""),
        "tag": judged.tag,
        "away": "no" if "spam" in judged.acted else "yes",
        "end": "yes",
    }
    return judged.acted, would
