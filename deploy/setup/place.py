"""Where the state of a private mail host lives, and where its daemons find the code.

In: the checkout and the wished folder `var`. Out: a `Place`. Touched, by `prepare_…`: the link `var`, and a copy
of the code. Raises SetupError.

Panel, worker and mail user are system users of their own: they must be able to enter every folder on the way. Where
they cannot (a checkout below /root, or made with a strict umask), and where the path is too long for sockets or holds
characters that some daemon's configuration takes apart, state and code stand below /var/lib/mailadmin instead.
"""

import hashlib
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.setup.people import SetupError

STATE = Path("/var/lib/mailadmin")
PLAIN = re.compile(r"(?:/[A-Za-z0-9._-]+)+\Z")
LONGEST = 70  # a unix socket's name has 108 bytes, and Dovecot's are 30 below `var`
UNSEEN = {".venv", "node_modules", ".ci", "docs", "script", "tests"}
LEFT_OUT = {".git", "__pycache__", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}


@dataclass(frozen=True, slots=True)
class Place:
    """`wished`: what the person asked for; `var` and `code`: where state and code really are."""

    checkout: Path
    wished: Path
    var: Path
    code: Path

    @property
    def note(self) -> str:
        """One line for the person, when something is not where she would look for it."""
        if self.var != self.wished:
            return f"State is in {self.var}, where the daemons' users can enter; {self.wished} leads there."
        if self.code != self.checkout:
            return f"The daemons' users cannot enter {self.checkout}: they run a copy of it in {self.code}."
        return ""

    def prepare_state(self) -> None:
        """Make the link where it is needed."""
        if self.wished.resolve() != self.var:
            self._link()

    def prepare_code(self) -> None:
        """Make the copy where it is needed. No daemon may run from an earlier one."""
        if self.code != self.checkout:
            copy_code(self.checkout, self.code)

    def _link(self) -> None:
        make_public(self.var)
        if self.wished.is_symlink() or self.wished.exists():
            raise SetupError(f"{self.wished} holds state that the daemons cannot reach; move it to {self.var} or away.")
        self.wished.parent.mkdir(parents=True, exist_ok=True)
        self.wished.symlink_to(self.var)


def find_place(checkout: Path, wished: Path) -> Place:
    """Decide; nothing is touched yet."""
    aside = STATE / f"{checkout.name}-{hashlib.sha256(os.fsencode(wished)).hexdigest()[:8]}"
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,40}", aside.name):
        aside = STATE / aside.name[-8:]
    code = checkout if PLAIN.match(str(checkout)) and all(map(is_open, needed(checkout))) else aside / "code"
    real = wished.resolve()
    fits = PLAIN.match(str(real)) and len(str(real)) <= LONGEST and can_be_entered(real)
    return Place(checkout, wished, real if fits else aside / "var", code)


def needed(checkout: Path) -> Iterator[Path]:
    """What the daemons read of a checkout: all of it, but for state, caches and history."""
    yield checkout / ".venv" / "bin" / "python"
    for folder, folders, files in os.walk(checkout):
        folders[:] = [name for name in folders if name not in LEFT_OUT and name not in UNSEEN]
        if Path(folder) == checkout:
            folders[:] = [name for name in folders if name != "var" and not name.startswith("var-")]
        yield from (Path(folder) / name for name in files)


def is_open(path: Path) -> bool:
    """Whether everyone may read a file or list a folder, and enter all that lead to it."""
    if not path.exists() or not can_be_entered(path):
        return False
    wanted = stat.S_IROTH | (stat.S_IXOTH if path.is_dir() else 0)
    return path.stat().st_mode & wanted == wanted


def can_be_entered(path: Path) -> bool:
    """Whether everyone may enter every folder above a path, as far as they exist."""
    return all(not folder.exists() or folder.stat().st_mode & stat.S_IXOTH for folder in path.parents)


def copy_code(checkout: Path, code: Path) -> None:
    """Put a copy of the checkout where everyone may read it; only an unchanged environment is taken over."""
    make_public(code.parent)
    staging = code.with_name("code.new")
    shutil.rmtree(staging, ignore_errors=True)
    kept = same_environment(checkout, code)
    if kept:
        staging.mkdir()
        (code / ".venv").rename(staging / ".venv")
    shutil.rmtree(code, ignore_errors=True)
    ignored = _left_out(".venv") if kept else _left_out()
    shutil.copytree(checkout, staging, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    open_to_all(staging)
    staging.rename(code)


def same_environment(checkout: Path, code: Path) -> bool:
    """Whether the copy's virtual environment is that of the checkout, as script/bootstrap marks it."""
    ours, theirs = (folder / ".venv" / ".mailadmin" for folder in (checkout, code))
    return ours.is_file() and theirs.is_file() and ours.read_bytes() == theirs.read_bytes()


def open_to_all(folder: Path) -> None:
    """Let everyone read what is below a folder, and enter it."""
    for above, folders, files in os.walk(folder):
        for path in (Path(above) / name for name in [".", *folders, *files]):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if executable else 0o644)


def make_public(folder: Path) -> None:
    """Make a folder below STATE, and open it and those above it to all."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in (folder, *folder.parents):
        if part.is_relative_to(STATE):
            part.chmod(0o755)


def _left_out(*more: str) -> Callable[[str, list[str]], set[str]]:
    """What a copy of the code needs not: caches, history, and state, which stands beside the code."""

    def choose(_folder: str, names: list[str]) -> set[str]:
        top = {name for name in names if name == "var" or name.startswith("var-") or name in more}
        return LEFT_OUT.intersection(names) | (top if "manage.py" in names else set())

    return choose
