"""From one release to the next while mail flows, and back when the daemons do not answer.

In: a `Layout` and a `Switch`. Out: nothing, once the daemons answer out of the live release. Touched: `<root>`, and
through the root helper the daemons. Raises `GivenUp` when the release before is live again, else the layers' own.

The states of a change, each safe to be killed in; `recover` goes on from there:
  building   `releases/.new-*` and `.mould/*/new` exist: they are debris.
  announced  `.switch` names the old and the new folder, `current` leads to the old: the new one is debris.
  switched   `current` leads to the new one: Postfix and Dovecot are told and asked again, whatever was done before.
  given up   the new folder holds FAILED, `current` leads there or back already: it is led back, the daemons are told.
  settled    `.switch` is gone.

What makes a running daemon notice: Postfix compares the time of an index it holds open before each new client, so
after the switch every index of the other releases gets its own time + 1 s. The index of the release before is the one
that is open; older ones had their turn, but a switch back makes one live again, and a killed run may have left one
out. A time only ever grows, so whenever a daemon opened an index, the time it remembers never comes again, also with
two switches in a second. A daemon may have opened an index just before the switch and noted its time just after the
nudge: so they are nudged once more when the probes have answered. Which names receive mail is cached: that needs a
reload. Dovecot reads a passwd-file again by itself, at the first question of a new second, without a reload.
"""

import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from deploy.host import files, helper, journal, probe, release
from deploy.host.build import build, clear
from deploy.host.commands import CommandError
from deploy.host.denials import careful, other_password, revoked
from deploy.host.journal import Switch
from deploy.host.layout import Layout
from deploy.host.release import Release, ReleaseError
from deploy.render import render

Log = Callable[[str], None]
CLOSED: Final = re.compile(r"([^:#]+):.*[: ]nologin=y(?: |$)")  # a line of the passwd-file
NEED_RELOAD = ("postfix/domains", "postfix/relay_domains", "postfix/transport")


class GivenUp(Exception):
    """A release did not answer, and the one before is live again; the text is one sentence."""


def recover(layout: Layout, at: datetime, log: Log) -> None:
    """Finish what a killed run began."""
    clear(layout)
    switch, current = journal.announced(layout), release.live(layout)
    new = release.at_number(layout, switch.new) if switch else None
    if switch and new and new.failed:
        lead_back(layout, switch, at, log)
    elif switch and new and current and current.number == new.number:
        log(f"Release {new.path.name} was made live by a run that did not end: the daemons are asked again.")
        with suppress(GivenUp):
            settle_or_give_up(layout, switch, at, log)
    elif switch:
        drop(layout, switch.new)
        journal.forget(layout)


def drop(layout: Layout, number: int | None) -> None:
    """Take away what a build left, and the release that never was live."""
    clear(layout)
    if never := release.at_number(layout, number):
        files.remove(never.path)


def settle_or_give_up(layout: Layout, switch: Switch, at: datetime, log: Log, known: Iterable[Release] = ()) -> None:
    """Have the daemons answer out of the release that is live now, or lead them back to the one before.

    `known`: those of the two that were read already.
    """
    try:
        settle(layout, switch, log, known)
    except (ReleaseError, CommandError, helper.HelperError, probe.ProbeError, OSError) as error:
        new = release.at_number(layout, switch.new)
        if switch.old is None or not new:
            raise
        sentence = release.reason(error)
        files.replace(new.path / "FAILED", sentence.encode() + b"\n", 0o644, folder=layout.root)
        lead_back(layout, switch, at, log)
        raise GivenUp(f"{sentence} The release before is live again.") from error


def settle(layout: Layout, switch: Switch, log: Log, known: Iterable[Release] = ()) -> None:
    """Tell the daemons, ask them, and end the sessions of people who may no longer sign in."""
    switched = time.time()
    read: dict[int | None, Release] = {one.number: one for one in known}
    old, new = (read.get(number) or release.at_number(layout, number) for number in (switch.old, switch.new))
    assert new, "a release that is live has a folder"
    if not nudge(layout, log) or release.differ(old, new, NEED_RELOAD):
        helper.ask(layout, "reload", "postfix")
        log("Postfix was reloaded.")
    ask_postfix(layout, new.manifest.nonce, log)
    probe.wait_for_login(layout, new.manifest.nonce, switched if release.differ(old, new, ("dovecot/passwd",)) else 0)
    log("The daemons answer out of the new release.")
    if old:
        end_sessions(layout, old, new, new, log)
    nudge(layout, log)
    journal.forget(layout)


