"""One held letter runs through the dispatcher again, or is dropped: as the mail user, and safe against a kill.

Run as `python -m deploy.host.again HOST.JSON deliver KEY PLACE FILE PASS`, `… drop KEY PLACE FILE`, `… wake KEY` or
`… recover`. In: which letter of `<mail>/.held/KEY/PLACE/new/`, and the station that lets it through once (`-` for
none); for `wake` the mailbox whose letters in `<mail>/.later/KEY/STATION.hours/new/` have waited for the morning: each
runs again, through the station that let it through in the evening, if one did.
Out: one line: `delivered`, `held PLACE`, `later`, `dropped`, `gone` (there is no such letter), `woken N left M`.
Touched: that letter, the mailbox, `<mail>/.again/`. What goes wrong is one sentence on standard error, exit code 1; the
letter is where it was.

The dispatcher delivers into a scratch folder on the same file system; what it makes there is renamed into place with
the letter's own date. The states, told apart by what lies in `.again/`:
1. no `plan`: nothing is decided. The letter lies where it did; whatever else is there is rubbish
2. `plan`: the verdict stands. Each copy is renamed once (what is no longer in the scratch folder has been), then the
   letter is unlinked, then the plan. Whoever finds a plan carries it out to its end before anything else
A letter that is held again gets a new name, so that it is a new letter for whoever looks.
"""

import json
import os
import pwd
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from deploy.host import files
from deploy.host.commands import CommandError, Person, run
from deploy.host.envelope import NoEnvelope, read
from deploy.host.layout import Layout, LayoutError

PATIENCE: Final = 10.0  # seconds for the one before us
TIME: Final = 25.0  # seconds for the dispatcher
AT_ONCE: Final = 4.0  # seconds in which letters of one mailbox are begun, before others have their turn
SUFFIX: Final = ".again-"
WAITING: Final = tuple(f"{station}.hours" for station in ("in-7", "in-1", "in-3", "in-5", "in-6"))
CODE: Final = Path(__file__).resolve().parents[2]


class AgainError(Exception):
    """The letter stays where it is; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided. `letter` and the targets are below `<mail>`, the sources below `.again`."""

    letter: str
    moves: tuple[tuple[str, str], ...]

    @property
    def verdict(self) -> str:
        """In words."""
        where, _key, place = Path(self.moves[0][1]).parts[:3]
        if len(self.moves) > 1 or where not in (".held", ".later"):
            return "delivered"
        return "later" if where == ".later" else f"held {place}"


def deliver(layout: Layout, key: str, place: str, file: str, passes: str) -> str:
    """Run a letter through the dispatcher again; what became of it."""
    return _run_again(layout, key, layout.held / key / place / "new" / file, "" if passes == "-" else passes)


def wake(layout: Layout, key: str) -> str:
    """Run what has waited for the morning through the dispatcher again, the oldest first; how many, how many are left.

    One that cannot be delivered just now keeps no other back.
    """
    until, woken, why = time.monotonic() + AT_ONCE, 0, ""
    waiting = [path for place in WAITING for path in _letters(layout.later / key / place)]
    for letter in sorted(waiting, key=lambda path: (path.stat().st_mtime, path.name)):
        if time.monotonic() > until:
            break
        try:
            station = letter.parts[-3].partition(".")[0]
            woken += _run_again(layout, key, letter, station if station != "in-7" else "") not in ("later", "gone")
        except (AgainError, NoEnvelope, CommandError) as error:
            why = why or f": {error}"
    return f"woken {woken} left {len(waiting) - woken}{why}"


def _letters(place: Path) -> list[Path]:
    """The letters in a folder, which is there once one has been."""
    folder = place / "new"
    return [path for path in folder.iterdir() if not path.is_symlink() and path.is_file()] if folder.is_dir() else []


def _run_again(layout: Layout, key: str, letter: Path, passes: str) -> str:
    """A letter in whatever folder, through the dispatcher; what became of it."""
    opened = _open(letter)
    if opened is None:
        return "gone"
    data, status = opened
    scratch = layout.again / f"out.{secrets.token_hex(8)}"
    _make_scratch(scratch, key)
    _dispatch(layout, data, passes, scratch)
    plan = Plan(str(letter.relative_to(layout.mail)), tuple(_moves(layout, scratch, letter.name, status)))
    files.replace(layout.again / "plan", json.dumps(asdict(plan)).encode(), 0o600)
    _carry_out(layout, plan)
    return plan.verdict


def drop(layout: Layout, key: str, place: str, file: str) -> str:
    """Remove a letter for good."""
    letter = layout.held / key / place / "new" / file
    if _open(letter) is None:
        return "gone"
    letter.unlink()
    files.flush([letter.parent])
    return "dropped"


def recover(layout: Layout) -> None:
    """Carry out what was decided, and clear away what was not."""
    plan = layout.again / "plan"
    if plan.exists():
        said = json.loads(plan.read_bytes())
        _carry_out(layout, Plan(said["letter"], tuple((source, target) for source, target in said["moves"])))
    (layout.again / ".new-plan").unlink(missing_ok=True)
    for rubbish in layout.again.glob("out.*"):
        shutil.rmtree(rubbish, ignore_errors=True)  # a dispatcher that outlived its master may still be in there


