"""The releases on a mail host: which one is live, what is in each, and whether it is still what was written.

In: a `Layout`. Out: `Release`s. Touched: `<root>/current`, the one link that makes a release live, the journal of a
switch under way, and folders that nobody needs any more. Raises `ReleaseError`: one sentence naming thing and remedy.

    <root>/releases/000042/{postfix,procmail,dovecot,rspamd}/   immutable; MANIFEST.json, snapshot.json
    <root>/current -> releases/000042                     live
    <root>/.switch                                        only while a switch is under way: from which to which folder
    <root>/releases/000041/FAILED                         it did not answer when it was live; the sentence

The folder number counts releases on this host and only grows; the generation counts wishes.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from deploy.host import files
from deploy.host.layout import Layout
from deploy.snapshot import Snapshot, SnapshotError, plain

FORMAT: Final = 1
NAME: Final = re.compile(r"[0-9]{6,9}\Z")
GENERATION: Final = re.compile(r'^"generation": [0-9]+,\n', re.MULTILINE)  # its line in a snapshot
TARGET: Final = re.compile(r"releases/([0-9]{6,9})\Z")
KEPT: Final = 50
LAID: Final = "laid.json"  # in the installer's folder: the sha256 of what it wrote
COPIES: Final = "laid"  # beside it: the same files once more, as they were written
INDEX: Final[Mapping[str, str]] = {"hash": ".db", "cdb": ".cdb", "lmdb": ".lmdb"}
RECIPES: Final = (  # the installer's, that procmail and awk read
    "dispatch.rc", "rules.rc", "copies.rc", "place.rc", "would.rc", "sample.rc", "who.awk", "tag.awk"
)  # fmt: skip
LAID_NAMES: Final = (  # the installer's, as they are called below `etc`
    "dovecot.conf", "postfix/main.cf", "postfix/master.cf", "postfix/header_checks", "postfix/submission_headers",
    *RECIPES, "deliver", "forward", "rspamd/rspamd.conf", "rspamd/rspamd.local.lua",
)  # fmt: skip
PROBES: Final = ("postfix/probe", "dovecot/probe")  # different in every release, so outside the digest


class ReleaseError(Exception):
    """The folder of releases is not as it should be; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release was when it was written. `snapshot`: the digest of what it was made from, without the generation.

    `files` and `indexes`: sha256 by path; `laid`: the same of the installer's own files at that time.
    `audit`: the head of the audit log then, which a log that was cut or replaced does not hold; "" in older ones.
    """

    folder: int
    generation: int
    snapshot: str
    nonce: str
    files: dict[str, str]
    indexes: dict[str, str]
    laid: dict[str, str]
    versions: dict[str, str]
    audit: str = ""

    def to_json(self) -> str:
        """The text of MANIFEST.json."""
        return json.dumps({"format": FORMAT, **plain(self)}, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Read it back; raises ValueError, TypeError or KeyError for anything else."""
        data: dict[str, Any] = json.loads(text)
        if (found := data.pop("format")) != FORMAT:
            raise ValueError(f"it is of format {found!a:.20}, and this version of Mailadmin knows {FORMAT}")
        manifest = cls(**data)
        if not isinstance(manifest.folder, int) or not isinstance(manifest.generation, int):
            raise TypeError("a number is missing")
        if not isinstance(manifest.audit, str):
            raise TypeError("the head of the audit log is no text")
        return manifest


@dataclass(frozen=True)
class Release:
    """One folder of releases. What it holds is read when it is asked for."""

    path: Path

    @property
    def number(self) -> int:
        """The folder number."""
        return int(self.path.name)

    @property
    def failed(self) -> str:
        """Why it was given up, or nothing."""
        marker = self.path / "FAILED"
        return marker.read_text(encoding="utf-8").strip() if marker.exists() else ""

    @cached_property
    def manifest(self) -> Manifest:
        """What MANIFEST.json says; raises ReleaseError when it cannot be read."""
        path = self.path / "MANIFEST.json"
        try:
            return Manifest.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ReleaseError(
                f"{path} cannot be read ({reason(error)}): let {self.path.parent.parent / 'current'} lead to another "
                "release that is whole, then apply again."
            ) from error

    @cached_property
    def snapshot(self) -> Snapshot:
        """What it was made from; raises ReleaseError when it cannot be read."""
        path = self.path / "snapshot.json"
        try:
            return Snapshot.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, SnapshotError) as error:
            raise ReleaseError(
                f"{path} cannot be read ({reason(error)}): let {self.path.parent.parent / 'current'} lead to another "
                "release that is whole, then apply again."
            ) from error


def written(path: Path, manifest: Manifest, snapshot: Snapshot) -> Release:
    """A release that was just written: what it holds needs no reading."""
    one = Release(path)
    vars(one).update(manifest=manifest, snapshot=snapshot)
    return one


