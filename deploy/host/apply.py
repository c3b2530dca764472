"""Make rendered files live on this mail host, complete or not at all.

In: a `Layout`, the snapshot, the files it was rendered to, the moment. Out: `Applied`, once the daemons answer out of
the new release. Touched: `<root>`, and through the root helper the daemons and the folders of new mailboxes.
Raises `ApplyError`, one sentence that names the thing and the remedy: then a complete release is still live.

Killed at any moment, the next run goes on where this one ended; `switching` lists the states.
"""

import errno
import os
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.host import files, helper, journal, probe, release, samples
from deploy.host.build import build, clear, same_build, versions
from deploy.host.commands import CommandError
from deploy.host.journal import Switch
from deploy.host.layout import Layout
from deploy.host.release import Release, ReleaseError
from deploy.host.switching import GivenUp, drop, recover, settle_or_give_up
from deploy.host.waking import wake
from deploy.render import Unwritable, filters, render, ruled, samples as letters
from deploy.snapshot import Snapshot

Log = Callable[[str], None]
REASONS = {
    errno.ENOSPC: "the disk is full: make room, then apply again",
    errno.EDQUOT: "the disk quota is used up: make room, then apply again",
    errno.EROFS: "the disk is read-only: mount it for writing, then apply again",
    errno.EACCES: "the agent may not write there: run the installer again, which sets owners and rights",
    errno.EPERM: "the agent may not write there: run the installer again, which sets owners and rights",
    errno.ENOENT: "it is not there: run the installer again, which makes it",
}


FAILURES = (
    ReleaseError, CommandError, helper.HelperError, probe.ProbeError, samples.SampleError, Unwritable, GivenUp,
    files.Busy,
)  # fmt: skip


class ApplyError(Exception):
    """The wishes are not live; the text is one sentence. Mail goes on under the release before."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The folder that is live, whether it is a new one, and the generation of wishes it answers for."""

    folder: int
    changed: bool
    generation: int


def apply(
    layout: Layout,
    snapshot: Snapshot,
    rendered: Mapping[str, bytes],
    *,
    at: datetime,
    log: Log,
    audit: str = "",
    anew: bool = False,
) -> Applied:
    """Make these files live and return when the daemons answer out of them; a whole release is live in any case.

    `audit`: the head of the audit log. `anew`: a release even when the live one was made from the same.
    """
    assert at.tzinfo, "a moment without a time zone"
    with writing(layout):
        applied = make_live(layout, snapshot, rendered, at, log, audit=audit, anew=anew)
    wake(layout, snapshot, at, log)
    return applied


@contextmanager
def writing(layout: Layout) -> Iterator[None]:
    """The agent alone, and one process at a time, writes releases; whatever fails meanwhile is raised as ApplyError."""
    try:
        only_the_agent(layout)
        with files.locked(layout.root / ".lock"):
            yield
    except OSError as error:
        raise ApplyError(unwritten(layout, error)) from error
    except FAILURES as error:
        raise ApplyError(f"{str(error).rstrip('. ')}.") from error


def unwritten(layout: Layout, error: OSError) -> str:
    """The sentence for a disk that does not take what is written."""
    why = REASONS.get(error.errno or 0, release.reason(error))
    return f"{error.filename or layout.root} could not be written: {why}."


def lay_first(layout: Layout, at: datetime) -> None:
    """Before the daemons start for the first time: a release that holds nobody. Does nothing when one is live.

    Run as the agent. Raises ReleaseError, CommandError or OSError.
    """
    if not release.live(layout):
        clear(layout)
        nobody = Snapshot(0, layout.name, "primary", (), (), ())
        first = build(layout, nobody, render(nobody, at, str(layout.mail)), release.next_number(layout), None, at)
        release.switch(layout, first.number)


def only_the_agent(layout: Layout) -> None:
    """Files of another owner could not be told to be over, nor removed, by the next run."""
    user = pwd.getpwuid(os.geteuid()).pw_name
    if user != layout.agent:
        raise ReleaseError(f"Releases are written by {layout.agent}, and this runs as {user}: let the worker do it.")


