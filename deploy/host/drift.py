"""What somebody changed by hand on a mail host: file by file, with its difference, and what becomes of it.

In: a `Layout`. Out: `Drifted` files. Touched: by `lay` and `keep`, which the root helper calls, the installer's files
and `kept.json` beside them; nothing else. Raises ReleaseError where a release or the installer's list cannot be read,
ValueError in one sentence where a file cannot be laid or kept.

    etc/laid.json        sha256 of each file that the installer wrote, by its name
    etc/laid/<name>      the same files once more, as they were written
    etc/kept.json        sha256 of what a person chose to keep instead, by its name
    etc/by-hand/<name>   what was there when the installer, or somebody who asked for it, wrote over it

A file that somebody keeps is told no more, and the installer leaves it alone, until it changes again. In a release
nothing can be kept: the next one is written anew.
"""

import difflib
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from deploy.host import files, release
from deploy.host.layout import Layout
from deploy.host.release import Release, digest

KEPT_FILE: Final = "kept.json"
ASIDE: Final = "by-hand"
RUN: Final = frozenset({"deliver", "forward"})  # programs: anybody may run them
MOST_LINES: Final = 400  # of a difference
LONGEST_LINE, LONGEST_PLACE = 300, 60
MOST_READ: Final = 1 << 20  # bytes of a file that is compared line by line
ONE_AT_A_TIME: Final = threading.Lock()  # of the helper's callers
HASH: Final = re.compile(r"\{[A-Z0-9.-]+\}[^\s:]+")
SECRET: Final = re.compile(r"(?i)((?:password|passwd|secret|key)\w*\s*[=:]\s*)\S.*")
# What anybody who runs a host may read of a release; everything else holds what people wish for themselves.
OPEN: Final = re.compile(
    r"(?:postfix/(?:domains|mailboxes|aliases|sender_logins|relay_[a-z]+|transport)|dovecot/[a-z-]+)\Z"
)


@dataclass(frozen=True, slots=True)
class Drifted:
    """One file. `found`: its sha256, nothing when it is gone; `lines`: the difference, `-` written and `+` found.

    `installed`: the installer's, else a file of the live release. `closed`: its lines are for nobody.
    """

    path: str
    installed: bool
    found: str
    meant: str
    kept: bool = False
    closed: bool = False
    lines: tuple[str, ...] = ()


def drifted(layout: Layout) -> list[Drifted]:
    """Every file that is not what was written, in the live release and among the installer's, without its lines."""
    current = release.live(layout)
    return [*(of_release(current) if current else ()), *of_installer(layout)]


def of_release(current: Release) -> Iterator[Drifted]:
    """The files of a release that are not as they were written."""
    manifest = current.manifest
    meant = {**manifest.files, **manifest.indexes}
    for path in sorted({*meant, *release.added(current.path, meant)}):
        now = digest_of(current.path / path)
        if now != meant.get(path, ""):
            yield Drifted(path, installed=False, found=now, meant=meant.get(path, ""))


def of_installer(layout: Layout) -> Iterator[Drifted]:
    """The installer's files that are not as it wrote them."""
    kept = kept_list(layout)
    for name, meant in sorted(read_list(layout.etc / release.LAID).items()):
        now = digest_of(layout.etc / name)
        if now != meant:
            yield Drifted(name, installed=True, found=now, meant=meant, kept=bool(now) and kept.get(name) == now)


