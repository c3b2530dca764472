"""In the morning: what waited in `<mail>/.later` is delivered, whoever is awake.

In: a `Layout`, the snapshot of the live release, the moment. Out: nothing; a line to `log` for each mailbox. Touched:
these letters, through the root helper. Raises nothing: what could not be delivered waits on, and is tried at the next
call. What lies there is looked at, not what has changed: so it makes no difference what was missed, or killed.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Final

from deploy.host import helper, release
from deploy.host.layout import Layout
from deploy.render.hours import sleeping
from deploy.render.quoting import Unwritable
from deploy.snapshot import Snapshot

KEY: Final = re.compile(rf"{helper.KEY}\Z")
WOKEN: Final = re.compile(r"woken ([0-9]+) left ([0-9]+)")
Log = Callable[[str], None]


def wake(layout: Layout, snapshot: Snapshot, at: datetime, log: Log) -> None:
    """Deliver what waits in every mailbox that is awake. Costs one look at a folder where nothing waits."""
    try:
        waiting = set(keys_waiting(layout))
        if waiting:
            asleep = sleeping(snapshot.hours, at)
            for box in snapshot.mailboxes:
                if box.key in waiting and box.address not in asleep:
                    wake_one(layout, box.address, box.key, log)
    except (helper.HelperError, Unwritable, OSError) as error:
        log(f"What waited for the morning waits on: {release.reason(error)}")


def wake_one(layout: Layout, address: str, key: str, log: Log) -> None:
    """All letters of one mailbox; the helper does a few at a time, so that nobody else has to wait for it."""
    total, said, done = 0, "", True
    while done:
        said = helper.ask(layout, "wake", key)
        found = WOKEN.match(said)
        done = bool(found and int(found[1]) and int(found[2]))
        total += int(found[1]) if found else 0
    log(f"Letters to {address} that waited for the morning were delivered: {total} ({said}).")


def keys_waiting(layout: Layout) -> Iterator[str]:
    """The mailboxes that have letters which wait for the morning."""
    with suppress(FileNotFoundError):
        for folder in os.scandir(layout.later):
            if KEY.match(folder.name) and any(any(os.scandir(new.path)) for new in places(folder)):
                yield folder.name


def places(folder: "os.DirEntry[str]") -> Iterator["os.DirEntry[str]"]:
    """The folders of letters in it."""
    if folder.is_dir(follow_symlinks=False):
        for place in os.scandir(folder.path):
            if place.is_dir(follow_symlinks=False):
                yield from (one for one in os.scandir(place.path) if one.name == "new")
