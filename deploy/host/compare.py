"""What one release's files say that another's do not, line by line.

In: two releases of a host, and which lines somebody may read. Out: a `Difference` for each file that is not the same,
no more than a page can show. Nothing is touched. Raises `ReleaseError` for a release that cannot be read.

Nobody reads what was not written for him: a file is `hidden` unless `may_read` knows it, and a line is cut to what it
gives back. Password hashes and nonces are none of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Final

from deploy.host import release
from deploy.host.layout import Layout
from deploy.host.release import Release, ReleaseError

MOST_FILES: Final = 60
MOST_LINES: Final = 60  # of one file
LONGEST: Final = 240  # characters of a line
ORDERED: Final = 2000  # lines up to which their order counts; a longer file is a sorted map
LARGEST: Final = 64 << 20  # bytes that are read of a file
Line = tuple[str, str]
Read = Callable[[Release, str], "Callable[[str], str] | None"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One file: `added`, `removed` or `changed`; its lines, each with `+` or `-`; `more`: how many are not shown."""

    path: str
    state: str
    hidden: bool
    lines: tuple[Line, ...]
    more: int


def before(layout: Layout, number: int) -> Release | None:
    """The release that was live before this one, as far as it is kept."""
    older = [one for one in release.releases(layout) if one.number < number and not one.failed]
    return older[-1] if older else None


def changed(old: Release | None, new: Release) -> list[str]:
    """The files that are not the same, those with few of their kind first."""
    was, now = old.manifest.files if old else {}, new.manifest.files
    paths = [path for path in was.keys() | now.keys() if was.get(path) != now.get(path)]
    return sorted(paths, key=lambda path: (path.startswith("procmail/"), path))


def compared(old: Release | None, new: Release, may_read: Read) -> Iterator[Difference]:
    """The first of them, line by line. `may_read`: what is to be shown of a line, for a file that is shown at all."""
    for path in changed(old, new)[:MOST_FILES]:
        yield difference(old, new, path, may_read)


def difference(old: Release | None, new: Release, path: str, may_read: Read) -> Difference:
    """One file."""
    there, here = bool(old and path in old.manifest.files), path in new.manifest.files
    state = "changed" if there and here else "added" if here else "removed"
    readers = [may_read(one, path) for one, has in ((old, there), (new, here)) if one and has]
    if not all(readers):
        return Difference(path, state, hidden=True, lines=(), more=0)
    was, now = (text(one, path) if one and has else [] for one, has in ((old, there), (new, here)))
    found = [(sign, line) for sign, line in differing(was, now) if not line.startswith("#") or state == "changed"]
    shown = [(sign, masked(sign, line, old, new, path, may_read)) for sign, line in found[:MOST_LINES]]
    return Difference(path, state, hidden=False, lines=tuple(shown), more=len(found) - len(shown))


def masked(sign: str, line: str, old: Release | None, new: Release, path: str, may_read: Read) -> str:
    """A line as far as somebody may read it, in the release that it is of."""
    reader = may_read(old if sign == "-" and old else new, path)
    return reader(line)[:LONGEST] if reader else ""


def text(one: Release, path: str) -> list[str]:
    """The lines of a file."""
    file: Path = one.path / path
    try:
        if file.is_symlink() or file.stat().st_size > LARGEST:
            return []
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ReleaseError(f"{file} cannot be read: {release.reason(error)}.") from error


def differing(was: list[str], now: list[str]) -> list[Line]:
    """The lines that went, and those that came, near each other."""
    if max(len(was), len(now)) > ORDERED:
        return [("-", line) for line in missing(was, now)] + [("+", line) for line in missing(now, was)]
    steps = SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    found: list[Line] = []
    for tag, start, end, first, last in steps:
        if tag != "equal":
            found += [("-", line) for line in was[start:end]] + [("+", line) for line in now[first:last]]
    return found


def missing(lines: list[str], others: list[str]) -> list[str]:
    """The lines that the others do not have."""
    there = set(others)
    return [line for line in lines if line not in there]