def reason(error: Exception) -> str:
    """Why something went wrong, short and on one line."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
    return " ".join(words.split())[:200]


def digest(data: bytes) -> str:
    """The sha256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def snapshot_digest(text: str) -> str:
    """What the text of a snapshot says, whatever its generation."""
    return digest(GENERATION.sub("", text, count=1).encode())


def same_wishes(one: Snapshot, other: Snapshot) -> bool:
    """True when two snapshots say the same, whatever their generations."""
    return replace(one, generation=other.generation) == other


def name_of(number: int) -> str:
    """The name of a release's folder."""
    return f"{number:06}"


def live(layout: Layout) -> Release | None:
    """The release that the daemons read, or none before the first."""
    link = layout.root / "current"
    if not link.is_symlink():
        if link.exists():
            raise ReleaseError(f"{link} is no symbolic link: move it away, then apply again.")
        return None
    target = str(link.readlink())
    if not TARGET.match(target):
        raise ReleaseError(f"{link} leads to {target!a}, which is no release: remove the link, then apply again.")
    release = Release(layout.root / target)
    if release.path.is_symlink() or not release.path.is_dir():
        raise ReleaseError(f"{link} leads to {target}, which is gone: let it lead to a release that is there.")
    return release


def releases(layout: Layout) -> list[Release]:
    """Every release that is kept, oldest first."""
    folder = layout.root / "releases"
    if not folder.is_dir():
        return []
    return sorted((Release(path) for path in folder.iterdir() if NAME.match(path.name)), key=lambda one: one.number)


def switch(layout: Layout, number: int) -> None:
    """Make a release live: the one commit point."""
    files.point(layout.root / "current", f"releases/{name_of(number)}")


def indexes(one: Release) -> list[Path]:
    """The built maps of a release, which Postfix holds open."""
    return sorted(path for path in (one.path / "postfix").glob("*.*") if path.suffix in INDEX.values())


def next_number(layout: Layout) -> int:
    """Folder numbers only grow."""
    return max((one.number for one in releases(layout)), default=-1) + 1


def at_number(layout: Layout, number: int | None) -> Release | None:
    """The release in a folder, if it is there."""
    found = Release(layout.root / "releases" / name_of(number or 0))
    return found if number is not None and found.path.is_dir() else None


def differ(old: Release | None, new: Release, paths: tuple[str, ...]) -> bool:
    """True when one of these files is not the same in both."""
    return not old or any(old.manifest.files.get(path) != new.manifest.files.get(path) for path in paths)


def prune(layout: Layout) -> None:
    """Keep the newest releases and the live one."""
    current = live(layout)
    for old in releases(layout)[:-KEPT]:
        if not current or old.number != current.number:
            files.remove(old.path)


def verify(folder: Path) -> list[str]:
    """What is not as it was written in one release: a sentence each, nothing when it is whole."""
    manifest = Release(folder).manifest
    meant = {**manifest.files, **manifest.indexes}
    found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if not path.is_dir()}
    wrong = [f"{folder / path} is missing." for path in meant.keys() - found.keys()]
    wrong += [f"{folder / path} was put there by somebody else." for path in added(folder, meant)]
    wrong += [
        f"{folder / path} is not what was written."
        for path in meant.keys() & found.keys()
        if found[path].is_symlink() or digest(found[path].read_bytes()) != meant[path]
    ]
    return sorted(wrong)


def added(folder: Path, meant: Iterable[str]) -> list[str]:
    """What somebody else put into a release whose files are `meant`."""
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}
    extra = there - set(meant) - {"MANIFEST.json", "snapshot.json", "FAILED"}
    return sorted(path for path in extra if not path.startswith(PROBES))


def drift(layout: Layout) -> list[str]:
    """What somebody changed by hand, in the live release and in the installer's files: a sentence each."""
    current = live(layout)
    return (verify(current.path) if current else []) + laid_drift(layout)


def laid_drift(layout: Layout) -> list[str]:
    """The installer's files that are not what it wrote: a sentence each."""
    path, now = layout.etc / LAID, laid(layout)
    try:
        meant: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [f"{path} cannot be read."]
    return [f"{layout.etc / name} is not what was written." for name in sorted(meant) if now.get(name) != meant[name]]


def laid_text(layout: Layout) -> str:
    """What the installer keeps in `laid.json` of the files it just wrote: of each its copy, for one may be kept as
    somebody changed it.
    """
    copies = {name: copy_of(layout, name) for name in laid(layout)}
    meant = {name: digest(copy.read_bytes()) for name, copy in copies.items() if copy.is_file()}
    return json.dumps({**laid(layout), **meant}, indent=1, sort_keys=True) + "\n"


def copy_of(layout: Layout, name: str) -> Path:
    """Where the installer keeps what it wrote into one of its files."""
    return layout.etc / COPIES / name


def laid(layout: Layout) -> dict[str, str]:
    """The sha256 of what the installer laid down, as it is now."""
    paths = {name: layout.etc / name for name in LAID_NAMES}
    return {name: digest(path.read_bytes()) for name, path in sorted(paths.items()) if path.is_file()}
