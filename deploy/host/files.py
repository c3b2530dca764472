"""Files that survive a power cut, with exactly the rights they were given, whatever the umask.

In: paths and bytes. Out: files, folders, links and locks. Touched: what the caller names. Raises OSError as the system
does, and `Busy` when a lock is not free in time.
"""

import errno
import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

SECOND: Final = 1_000_000_000
MANY: Final = 200  # more new files than this are cheaper to write out by one sync of everything


class Busy(Exception):
    """Somebody else holds a lock; the text is one sentence."""


@contextmanager
def locked(path: Path, patience: float = 60.0) -> Iterator[None]:
    """Hold a lock file alone; wait at most `patience` seconds. The kernel lets go when the process ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        _wait_for(handle, path, time.monotonic() + patience)
        yield
    finally:
        os.close(handle)


def _wait_for(handle: int, path: Path, until: float) -> None:
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise Busy(f"Another process holds {path}: try again later.") from None
            time.sleep(0.02)


def write(path: Path, data: bytes, mode: int) -> None:
    """A new file; it must not exist yet. Not yet on the disk: see `flush`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        set_mode(handle, mode)


def replace(path: Path, data: bytes, mode: int, folder: Path | None = None) -> None:
    """A whole new content under an old name, in one step, on the disk; first written in `folder`, or beside it."""
    beside = (folder or path.parent) / f".new-{path.name}"
    beside.unlink(missing_ok=True)
    write(beside, data, mode)
    flush([beside])
    beside.rename(path)
    flush([path.parent])


def point(link: Path, target: str) -> None:
    """Let a symbolic link lead elsewhere, in one step, on the disk."""
    beside = link.with_name(f".new-{link.name}")
    beside.unlink(missing_ok=True)
    beside.symlink_to(target)
    beside.rename(link)
    flush([link.parent])


def set_mode(path: Path | int, mode: int) -> None:
    """Set the rights where they differ. A folder's set-gid bit stays: to set rights again would take it away."""
    if os.stat(path).st_mode & 0o777 != mode:  # noqa: PTH116 - also open files
        os.chmod(path, mode)  # noqa: PTH101


def flush(paths: Iterable[Path]) -> None:
    """Have files and folders written to the disk."""
    waiting = list(paths)
    if len(waiting) > MANY:
        os.sync()
        waiting = []
    for path in waiting:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove(path: Path) -> None:
    """Take a whole folder or a file away. First out of its name, so that half of it is never taken for all."""
    if path.is_symlink() or path.is_file():
        return path.unlink()
    beside = path if path.name.startswith(".old-") else path.with_name(f".old-{path.name}")
    if beside != path:
        if beside.exists():
            _remove_folder(beside)
        path.rename(beside)
    return _remove_folder(beside)


def _remove_folder(path: Path, patience: int = 50) -> None:
    """A program that outlived a killed run may still be making and removing its last files there: try again."""
    try:
        shutil.rmtree(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.ENOENT) or not patience or not path.exists():
            raise
        time.sleep(0.02)
        _remove_folder(path, patience - 1)


def same_content(path: Path | str, data: bytes, mode: int) -> bool:
    """True for a plain file of these bytes and rights. Asked of thousands, so by its name as text."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            status = os.fstat(handle)
            plain = (status.st_mode, status.st_size) == (stat.S_IFREG | mode, len(data))
            return plain and os.read(handle, len(data) + 1) == data
        finally:
            os.close(handle)
    return False


def later(now: float, before: Iterable[int]) -> int:
    """The second to stamp a file with: now, but after every earlier one, for readers that compare seconds and size."""
    return max([int(now), *(second + 1 for second in before)])


def stamp(path: Path, second: int) -> None:
    """Set when a file was changed."""
    os.utime(path, ns=(second * SECOND, second * SECOND))


def nudge(path: Path) -> None:
    """Change when a file was changed by a second, from its own time: readers that hold it open see that it is over."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + SECOND))