def make_live(
    layout: Layout,
    snapshot: Snapshot,
    rendered: Mapping[str, bytes],
    at: datetime,
    log: Log,
    *,
    audit: str = "",
    anew: bool = False,
) -> Applied:
    """What happens while nobody else writes."""
    recover(layout, at, log)
    old = release.live(layout)
    if old and not anew and says(old, snapshot, rendered, versions(layout)):
        return Applied(old.number, changed=False, generation=snapshot.generation)
    switch = Switch(old.number if old else None, release.next_number(layout))
    new = prepare(layout, switch, snapshot, rendered, at, old, audit)
    log(f"Release {release.name_of(switch.new)} is written, and every map answers as it was written.")
    release.switch(layout, switch.new)
    settle_or_give_up(layout, switch, at, log, [old, new] if old else [new])
    tidy(layout, log)
    return Applied(switch.new, changed=True, generation=snapshot.generation)


def says(old: Release, snapshot: Snapshot, rendered: Mapping[str, bytes], now: Mapping[str, str]) -> bool:
    """True when a release was made from these wishes and files, for this Postfix and this type of map."""
    manifest, readable = old.manifest, old.snapshot
    return (
        release.same_wishes(readable, snapshot)
        and manifest.files == {path: release.digest(data) for path, data in rendered.items()}
        and same_build(old, now)
    )


def prepare(
    layout: Layout,
    switch: Switch,
    snapshot: Snapshot,
    rendered: Mapping[str, bytes],
    at: datetime,
    old: Release | None,
    audit: str = "",
) -> Release:
    """Everything before the switch. What fails here leaves nothing behind, or leaves it to the next run.

    `old`: the live release, which was read once already.
    """
    journal.announce(layout, switch)
    before = {one.mailbox for one in old.snapshot.filters} if old else set()
    try:
        new = build(layout, snapshot, rendered, switch.new, old, at, audit)
        samples.check(layout, list(trials(snapshot, new, old, at)))
        filtered = {one.mailbox for one in snapshot.filters}
        waiting = folders_in(layout.held) & folders_in(layout.later)
        for mailbox in snapshot.mailboxes:
            there = mailbox.key in waiting and os.path.isdir(f"{layout.mail}/{mailbox.key}")  # noqa: PTH112  of thousands
            if not there or mailbox.address in filtered - before:
                helper.ask(layout, "folder", mailbox.key)
    except Exception:
        with suppress(OSError):
            drop(layout, switch.new)
            journal.forget(layout)
        raise
    return new


def folders_in(place: Path) -> set[str]:
    """The names of the folders in a place; one that is not there has none."""
    with suppress(FileNotFoundError):
        return {entry.name for entry in os.scandir(place) if entry.is_dir()}
    return set()


def trials(snapshot: Snapshot, new: Release, old: Release | None, at: datetime) -> Iterator[samples.Trial]:
    """The rules that were not live before, with the letters that show what they do."""
    known = old.manifest.files if old else {}
    if not any(path.startswith(f"{filters.FOLDER}/") for path in new.manifest.files.keys() - known.keys()):
        return  # most saves bring no new rules, and to write all of them again only to see that takes long
    for path, (rules, key) in ruled(snapshot, at).items():
        parts = letters.parts(rules) if path not in known else []
        if len(parts) == 1:
            yield samples.Trial(new.path / path, list(letters.samples(rules, key)))
        elif parts:
            yield samples.Trial(new.path / path, list(letters.ends(rules, key)))
            yield from (
                samples.Trial(filters.recipes(part, key), list(letters.samples(part, key, 1))) for part in parts
            )


def tidy(layout: Layout, log: Log) -> None:
    """Remove the oldest releases; what cannot be removed is no reason to go back."""
    try:
        release.prune(layout)
    except OSError as error:
        log(f"An old release could not be removed: {release.reason(error)}.")
