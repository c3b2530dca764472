"""Build one release beside the live one: write, build maps, read every key back, have it all on the disk.

In: a `Layout`, the snapshot, the rendered files, the release before. Out: the new `Release`, complete but not live.
Touched: `<root>/.mould/*/new` and `<root>/releases/.new-*` while it is built, then `<root>/releases/NNNNNN`.
Raises `ReleaseError`, CommandError (postmap) or OSError; what it leaves behind then, `clear` takes away.

A part that daemons read as a group of their own is made inside that group's set-gid mould and renamed into the
release: so the agent needs no other group. Its files have their rights before it leaves the mould.
"""

import os
import platform
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from deploy.host import files, probe
from deploy.host.commands import run
from deploy.host.layout import Layout
from deploy.host.release import (
    INDEX,
    Manifest,
    Release,
    ReleaseError,
    digest,
    laid,
    name_of,
    releases,
    same_wishes,
    snapshot_digest,
    written,
)
from deploy.render.quoting import procmail_word
from deploy.render.reading import read_map
from deploy.snapshot import Snapshot

Contents = Mapping[str, bytes]
PATH: Final = re.compile(
    r"(?:postfix/[a-z_]+|dovecot/[a-z-]+|rspamd/[a-z_]+|procmail/(?:lists|rules)/[0-9a-f]{64}|"
    r"procmail/[a-z0-9-][a-z0-9.-]*/[a-z0-9][a-z0-9._-]*\.rc)\Z"
)
SAME_BUILD: Final = ("maps", "postfix")  # what the form of an index depends on
ITSELF: Final = "procmail/_release"  # no domain is called so
TIMEOUT: Final = 120.0


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of a release, the rights below it, and whether a mould gives it its group."""

    name: str
    folder: int
    file: int
    moulded: bool


PARTS: Final = (
    Part("postfix", 0o755, 0o644, moulded=False),  # no secret, readable by all
    Part("procmail", 0o750, 0o640, moulded=True),
    Part("dovecot", 0o750, 0o640, moulded=True),
    Part("rspamd", 0o750, 0o640, moulded=True),
)


def build(
    layout: Layout,
    snapshot: Snapshot,
    rendered: Contents,
    number: int,
    before: Release | None,
    at: datetime,
    audit: str = "",
) -> Release:
    """A whole new release in `releases/NNNNNN`. Without a head of the audit log it keeps that of the one before."""
    assert all(map(PATH.match, rendered)), "a file outside the known parts"
    clear(layout)
    nonce = probe.new_nonce()
    staging = layout.root / "releases" / f".new-{nonce}"  # a postmap that outlived a killed run finds no such folder
    whereabouts = {ITSELF: itself(layout, number)}
    contents = {**rendered, **probe.files(nonce), **whereabouts}
    staging.mkdir(0o755)
    files.set_mode(staging, 0o755)
    new = [path for part in PARTS for path in write_part(layout, part, staging / part.name, contents, before)]
    stamp(layout, staging, new, at)
    text, built_with = snapshot.to_json(), versions(layout)
    indexes = build_maps(layout, staging, contents, before if before and same_build(before, built_with) else None)
    manifest = Manifest(
        folder=number,
        generation=snapshot.generation,
        snapshot=identity(snapshot, text, before),
        nonce=nonce,
        files={path: digest(data) for path, data in sorted(rendered.items())},
        indexes={**indexes, **{path: digest(data) for path, data in whereabouts.items()}},
        laid=laid(layout),
        versions=built_with,
        audit=audit or (before.manifest.audit if before else ""),
    )
    files.write(staging / "snapshot.json", text.encode(), 0o600)
    files.write(staging / "MANIFEST.json", manifest.to_json().encode(), 0o644)
    path = commit(layout, staging, number, [*new, *indexes, "snapshot.json", "MANIFEST.json"])
    return written(path, manifest, snapshot)


def identity(snapshot: Snapshot, text: str, before: Release | None) -> str:
    """The digest of what a release is made from: of a snapshot, and its text. The same wishes keep theirs, also when a
    newer version of this program, which knows more fields, writes them down in more words: by it the database knows the
    clock's releases.
    """
    if before and same_wishes(before.snapshot, snapshot):
        return before.manifest.snapshot
    return snapshot_digest(text)


def itself(layout: Layout, number: int) -> bytes:
    """What the dispatcher includes first, so that a letter sees one release to its end, whatever is live meanwhile."""
    path = procmail_word(str(layout.root / "releases" / name_of(number)))
    return f"# Written by Mailadmin: which release this is.\nRELEASE={path}\n".encode()


def clear(layout: Layout) -> None:
    """Take away what a build or a removal that did not end left behind."""
    moulds = [layout.root / ".mould" / part.name / "new" for part in PARTS]
    for path in [*(layout.root / "releases").glob(".*"), *layout.root.glob(".new-*"), *moulds]:
        if path.is_symlink() or path.exists():
            files.remove(path)


def commit(layout: Layout, staging: Path, number: int, new: Iterable[str]) -> Path:
    """Have all of it on the disk, then give it its name; the folder."""
    folders = [Path(folder) for folder, _folders, _files in os.walk(staging)]
    files.flush([*(staging / path for path in new), *folders])
    path = layout.root / "releases" / name_of(number)
    staging.rename(path)
    files.flush([path.parent])
    return path


def versions(layout: Layout) -> dict[str, str]:
    """What a release is built with."""
    postfix = run(["postconf", "-c", str(layout.postfix), "-d", "-h", "mail_version"], timeout=TIMEOUT)
    return {"maps": layout.map_type, "postfix": postfix.out.decode().strip(), "python": platform.python_version()}


def write_part(layout: Layout, part: Part, place: Path, contents: Contents, before: Release | None) -> list[str]:
    """Write a part where it gets its group, then move it into the staging folder. Returns the paths that are new.

    Folders get their rights last: to set them takes a set-gid bit away, which those below were to inherit.
    """
    made = layout.root / ".mould" / part.name / "new" if part.moulded else place
    if not made.parent.is_dir():
        raise ReleaseError(f"{made.parent} is missing: run the installer again.")
    start = len(part.name)
    targets = {path: f"{made}{path[start:]}" for path in contents if path.startswith(part.name + "/")}
    folders = sorted({str(made), *(target.rpartition("/")[0] for target in targets.values())})
    for folder in folders:
        Path(folder).mkdir(part.folder)
    new = [path for path, target in targets.items() if write_file(part, path, target, contents[path], before)]
    for folder in folders:
        files.set_mode(Path(folder), part.folder)
    if made != place:
        made.rename(place)
    return new


def write_file(part: Part, path: str, target: str, data: bytes, before: Release | None) -> bool:
    """Write a file, or link the last release's, when it says the same; True when it is new. One of thousands, so its
    place is text.

    To write 100,000 recipes takes many times as long as to link them, and a linked passwd-file keeps its time.
    """
    last = f"{before.path}/{path}" if part.moulded and before else ""
    if last and files.same_content(last, data, part.file):
        with suppress(OSError):
            os.link(last, target)
            return False
    files.write(Path(target), data, part.file)
    return True


def stamp(layout: Layout, staging: Path, new: Iterable[str], at: datetime) -> None:
    """Give new passwd-files a second of their own: Dovecot compares second and size, and may still know any release.

    So the second is after those of all releases that are kept, given up ones included; a clock set back does no harm.
    """
    for path in new:
        if path.startswith("dovecot/"):
            kept = [one.path / path for one in releases(layout)]
            seconds = [int(file.stat().st_mtime) for file in kept if file.is_file()]
            files.stamp(staging / path, files.later(at.timestamp(), seconds))


def build_maps(layout: Layout, staging: Path, contents: Contents, before: Release | None) -> dict[str, str]:
    """Build Postfix's maps, several at once: each waits for the disk. The digest of each index by its path.

    `before`: the last release, where its indexes are of this type and of this Postfix.
    """
    known = kept_indexes(layout, contents, before) if before else {}
    for name, data in known.items():
        files.write(staging / name, data, 0o644)
    suffix = INDEX.get(layout.map_type, "")  # of another type none is kept, and postmap says that it knows none
    maps = [path for path in contents if path.startswith("postfix/") and path + suffix not in known]
    with ThreadPoolExecutor(len(maps)) as pool:
        built = pool.map(lambda path: build_map(layout, staging / path, read_map(contents[path].decode())), maps)
        indexes = {f"postfix/{index.name}": digest(index.read_bytes()) for index in built}
    return {**indexes, **{name: digest(data) for name, data in known.items()}}


def kept_indexes(layout: Layout, contents: Contents, before: Release) -> dict[str, bytes]:
    """The indexes of the last release whose maps say the same and that are as they were built. They are copied, not
    linked: to tell Postfix that an index is over, its time is set.
    """
    found = {}
    for path, meant in before.manifest.files.items():
        index = path + INDEX[layout.map_type]
        if path.startswith("postfix/") and path in contents and digest(contents[path]) == meant:
            with suppress(OSError):
                data = (before.path / index).read_bytes()
                if digest(data) == before.manifest.indexes.get(index):
                    found[index] = data
    return found


def same_build(one: Release, now: Mapping[str, str]) -> bool:
    """Whether a release's indexes are of the type of today, and of today's Postfix."""
    return all(one.manifest.versions.get(name) == now[name] for name in SAME_BUILD)


def build_map(layout: Layout, path: Path, entries: Mapping[str, str]) -> Path:
    """Build one map and ask it for every key. postmap ends with 0 after a warning: whatever it says is a failure."""
    table = f"{layout.map_type}:{path}"
    said = run(["postmap", "-c", str(layout.postfix), table], timeout=TIMEOUT, expect=(0, 1))
    if said.code or said.text:
        raise ReleaseError(f"postmap could not build the map {path.name}: {said.text[:300]}")
    index = path.with_name(path.name + INDEX[layout.map_type])
    files.set_mode(index, 0o644)
    if entries:
        keys = "".join(f"{key}\n" for key in entries).encode()
        answer = run(
            ["postmap", "-c", str(layout.postfix), "-q", "-", table], timeout=TIMEOUT, input=keys, expect=(0, 1)
        )
        if answer.err or answer.out != "".join(f"{key}\t{value}\n" for key, value in entries.items()).encode():
            raise ReleaseError(
                f"{path.name} does not answer as it was written: {answer.err.decode(errors='replace')[:300]}"
            )
    return index
