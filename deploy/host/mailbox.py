"""The folder of one mailbox, by its key, as the mail user: the heads of its newest letters, and out of the way.

Run as `python -m deploy.host.mailbox HOST.JSON VERB KEY`. Verbs: `heads`, `retire` (move it to `<mail>/.gone/KEY`),
`bring-back`, `remove` (for good, with what is held and what waits for the morning: only what was retired). Out: JSON,
or one word of what became of it. Touched: that folder. What goes wrong is one sentence on standard error, exit code 1.

A mailbox that the live release names can only be looked at: root's side reads the release and asks for nothing else.
"""

import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from deploy.host import again
from deploy.host.commands import CommandError
from deploy.host.folders import Descriptor, open_folder
from deploy.host.layout import Layout, LayoutError
from deploy.snapshot import Snapshot, SnapshotError

MOST: Final = 50  # letters
LONGEST: Final = 8192  # bytes of a head
MOST_BYTES: Final = 1 << 20
GONE: Final = ".gone"
BESIDE: Final = (".held", ".later", ".away")  # where letters of a mailbox lie that are not in it
MODULE: Final = "deploy.host.mailbox"


class MailboxError(Exception):
    """Nothing was changed; the text is one sentence."""


def heads(mail: Path, key: str) -> str:
    """The newest letters of the inbox as JSON: name, seconds since 1970, bytes, and the head as it is."""
    try:
        with closing(open_folder(mail / key)) as box, closing(open_folder("Maildir", box)) as maildir:
            found = [one for name in ("new", "cur") for one in _letters(maildir, name)]
    except FileNotFoundError:
        found = []
    newest = sorted(found, reverse=True)[:MOST]
    rows = [{"name": name, "arrived": arrived, "size": size, "head": head} for arrived, name, size, head in newest]
    while len(data := json.dumps(rows)) > MOST_BYTES:
        rows = rows[: len(rows) // 2]
    return data


def _letters(maildir: Descriptor, name: str) -> Iterator[tuple[int, str, int, str]]:
    """Plain files alone: a link leads nowhere. Only of the newest the head is read."""
    with suppress(FileNotFoundError), closing(open_folder(name, maildir)) as folder:
        dated = list[tuple[int, str]]()
        for entry in os.scandir(folder.number):
            with suppress(FileNotFoundError):  # it was read, or removed, just now
                if entry.is_file(follow_symlinks=False):
                    dated.append((int(entry.stat(follow_symlinks=False).st_mtime), entry.name))
        for _arrived, file in sorted(dated, reverse=True)[:MOST]:
            with suppress(FileNotFoundError):
                yield _letter(file, folder)


def _letter(name: str, folder: Descriptor) -> tuple[int, str, int, str]:
    handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder.number)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        head = file.read(LONGEST).partition(b"\n\n")[0] if stat.S_ISREG(status.st_mode) else b""
    shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return int(status.st_mtime), shown, status.st_size, head.decode("utf-8", "replace")


def retire(mail: Path, key: str) -> str:
    """Move a mailbox out of the way: `retired` or `gone`."""
    with suppress(FileExistsError):
        (mail / GONE).mkdir(0o700)
    return "retired" if _move(mail, key, "", GONE) else "gone"


def bring_back(mail: Path, key: str) -> str:
    """The way back: `back` or `gone`."""
    return "back" if _move(mail, key, GONE, "") else "gone"


def remove(mail: Path, key: str) -> str:
    """Remove what was retired, for good: `removed` or `gone`."""
    if (mail / GONE).is_symlink() or not (mail / GONE / key).is_dir():
        return "gone"
    for folder in (*BESIDE, GONE):  # the mark that it was retired last: a run that was killed is repeated
        path = mail / folder / key
        if not path.is_symlink() and path.is_dir():
            shutil.rmtree(path)
    return "removed"


def _move(mail: Path, key: str, old: str, new: str) -> bool:
    """Rename it between two folders, neither of them a link; False where there is none."""
    try:
        with closing(open_folder(mail / old)) as here, closing(open_folder(mail / new)) as there:
            if not stat.S_ISDIR(os.stat(key, dir_fd=here.number, follow_symlinks=False).st_mode):
                raise MailboxError(f"{mail / old / key} is no folder: move it away.")
            os.rename(key, key, src_dir_fd=here.number, dst_dir_fd=there.number)
            for folder in (here, there):
                os.fsync(folder.number)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise
        raise MailboxError(f"Something lies at {mail / new / key} already: move it away.") from error
    return True


def shown(layout: Layout, key: str) -> bytes:
    """Root's side: the heads of a mailbox."""
    return again.as_mail_user(layout, "heads", key, module=MODULE).encode()


def retired(layout: Layout, key: str) -> str:
    """Root's side: move a mailbox that nobody has any more out of the way."""
    return _unless_live(layout, "retire", key)


def brought_back(layout: Layout, key: str) -> str:
    """Root's side: the way back, before it is live again."""
    return _unless_live(layout, "bring-back", key)


def removed(layout: Layout, key: str) -> str:
    """Root's side: remove what was moved out of the way."""
    return _unless_live(layout, "remove", key)


def _unless_live(layout: Layout, verb: str, key: str) -> str:
    if key in _live(layout.root / "current" / "snapshot.json"):
        raise CommandError(f"The mailbox {key} is live: remove it from the wishes first.")
    return again.as_mail_user(layout, verb, key, module=MODULE)


def _live(path: Path) -> set[str]:
    """The keys of all mailboxes that are live. The agent may write there: neither a link nor a pipe is waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise CommandError(f"{path} is no file: apply again.")
        try:
            return {box.key for box in Snapshot.from_json(file.read().decode()).mailboxes}
        except (ValueError, SnapshotError) as error:
            raise CommandError(f"{path} cannot be read: apply again.") from error


ACTS: Final = {"heads": heads, "retire": retire, "bring-back": bring_back, "remove": remove}

if __name__ == "__main__":
    os.umask(0o077)
    try:
        print(ACTS[sys.argv[2]](Layout.read(Path(sys.argv[1])).mail, sys.argv[3]))
    except (MailboxError, LayoutError, OSError) as error:
        sys.exit(" ".join(str(error).split()))
