"""A fault at any system call of an apply: a whole release stays live, no success is claimed that is none, and the next
run finishes what was begun and leaves no debris.

Killed, no room (ENOSPC), a broken disk (EIO): by strace(1), at each call that writes, renames, links, syncs, makes or
removes something, in `apply` itself and in the programs it starts. A part of them each time, all of them nightly.
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.host import release
from deploy.host.apply import apply
from deploy.host.commands import program, run
from deploy.host.denials import careful
from deploy.render import render
from deploy.render.reading import read_map
from deploy.snapshot import Snapshot
from tests.deploy.household import HOUSEHOLD
from tests.deploy.standin import Standin, scratch_layout, standin
from tests.deploy.test_apply_kill import AFTERWARDS, EMMA, SUSPENDED
from tests.deploy.traced import FAULTS, OTHERS, Call, Fault, Unwritten, paths, traced

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(900)]
CHECKOUT = Path(__file__).parents[2]
SIDE_BY_SIDE = 3
MAP = "mailboxes"
PHASES = ("connect", "rename", "symlink", "unlink")  # one phase of an apply ends and another begins
CHILDREN = (
    ("postmap", f"*/etc/postfix?hash:*/{MAP}", (f"/{MAP}", "hash:")),
    ("postmap", f"*-q*/{MAP}", (f"/{MAP}", "-q")),
    ("postconf", "*mail_version", ("mail_version",)),
)
WRAPPER = """#!/bin/sh
case "$*" in {pattern}) exec {strace} {program} "$@" ;; esac
exec {program} "$@"
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, in apply itself, or in a program that it starts with arguments like these."""

    fault: Fault
    child: str = ""
    pattern: str = "*"

    def __str__(self) -> str:
        """For people."""
        return f"{self.child or 'apply'}: {self.fault}"


class Ground:
    """A scratch host with the household live, made anew for each case."""

    def __init__(self, base: Path, doors: Standin) -> None:
        """Lay it down."""
        self.base, self.doors, self.programs = base, doors, base / "bin"
        self.programs.mkdir()
        (base / "etc/host.json").write_text(doors.layout.to_json())
        (base / "etc/snapshot.json").write_text(SUSPENDED.to_json())
        go(doors, HOUSEHOLD)
        for name in ("root", "mail"):
            run(["cp", "-a", str(base / name), str(base / f"{name}.first")], timeout=60)

    def again(self) -> None:
        """As it was at first."""
        for name in ("root", "mail"):
            shutil.rmtree(self.base / name)
            run(["cp", "-a", str(self.base / f"{name}.first"), str(self.base / name)], timeout=60)
        for path in self.programs.iterdir():
            path.unlink()
        self.doors.asked.clear()

    @property
    def words(self) -> list[str]:
        """An apply of the newest wishes."""
        etc = self.base / "etc"
        program = [sys.executable, "-B", "-m", "tests.deploy.applied"]
        return [*program, str(etc / "host.json"), str(etc / "snapshot.json"), str(self.programs)]

    def wrap(self, case: Case) -> None:
        """Have a program fail where apply starts it."""
        words = {"pattern": case.pattern, "program": program(case.child)}
        strace = " ".join([program("strace"), *case.fault.words(self.base / "strace")[1:]])
        (self.programs / case.child).write_text(WRAPPER.format(strace=strace, **words))
        (self.programs / case.child).chmod(0o755)


def go(doors: Standin, snapshot: Snapshot) -> None:
    """Apply here, to the end."""
    at = datetime.now(UTC)
    apply(doors.layout, snapshot, render(snapshot, at, str(doors.layout.mail)), at=at, log=lambda _line: None)


@contextmanager
def grounds(folder: Path, number: int = SIDE_BY_SIDE) -> Iterator[list[Ground]]:
    """Several scratch hosts."""
    made = [standin(scratch_layout(folder / f"host{one}", "root")) for one in range(number)]
    try:
        yield [Ground(folder / f"host{one}", doors.__enter__()) for one, doors in enumerate(made)]
    finally:
        for doors in made:
            doors.__exit__(None, None, None)


def live(ground: Ground) -> release.Release:
    """The live release, which is whole: each file is what was written, and each map answers."""
    found = release.live(ground.doors.layout)
    assert found
    assert release.verify(found.path) == []
    for index in release.indexes(found):
        written = read_map(index.with_suffix("").read_text())
        table = f"{ground.doors.layout.map_type}:{index.with_suffix('')}"
        said = run(["postmap", "-c", str(ground.doors.layout.postfix), "-s", table], timeout=20)
        assert dict(line.split("\t", 1) for line in said.out.decode().splitlines()) == written, index
    return found


def no_debris(ground: Ground) -> None:
    """Nothing lies about that is no release."""
    root = ground.doors.layout.root
    assert {path.name for path in root.iterdir()} == {".lock", ".mould", "current", "releases"}
    assert [*root.glob("*/.*"), *root.glob(".mould/*/*")] == []


def check(ground: Ground, case: Case) -> bool:
    """One fault, and the run after it. True when the fault took place."""
    ground.again()
    words, log = ground.words, ground.base / "strace"
    log.unlink(missing_ok=True)
    if case.child:
        ground.wrap(case)
    else:
        words = [*case.fault.words(log), *words]
    done = run(words, timeout=120, cwd=CHECKOUT, expect=(0, 1, -9))
    after = live(ground).snapshot
    assert after in (HOUSEHOLD, SUSPENDED, careful(HOUSEHOLD, SUSPENDED)), case
    assert done.code or after == SUSPENDED, f"{case}: success with the old release live"
    if done.code == 1:
        assert done.err.decode().rstrip().endswith("."), f"{case}: {done.text}"
        assert "Traceback" not in done.text, f"{case}: {done.text}"
    go(ground.doors, AFTERWARDS)
    assert live(ground).snapshot == AFTERWARDS
    assert {f"kick {EMMA}", "reload postfix"} <= set(ground.doors.asked), case
    no_debris(ground)
    for one in release.releases(ground.doors.layout):
        assert release.verify(one.path) == [], case
    happened = log.read_text(errors="replace") if log.exists() else ""
    return "INJECTED" in happened or "killed by SIGKILL" in happened


def all_calls(ground: Ground) -> list[Call]:
    """Every call of an apply and its children, from its beginning on."""
    ground.again()
    _done, found = traced(ground.words, ground.base / "strace", CHECKOUT)
    begin = next(place for place, call in enumerate(found) if str(ground.doors.layout.root / ".lock") in call.given)
    return found[begin:]


def own(found: Sequence[Call]) -> Iterator[Case]:
    """All faults of apply itself."""
    for call in found:
        if call.process == found[0].process and call.changes:
            yield from (Case(Fault(call.kind, call.number, what)) for what in FAULTS)


def children(found: Sequence[Call]) -> Iterator[Case]:
    """All faults of the programs that it starts: one that makes a map, one that asks it, one that tells its version."""
    for child, pattern, marks in CHILDREN:
        started = (call for call in found if call.kind == "execve" and call.result == 0)
        process = next(call.process for call in started if all(mark in call.given for mark in marks))
        for call in found:
            if call.process == process and call.changes and call.kind not in ("connect", "sendto"):
                yield from (Case(Fault(call.kind, call.number, what), child, pattern) for what in FAULTS)


def spread(found: Sequence[Call]) -> Iterator[Case]:
    """Of each kind of call the first, one in the middle and the last, each fault in turn; and killed in every phase."""
    cases = list(own(found))
    for turn, kind in enumerate(sorted({case.fault.kind for case in cases})):
        these = [[case for case in cases if case.fault.kind == kind and case.fault.what == what] for what in FAULTS]
        last = len(these[0]) - 1
        for place, number in enumerate(sorted({0, last // 2, last})):
            yield these[(turn + place) % len(FAULTS)][number]
        if kind in PHASES:
            yield from these[0]
        if kind in ("mkdir", "openat", "write", "fsync"):
            yield from (Case(replace(these[0][last // 3].fault, what=what)) for what in OTHERS)
    yield from list(children(found))[::9]


def check_all(places: list[Ground], cases: Sequence[Case]) -> None:
    """Every case, on several hosts side by side."""

    def some(number: int) -> int:
        return sum(check(places[number], case) for case in cases[number :: len(places)])

    with ThreadPoolExecutor(len(places)) as pool:
        happened = sum(pool.map(some, range(len(places))))
    assert happened > len(cases) * 0.95


def test_a_fault_at_calls_of_every_kind(tmp_path: Path) -> None:
    with grounds(tmp_path) as places:
        cases = list(spread(all_calls(places[0])))
        assert {case.fault.what for case in cases} == {*FAULTS, *OTHERS}
        check_all(places, cases)


@pytest.mark.nightly(1.5)
@pytest.mark.parametrize("what", FAULTS)
def test_a_fault_at_every_call(tmp_path: Path, what: str) -> None:
    with grounds(tmp_path) as places:
        cases = [case for case in own(all_calls(places[0])) if case.fault.what == what]
        assert len(cases) > 100
        check_all(places, cases)


@pytest.mark.nightly(0.7)
def test_a_fault_at_every_call_of_its_programs(tmp_path: Path) -> None:
    with grounds(tmp_path) as places:
        check_all(places, list(children(all_calls(places[0]))))


def test_what_goes_live_is_on_the_disk_before_it_does(tmp_path: Path) -> None:
    """Whatever a power cut takes: the old release is whole, or the new one, and the note of the switch is there."""
    unwritten, committed = Unwritten(), False
    with grounds(tmp_path, 1) as (ground,):
        root = ground.doors.layout.root
        for call in all_calls(ground):
            if call.result < 0 or call.kind in ("connect", "sendto", "execve", "flock"):
                continue
            if call.kind == "rename" and paths(call)[1] == str(root / "current"):
                assert unwritten.below(root / "releases/000001") == set()
                assert unwritten.below(root / ".switch") == set()
                committed = True
            unwritten.see(call)
    assert committed
    assert unwritten.names & {str(root / name) for name in ("current", ".switch", "releases/000001")} == set()