def read_list(path: Path) -> dict[str, str]:
    """Digests by name; raises ReleaseError where the list cannot be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise release.ReleaseError(f"{path} cannot be read: start script/server again, which writes it.") from error
    return {str(name): str(value) for name, value in found.items()}


def digest_of(path: Path) -> str:
    """The sha256 of a plain file; of a link that of where it leads; nothing where there is none."""
    if path.is_symlink():
        return digest(f"-> {path.readlink()}".encode("utf-8", "surrogateescape"))
    with suppress(FileNotFoundError):
        return digest(path.read_bytes())
    return ""


def with_lines(layout: Layout, one: Drifted, rendered: Mapping[str, bytes]) -> Drifted:
    """The same with its difference. `rendered`: what the live release is made from, as it would be written now."""
    if not one.installed and not OPEN.match(one.path):
        return replace(one, closed=True)
    current = release.live(layout)
    base = layout.etc if one.installed or not current else current.path
    before = written(layout, one, rendered)
    return replace(one, lines=tuple(difference(before, text_of(base / one.path))))


def written(layout: Layout, one: Drifted, rendered: Mapping[str, bytes]) -> str | None:
    """What was written there, if it can still be told."""
    data = rendered.get(one.path, b"")
    if one.installed:
        with suppress(OSError):
            data = release.copy_of(layout, one.path).read_bytes()
    if not one.meant:
        return ""
    return data.decode("utf-8", "replace") if digest(data) == one.meant else None


def text_of(path: Path) -> str | None:
    """The text of a file, of a reasonable size; nothing of one that is gone, None of what is no text."""
    if path.is_symlink():
        return f"-> {path.readlink()}\n"
    try:
        with path.open("rb") as file:
            data = file.read(MOST_READ + 1)
    except FileNotFoundError:
        return ""
    return None if b"\0" in data or len(data) > MOST_READ else data.decode("utf-8", "replace")


def difference(before: str | None, after: str | None) -> Iterator[str]:
    """Line by line, without secrets, cut where it grows long; nothing where either cannot be told."""
    if before is None or after is None:
        return
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm="")
    for number, line in enumerate(lines):
        if number >= MOST_LINES:
            yield "…"
            return
        if number >= 2:  # the names of the two files
            yield shortened(masked(line))


def shortened(line: str) -> str:
    """What did not change only shows the place."""
    most = LONGEST_PLACE if line.startswith(" ") else LONGEST_LINE
    return line if len(line) <= most else f"{line[:most]}…"


def masked(line: str) -> str:
    """A line without passwords and their hashes, and without what would change how it is shown."""
    plain = "".join(sign if sign.isprintable() or sign == "\t" else "�" for sign in line)
    return SECRET.sub(r"\1•••", HASH.sub("{•••}", plain))


def lay(layout: Layout, name: str) -> str:
    """Write one of the installer's files anew, from the copy that it keeps. What was there is put aside."""
    with ONE_AT_A_TIME:
        return _lay(layout, name)


def _lay(layout: Layout, name: str) -> str:
    meant = read_list(layout.etc / release.LAID).get(name, "")
    data = release.copy_of(layout, name).read_bytes()
    if not meant or digest(data) != meant:
        raise ValueError(f"the copy of {name} is not what was laid down: start script/server again")
    put_aside(layout, name)
    files.replace(layout.etc / name, data, 0o755 if name in RUN else 0o644)
    remember(layout, name, "")
    return "laid"


def put_aside(layout: Layout, name: str) -> None:
    """Keep what is there under another name: nothing that somebody wrote is lost."""
    now, place = layout.etc / name, layout.etc / ASIDE / name
    if now.is_file() and not now.is_symlink():
        place.parent.mkdir(parents=True, exist_ok=True)
        files.replace(place, now.read_bytes(), 0o644)


def keep(layout: Layout, name: str, found: str) -> str:
    """Accept what stands in one of the installer's files, as long as it is this."""
    with ONE_AT_A_TIME:
        return _keep(layout, name, found)


def _keep(layout: Layout, name: str, found: str) -> str:
    if name not in read_list(layout.etc / release.LAID):
        raise ValueError(f"{name} is none of the installer's files")
    if digest_of(layout.etc / name) != found:
        raise ValueError(f"{name} was changed again: look at it first")
    remember(layout, name, found)
    return "kept"


def remember(layout: Layout, name: str, found: str) -> None:
    """What is kept of a file; nothing once it was written anew."""
    path, before = layout.etc / KEPT_FILE, kept_list(layout)
    kept = {one: value for one, value in {**before, name: found}.items() if value}
    if kept != before:
        files.replace(path, (json.dumps(kept, indent=1, sort_keys=True) + "\n").encode(), 0o644)


def kept_list(layout: Layout) -> dict[str, str]:
    """What is kept, by name."""
    path = layout.etc / KEPT_FILE
    return read_list(path) if path.exists() else {}
