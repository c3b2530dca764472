"""Make a folder with exactly the owner and rights it must have, whatever the umask and whoever may write beside it.

In: a path, ids, a mode. Out: whether it is new. Touched: that one folder. Raises FolderError with one sentence.
The parent may belong to a system user with fewer rights than ours: a link planted under the name is never followed.
"""

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path


class FolderError(Exception):
    """Something else stands where the folder should be, or the system refuses."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An open folder, closed by `closing`."""

    number: int

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.number)


def make_folder(path: Path, uid: int, gid: int, mode: int) -> bool:
    """Make `path`, or mend the owner and rights of what is there; True when it is new. The parent must exist."""
    try:
        with closing(open_folder(path.parent)) as parent:
            new = _make(path.name, parent)
            with closing(open_folder(path.name, parent)) as folder:
                _set_rights(folder.number, uid, gid, mode)
            return new
    except OSError as error:
        raise FolderError(f"{path} cannot be made a folder: {error.strerror}.") from error


def _make(name: str, parent: Descriptor) -> bool:
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent.number)
        return True
    return False


def open_folder(path: Path | str, parent: Descriptor | None = None) -> Descriptor:
    """Open a folder, never a link to one; raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return Descriptor(os.open(path, flags, dir_fd=parent.number if parent else None))


def _set_rights(folder: int, uid: int, gid: int, mode: int) -> None:
    status = os.fstat(folder)
    if (status.st_uid, status.st_gid) != (uid, gid):
        os.fchown(folder, uid, gid)
    if status.st_mode & 0o7777 != mode:
        os.fchmod(folder, mode)
