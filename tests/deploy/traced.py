"""The system calls of a program, as strace(1) tells them, and faults at each of them.

In: the words of a command, a `Fault`. Out: `Call`s; how the program ended. Touched: the program, through strace.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.host.commands import Completed, run

KINDS: Final = (
    "openat", "write", "pwrite64", "rename", "link", "symlink", "fsync", "fdatasync", "sync", "mkdir", "mkdirat",
    "rmdir", "unlink", "unlinkat", "chmod", "fchmod", "fchown", "utimensat", "ftruncate", "flock", "connect", "sendto",
    "execve",
)  # fmt: skip
TRACE: Final = "trace=" + ",".join(f"?{kind}" for kind in KINDS)
LINE: Final = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)$")
WRITES: Final = re.compile(r"O_(?:CREAT|WRONLY|RDWR)")
PATHS: Final = re.compile(r'(?:(?:\d+|AT_FDCWD)<([^>]*)>, )?"([^"]*)"')
OPEN: Final = re.compile(r"\d+<(/[^>]*)>")
FAULTS: Final = ("signal=KILL", "error=ENOSPC", "error=EIO")
OTHERS: Final = ("error=EROFS", "error=EDQUOT")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one process: the how manyth of its kind it is there, what it was given, what came back."""

    process: int
    kind: str
    number: int
    given: str
    result: int

    @property
    def changes(self) -> bool:
        """Whether it changes something: a file that is only read does not."""
        if self.kind in ("execve", "flock"):
            return False
        return self.kind != "openat" or bool(WRITES.search(self.given) and "/dev/null" not in self.given)


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at which call."""

    kind: str
    number: int
    what: str

    def __str__(self) -> str:
        """For the name of a test."""
        return f"{self.kind} {self.number} {self.what}"

    def words(self, log: Path) -> list[str]:
        """A strace that makes it happen, in the first process alone; the program's own words follow."""
        inject = f"inject={self.kind}:{self.what}:when={self.number}"
        return ["strace", "-qq", "-o", str(log), "-e", f"trace={self.kind}", "-e", inject]


def traced(words: list[str], log: Path, cwd: Path) -> tuple[Completed, list[Call]]:
    """Run a program to its end; every call of it and of its children, in the order in which they ended."""
    done = run(["strace", "-f", "-qq", "-y", "-s", "300", "-o", str(log), "-e", TRACE, *words], timeout=120, cwd=cwd)
    return done, list(calls(log.read_text(errors="replace")))


def calls(text: str) -> Iterator[Call]:
    """What strace wrote; the two halves of a call during which another process had its say are put together."""
    begun, seen = dict[str, str](), Counter[tuple[int, str]]()
    for line in text.splitlines():
        process, _blank, rest = line.partition(" ")
        if rest.endswith("<unfinished ...>"):
            begun[process] = rest.removesuffix("<unfinished ...>")
            continue
        if " resumed>" in rest:
            rest = begun.pop(process) + rest.partition(" resumed>")[2]
        if found := LINE.match(f"{process} {rest}"):
            who, kind = int(found[1]), found[2]
            seen[who, kind] += 1
            yield Call(who, kind, seen[who, kind], found[3], int(found[4]))


def paths(call: Call) -> list[str]:
    """The paths that a call names, absolute: `AT_FDCWD, "/a"`, `5</a>, "b"`, `"/a"`; or that of its open file."""
    found = OPEN.match(call.given)
    if found and call.kind in ("write", "pwrite64"):
        return [found[1]]
    named = [str(Path(folder or "/", path)) for folder, path in PATHS.findall(call.given)]
    return named or ([found[1]] if found else [])


class Unwritten:
    """What a power cut could still take: bytes and facts of files, and names in folders, that no fsync covers."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.files, self.names = set[str](), set[str]()

    def see(self, call: Call) -> None:
        """One call more, which did what it should."""
        where = paths(call)
        match call.kind:
            case "fsync" | "fdatasync":
                self.written(where[0])
            case "sync":
                self.files, self.names = set(), set()
            case "rename":
                self.moved(where[0], where[1])
            case "unlink" | "rmdir" | "unlinkat":
                self.files.discard(where[0])
                self.names.add(where[0])
            case "link" | "symlink" | "mkdir" | "mkdirat":
                self.names.add(where[-1])
            case "openat" if "O_CREAT" in call.given:
                self.files.add(where[0])
                self.names.add(where[0])
            case "write" | "pwrite64" | "ftruncate" | "fchmod" | "chmod" | "fchown" | "utimensat":
                self.files.update(where)

    def written(self, path: str) -> None:
        """A file, or the names in a folder, are on the disk."""
        self.files.discard(path)
        self.names = {name for name in self.names if str(Path(name).parent) != path}

    def moved(self, old: str, new: str) -> None:
        """A file or a folder with all below it has another name."""
        self.files = {as_moved(path, old, new) for path in self.files}
        self.names = {as_moved(path, old, new) for path in self.names if path != old} | {old, new}

    def below(self, folder: Path) -> set[str]:
        """What is not on the disk below a folder, it itself included."""
        found = self.files | self.names
        return {path for path in found if path == str(folder) or path.startswith(f"{folder}/")}


def as_moved(path: str, old: str, new: str) -> str:
    """The path after a folder above it has another name."""
    return new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path
