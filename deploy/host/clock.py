"""The host clock: at each moment the live release says what its own wishes say of that moment.

In: the path of `host.json`; run as the agent, `python -m deploy.host.clock host.json`. Out: a line on standard error
for each release that it made, and for each reason why it could not. Touched: `<root>`, by the one way that `apply`
knows, and `<root>/.clock`: its time says when the clock went last, its text what keeps it from its work. Raises nothing
that can happen on a mail host: what failed is said once, tried again, and mail goes on as before.

Panel, queue and database may all be down: what changes by itself (an alias ends, somebody is back from a journey) is
in the live release's `snapshot.json`. It is read under the lock under which releases are written: so the newest wishes
are rendered and none before them, whatever a worker is at meanwhile; and a worker that hangs in its database holds no
clock up. A tick keeps its generation, only the folder number grows.

What is live was rendered for a moment that may be over when it goes live, and clocks are set: so it is looked at again
when another release is live, when the next change is due, when the time went back, and every ten minutes in any case.
Asked to end, it ends at once, wherever it is: the next run goes on from there, while to wait for daemons that are
being stopped, too, would lead a release back that nothing is wrong with.
"""

import logging
import os
import socket
import sys
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from deploy.host import journal, release, waking
from deploy.host.apply import ApplyError, make_live, says, writing
from deploy.host.build import versions
from deploy.host.layout import Layout, LayoutError
from deploy.host.probe import ProbeError
from deploy.host.switching import recover
from deploy.render import next_change, render
from deploy.snapshot import Snapshot

NAME: Final = ".clock"
PAUSE: Final = 1.0  # seconds from one round to the next
LONGEST: Final = timedelta(minutes=10)  # until everything is rendered again, whatever is said to change next
AGAIN_WAITING: Final = timedelta(minutes=1)
AGAIN: Final = (2, 5, 10, 30, 60)  # seconds after the first failure in a row, the second, …
NEVER: Final = datetime.min.replace(tzinfo=UTC)
PATIENCE: Final = 5.0  # seconds for a daemon to open its door
logger = logging.getLogger("clock")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look found: which release is live, when that was, when to look again; how often in a row it failed.

    `woken`: when what waits for its moment was last looked at.
    """

    target: str
    at: datetime
    due: datetime
    failed: int = 0
    error: str = ""
    woken: datetime = NEVER


def run(layout: Layout) -> None:
    """For ever."""
    seen = None
    while True:
        seen = go_round(layout, seen, datetime.now(UTC))
        beat(layout, seen)
        time.sleep(PAUSE)


def go_round(layout: Layout, seen: Seen | None, now: datetime) -> Seen:
    """Look at what is live; then, and every minute, at what waits: a letter may come to wait as the hour ends."""
    found = step(layout, seen, now)
    if found is seen and seen.woken <= now < seen.woken + AGAIN_WAITING:
        return seen
    try:
        wake(layout, now)
    except (release.ReleaseError, OSError) as error:
        logger.error("What waited for the morning waits on: %s", release.reason(error))
    return replace(found, woken=now)


def step(layout: Layout, seen: Seen | None, now: datetime) -> Seen:
    """One round: look where there is something to look for. Costs a readlink where there is not."""
    target = live_target(layout)
    if seen and seen.target == target and seen.at <= now < seen.due:
        return seen
    try:
        due = look(layout, now)
    except ApplyError as error:
        return failure(layout, seen, now, str(error))
    except Exception as error:  # noqa: BLE001 - the clock goes on, whatever a release holds
        what = f"{type(error).__name__}: {release.reason(error)}"
        return failure(layout, seen, now, f"The clock could not look at the live release ({what}).")
    return Seen(live_target(layout), now, due)


def failure(layout: Layout, seen: Seen | None, now: datetime, sentence: str) -> Seen:
    """It is tried again, soon at first; said once as long as it is the same."""
    if not seen or seen.error != sentence:
        logger.error("%s", sentence)
    failed = seen.failed + 1 if seen else 1
    wait = AGAIN[min(failed, len(AGAIN)) - 1]
    return Seen(live_target(layout), now, now + timedelta(seconds=wait), failed, sentence)


def look(layout: Layout, at: datetime) -> datetime:
    """Make the live release say what it is to say at this moment; when to look again. Raises ApplyError."""
    with writing(layout):
        if journal.announced(layout):
            doors_open(layout)  # after a power cut the daemons may not be up yet
        recover(layout, at, logger.info)
        current = release.live(layout)
        snapshot = current.snapshot if current else None
        if current and snapshot:
            tick(layout, current, snapshot, at)
    change = next_change(snapshot, at) if snapshot else None
    return min(change or at + LONGEST, at + LONGEST)


def tick(layout: Layout, current: release.Release, snapshot: Snapshot, at: datetime) -> None:
    """A release for this moment, where its bytes would differ from the live one's."""
    rendered = render(snapshot, at, str(layout.mail))
    if not says(current, snapshot, rendered, versions(layout)):
        doors_open(layout)
        made = make_live(layout, snapshot, rendered, at, logger.info)
        logger.info("Release %s is live for what changed by itself.", release.name_of(made.folder))


def doors_open(layout: Layout) -> None:
    """Raise ProbeError while a daemon is down that would be asked: a release is not given up because of that."""
    doors: tuple[tuple[str, socket.AddressFamily, tuple[str, int] | str], ...] = (
        ("Postfix", socket.AF_INET, (layout.address, layout.smtp)),
        ("Dovecot", socket.AF_UNIX, str(layout.auth)),
        ("The root helper", socket.AF_UNIX, str(layout.helper)),
    )
    for name, family, door in doors:
        with socket.socket(family) as line:
            line.settimeout(PATIENCE)
            try:
                line.connect(door)
            except OSError as error:
                raise ProbeError(f"{name} is not there yet ({release.reason(error)}): start it") from error


def wake(layout: Layout, at: datetime) -> None:
    """Deliver what waited for this moment, where anything waits."""
    if any(waking.keys_waiting(layout)) and (current := release.live(layout)):
        waking.wake(layout, current.snapshot, at, logger.info)


def live_target(layout: Layout) -> str:
    """Where `current` leads, or nothing."""
    try:
        return str((layout.root / "current").readlink())
    except OSError:
        return ""


def beat(layout: Layout, seen: Seen) -> None:
    """Leave a sign of life, and what is wrong; a disk that takes none holds the clock up no more than anything."""
    path, text = layout.root / NAME, f"{seen.error}\n" if seen.error else ""
    try:
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        os.utime(path)
    except (OSError, ValueError) as error:
        logger.debug("%s", error)


def main(arguments: list[str]) -> int:
    """Run until a signal comes; 1 with a sentence where there is no mail host."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    os.umask(0o022)
    try:
        layout = Layout.read(Path(arguments[0]))
    except (LayoutError, IndexError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    run(layout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