def _open(letter: Path) -> tuple[bytes, os.stat_result] | None:
    """The letter's bytes and facts; None when it is not there. Only a plain file is a letter."""
    try:
        handle = os.open(letter, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise AgainError(f"{letter} is no letter.")
        return file.read(), status


def _make_scratch(scratch: Path, key: str) -> None:
    """A stand-in for `<mail>` with the folders of one mailbox: a letter that leads to another finds no place."""
    aside = [scratch / name for name in (".held", ".later")]
    for folder in (scratch, *aside, *(one / key for one in aside), scratch / key):
        folder.mkdir(0o750)
    (scratch / key).chmod(0o700)  # without set-gid: what is in a mailbox belongs to the mail user's own group
    (scratch / key / "Maildir").mkdir(0o700)  # procmail makes the folders in it


def _dispatch(layout: Layout, letter: bytes, passes: str, scratch: Path) -> None:
    """The dispatcher as Postfix runs it, with a pass and other folders."""
    envelope = read(letter[:65536])
    words = [*envelope.words(), "AGAIN", passes, str(scratch)]
    program = [str(layout.etc / "deliver"), "-t", "-m", str(layout.etc / "dispatch.rc"), *words]
    done = run(program, timeout=TIME, input=letter, expect=(0, 75))
    if done.code:
        log = scratch / "log"
        said = log.read_text(encoding="utf-8", errors="replace").split() if log.exists() else []
        raise AgainError(f"The dispatcher puts the letter off: {(said or ['nothing said'])[-1][:200]}.")


def _moves(layout: Layout, scratch: Path, file: str, status: os.stat_result) -> Iterator[tuple[str, str]]:
    """What the dispatcher made, on the disk and with the letter's date: where it is, and where it goes."""
    made = sorted(path for path in (*scratch.rglob("new/*"), *scratch.rglob("cur/*")) if path.is_file())
    if not made:
        raise AgainError("The dispatcher delivered the letter nowhere.")
    name = file.partition(SUFFIX)[0] + SUFFIX + secrets.token_hex(4)
    for number, path in enumerate(made):
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        flags = path.name[path.name.rindex(":") :] if path.parent.name == "cur" else ""
        target = path.relative_to(scratch).with_name((f"{name}-{number}" if number else name) + flags)
        yield str(path.relative_to(layout.again)), str(target)
    files.flush(made)


def _carry_out(layout: Layout, plan: Plan) -> None:
    """Rename every copy into place, then let go of the letter and of the plan."""
    folders = {(layout.mail / target).parent for _source, target in plan.moves}
    try:
        for folder in folders:
            _make_maildir(layout, folder.parent)
        for source, target in plan.moves:
            if (layout.again / source).exists():
                (layout.again / source).rename(layout.mail / target)
    except OSError:
        if all((layout.again / source).exists() for source, _target in plan.moves):
            (layout.again / "plan").unlink()  # nothing has happened yet: the letter stays where it is
        raise
    files.flush(folders)
    letter = layout.mail / plan.letter
    letter.unlink(missing_ok=True)
    files.flush([letter.parent])
    (layout.again / "plan").unlink()
    files.flush([layout.again])
    for source, _target in plan.moves:
        shutil.rmtree(layout.again / Path(source).parts[0], ignore_errors=True)


def _make_maildir(layout: Layout, maildir: Path) -> None:
    """The folder of a mailbox is there; what lies in it is made when it is needed."""
    mode = 0o750 if {layout.held, layout.later} & set(maildir.parents) else 0o700
    above = [maildir.parent] if maildir.name.startswith(".") and maildir.parent.name == "Maildir" else []
    for folder in (*above, maildir, *(maildir / name for name in ("cur", "new", "tmp"))):
        folder.mkdir(mode, exist_ok=True)


def as_mail_user(layout: Layout, *words: str, module: str = "deploy.host.again") -> str:
    """Root's side: have the mail user do it, in a process of his own; its answer. Raises CommandError."""
    user = pwd.getpwnam(layout.mail_user)
    program = [sys.executable, "-E", "-s", "-m", module, str(layout.etc / "host.json"), *words]
    person = Person(user.pw_uid, user.pw_gid)
    done = run(program, timeout=PATIENCE + TIME, person=person, cwd=CODE, expect=(0, 1))
    if done.code:
        raise CommandError(done.err.decode("utf-8", "replace").strip())
    return done.out.decode().strip()


def main(words: list[str]) -> str:
    """Do what the words say, alone, after whatever was left undone; the line to answer."""
    layout, verb = Layout.read(Path(words[0])), words[1]
    with files.locked(layout.again / "lock", PATIENCE):
        recover(layout)
        if verb == "deliver":
            return deliver(layout, *words[2:])
        if verb == "wake":
            return wake(layout, *words[2:])
        return drop(layout, *words[2:]) if verb == "drop" else "recovered"


if __name__ == "__main__":
    os.umask(0o027)
    try:
        print(main(sys.argv[1:]))
    except (AgainError, CommandError, LayoutError, NoEnvelope, files.Busy, OSError) as error:
        sys.exit(" ".join(str(error).split()))