def end_sessions(layout: Layout, old: Release, new: Release, current: Release, log: Log) -> None:
    """End what people hold open who may no longer sign in by the new release, or are asleep by the current one."""
    if not any(release.differ(old, one, ("dovecot/passwd",)) for one in (new, current)):  # all of it is in there
        return
    for login in revoked(old.snapshot, new.snapshot, falling_asleep(old, current)):
        helper.ask(layout, "kick", login)
        log(f"Sessions of {login} were ended.")
    if other_password(old.snapshot, new.snapshot):
        log(f"Dialogues in which letters are handed in: {helper.ask(layout, 'hang-up')}.")


def falling_asleep(old: Release, new: Release) -> set[str]:
    """The logins that are asleep in one release and were not in the one before."""
    return asleep_in(new) - asleep_in(old) if release.differ(old, new, ("dovecot/passwd",)) else set()


def asleep_in(one: Release) -> set[str]:
    """The logins that IMAP and POP3 are closed to."""
    path = one.path / "dovecot/passwd"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    lines = (CLOSED.match(line) for line in text.split("\n") if "nologin=y" in line)
    return {line[1] for line in lines if line}


def ask_postfix(layout: Layout, nonce: str, log: Log) -> None:
    """Have Postfix answer out of the release. While it puts everybody off, reload it: no wish waits for the filter."""
    try:
        probe.wait_for_smtp(layout, nonce)
    except probe.FilterDown as error:
        log(f"{str(error).rstrip('. ')}. It was reloaded instead of asked.")
        helper.ask(layout, "reload", "postfix")


def lead_back(layout: Layout, switch: Switch, at: datetime, log: Log) -> None:
    """Make the release before live again, but with the newest passwords and suspensions.

    When that one cannot be written (the disk is full), the new one stays live: letters may wait, no door opens again.
    """
    old, new, current = (
        release.at_number(layout, switch.old),
        release.at_number(layout, switch.new),
        release.live(layout),
    )
    if not old or not new or not current:
        raise ReleaseError(
            f"A release that {layout.root / journal.NAME} names is gone: remove that file, then apply again."
        )
    if current.number == new.number:
        drop(layout, switch.instead)
        release.switch(layout, safe_number(layout, switch, old, new, at))
        current = release.live(layout) or current
    nudge(layout, log)
    try:
        helper.ask(layout, "reload", "postfix")
        end_sessions(layout, old, new, current, log)
    except helper.HelperError as error:
        log(str(error))
    log(f"Release {new.path.name} was given up: {new.failed}")
    journal.forget(layout)


def safe_number(layout: Layout, switch: Switch, old: Release, new: Release, at: datetime) -> int:
    """The old release's number, or that of one made for the purpose, where the old one would open a closed door."""
    snapshot = careful(old.snapshot, new.snapshot)
    rendered = render(snapshot, at, str(layout.mail))
    digests = {path: release.digest(data) for path, data in rendered.items()}
    if snapshot == old.snapshot and old.manifest.files == digests:  # of this afternoon it would say who was awake then
        return old.number
    number = release.next_number(layout)
    journal.announce(layout, replace(switch, instead=number))
    return build(layout, snapshot, rendered, number, old, at, new.manifest.audit).number


def nudge(layout: Layout, log: Log) -> bool:
    """Tell Postfix that the indexes of all other releases are over; False when one could not be told."""
    current = release.live(layout)
    told = True
    for one in release.releases(layout):
        for index in release.indexes(one) if not current or one.number != current.number else ():
            try:
                files.nudge(index)
            except OSError as error:
                told = False
                log(f"{index} could not be marked as over: {release.reason(error)}.")
    return told
