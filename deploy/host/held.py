"""Letters that are held in the mail folders: found and read by the agent, delivered and dropped by the root helper.

In: a `Layout`. Out: what lies in `<mail>/.held/KEY/PLACE/new/`, and what became of it. Touched: nothing here; see
`deploy.host.again` for what the helper does. Raises HelperError; a letter that vanishes meanwhile is none.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from deploy.host import envelope, helper
from deploy.host.layout import Layout
from deploy.host.letter import Letter, look

READ: Final = 256 << 10  # bytes of a letter
KEY: Final = re.compile(rf"{helper.KEY}\Z")
LETTER: Final = re.compile(rf"{helper.LETTER}\Z")
GONE: Final = "gone"


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """One letter: when it came, the key of its mailbox, where it lies (`in-5.stranger`), its file, how many bytes."""

    arrived: datetime
    key: str
    place: str
    file: str
    size: int

    @property
    def name(self) -> str:
        """What it goes by within its mailbox."""
        return f"{self.place}/new/{self.file}"

    @property
    def station(self) -> str:
        """Who held it."""
        return self.place.partition(".")[0]

    @property
    def reason(self) -> str:
        """Why."""
        return self.place.partition(".")[2]


def found(layout: Layout) -> list[Held]:
    """Every letter that is held now, the oldest first."""
    return sorted(held for folder in _folders(layout.held) for held in _letters(folder))


def read(layout: Layout, held: Held) -> tuple[envelope.Envelope, Letter] | None:
    """Its envelope and what it says; None when it is gone. One that does not begin as ours do has no envelope."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(layout.held / held.key / held.name, flags), "rb") as file:
            head = file.read(READ)
    except FileNotFoundError:
        return None
    try:
        return envelope.read(head), look(head)
    except envelope.NoEnvelope:
        return envelope.Envelope("", "", ""), look(head)


def deliver(layout: Layout, key: str, name: str, passes: str = "-") -> str:
    """Run it through the dispatcher again: `delivered`, `held PLACE` or `gone`. `passes`: a station."""
    return helper.ask(layout, "deliver", key, *_words(name), passes)


def drop(layout: Layout, key: str, name: str) -> str:
    """Remove it for good: `dropped` or `gone`."""
    return helper.ask(layout, "drop", key, *_words(name))


def _words(name: str) -> tuple[str, str]:
    place, _new, file = name.split("/")
    return place, file


def _folders(held: Path) -> Iterator[Path]:
    """The folders of letters."""
    with suppress(FileNotFoundError):
        for key in os.scandir(held):
            if KEY.match(key.name) and key.is_dir(follow_symlinks=False):
                yield from (
                    Path(place.path) / "new" for place in os.scandir(key) if place.is_dir(follow_symlinks=False)
                )


def _letters(folder: Path) -> Iterator[Held]:
    key, place = folder.parts[-3:-1]
    with suppress(FileNotFoundError):
        for entry in os.scandir(folder):
            if LETTER.match(f"{key} {place} {entry.name}") and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                yield Held(datetime.fromtimestamp(status.st_mtime, UTC), key, place, entry.name, status.st_size)
