"""The heads of letters that the dispatcher laid aside for somebody who is away, each until it is looked at.

In: a `Layout`. Out: what lies in `<mail>/.away/KEY/new/`, the oldest first, and what it says. Touched: `drop` takes one
away. Raises OSError; what vanishes meanwhile is no error.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.host import helper
from deploy.host.layout import Layout

LONGEST: Final = 128 << 10  # bytes of a head: no person's is longer
KEY: Final = re.compile(rf"{helper.KEY}\Z")


@dataclass(frozen=True, slots=True, order=True)
class Waiting:
    """One head: when the letter arrived, the key of the mailbox, its file."""

    arrived: datetime
    key: str
    path: Path


def found(layout: Layout) -> list[Waiting]:
    """Every head that waits, the oldest first."""
    return sorted(
        one for key in _names(layout.away) if KEY.match(key) for one in _heads(layout.away / key / "new", key)
    )


def read(one: Waiting) -> bytes | None:
    """What it says; None for one that is gone, or too long."""
    try:
        handle = os.open(one.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        head = file.read(LONGEST + 1)
    return head if len(head) <= LONGEST else None


def drop(one: Waiting) -> None:
    """It has been looked at."""
    one.path.unlink(missing_ok=True)


def _names(folder: Path) -> list[str]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return [entry.name for entry in os.scandir(folder)]
    return []


def _heads(folder: Path, key: str) -> Iterator[Waiting]:
    for name in _names(folder):
        with suppress(FileNotFoundError):
            status = (folder / name).lstat()
            if stat.S_ISREG(status.st_mode):
                yield Waiting(datetime.fromtimestamp(status.st_mtime, UTC), key, folder / name)
