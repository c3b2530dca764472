"""A log that grows and is rotated -> the next whole lines after a known place.

In: the log's path and the `Place` up to which it was read. Out: a `Piece` of whole lines and the place after it.
Only files are read; nothing is written, nothing is remembered here. Raises OSError where a file cannot be read.

The states of a log, and what is read in each:
- it grew: what came after the place, up to the last newline; half a line waits for its end
- it was renamed to `mail.log.1`: the rest of the old file, then the new one, once somebody writes to that
- it was copied to `mail.log.1` and cut (copytruncate): the same
- it was cut, or is another file: from its beginning
- it is gone: nothing, until it is there again
A file is known by its first bytes, which hold a date, a host and a process number, not by its name or inode: so a
copy, a restored disk and a log that is given twice are the file they were, and nothing in it is read again. Where the
old file cannot be found its rest is lost: that is better than counting something twice.
"""

import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, tzinfo
from hashlib import sha256
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

MOST: Final = 4 << 20  # bytes in one piece; a line that does not fit in it is none of Postfix's and is passed over
FIRST_BYTES: Final = 256
NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")


@dataclass(frozen=True, slots=True)
class Place:
    """Everything before `offset` was read, in the file whose first bytes (at most 256, all read) have this digest."""

    offset: int = 0
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines, and the place after them."""

    lines: bytes
    after: Place


@dataclass(frozen=True, slots=True)
class Opened:
    """An open file, and its size when it was opened."""

    path: Path
    file: int
    size: int


def machine_zone(path: Path = Path("/etc/localtime")) -> tzinfo:
    """The machine's own time zone, which Postfix writes in; Django has set the process's to another."""
    try:
        with path.open("rb") as file:
            return ZoneInfo.from_file(file)
    except (FileNotFoundError, ValueError):
        return UTC


def read_on(log: Path, place: Place, most: int = MOST) -> Piece | None:
    """The next lines after `place`, at most `most` bytes; None when there is nothing new."""
    with ExitStack() as stack:
        files = [file for path in generations(log) if (file := opened(path, stack))]
        known = [is_same(file, place) for file in files]
        if True not in known:
            return piece(files[0], 0, most) if files and files[0].path == log else None
        old = known.index(True)
        # Sizes were read before the end of the old file is: who has begun the next has left the old for good.
        newer = [file for file in files[:old] if file.size]
        found = piece(files[old], place.offset, most)
        return found or (piece(newer[-1], 0, most) if newer else None)


def generations(log: Path) -> list[Path]:
    """The log, then `mail.log.1` and so on, as far as they are there: the newest first."""
    numbers = (path.name.removeprefix(f"{log.name}.") for path in log.parent.glob(f"{log.name}.*"))
    return [log, *(log.with_name(f"{log.name}.{n}") for n in sorted(int(n) for n in numbers if NUMBER.fullmatch(n)))]


def opened(path: Path, stack: ExitStack) -> Opened | None:
    """The file at this path until the stack is left; None without one."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    stack.callback(os.close, file)
    return Opened(path, file, os.fstat(file).st_size)


def is_same(file: Opened, place: Place) -> bool:
    """Whether this is the file of the place, and still holds what was read of it."""
    return 0 < place.offset <= file.size and fingerprint(file, place.offset) == place.fingerprint


def fingerprint(file: Opened, offset: int) -> str:
    """The digest of the first bytes of what was read."""
    return sha256(os.pread(file.file, min(offset, FIRST_BYTES), 0)).hexdigest()


def piece(file: Opened, start: int, most: int) -> Piece | None:
    """The whole lines from `start` on; None when the first of them has not ended yet."""
    data = os.pread(file.file, most, start)
    whole = data.rfind(b"\n") + 1
    end = start + whole if whole or len(data) < most else after_line(file, start)
    return Piece(data[:whole], Place(end, fingerprint(file, end))) if end > start else None


def after_line(file: Opened, start: int) -> int:
    """Where the line that begins at `start` has ended, or `start` when it has not."""
    at = start
    while data := os.pread(file.file, MOST, at):
        if b"\n" in data:
            return at + data.index(b"\n") + 1
        at += len(data)
    return start
