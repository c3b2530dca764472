"""The locks and what they were made from.

In: pyproject.toml, package.json and the locks beside them, all at the top of the checkout.
Out: `stamp` marks the Python locks with the digest of pyproject's dependencies; `check` prints a line for each lock
that is out of step with its source, or that names an address (a lock holds names, versions and hashes; where they
come from is the machine's own business).
Touches: `stamp` rewrites the first line of each Python lock; `check` writes nothing.
Exits 0, or 1 when `check` found something.
"""

import hashlib
import json
import re
import sys
import tomllib
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
MARK = "# Made by script/lock from dependencies with sha256 "


def digest() -> str:
    """Of everything in pyproject.toml that decides what is installed."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    source = [
        project["project"]["requires-python"],
        project["project"]["dependencies"],
        project["project"].get("optional-dependencies", {}),
        project["dependency-groups"],
    ]
    return hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()


def stamp() -> None:
    for name in PYTHON_LOCKS:
        lock = TOP / name
        kept = [line for line in lock.read_text().splitlines(keepends=True) if not line.startswith(MARK)]
        lock.write_text(f"{MARK}{digest()}\n{''.join(kept)}")


def python_complaints() -> list[str]:
    expected = MARK + digest()
    return [
        f"{name} is not made from pyproject.toml as it is now; run script/lock"
        for name in PYTHON_LOCKS
        if (TOP / name).read_text().splitlines()[0] != expected
    ]


def node_complaints() -> list[str]:
    wanted = json.loads((TOP / "package.json").read_text())
    locked = json.loads((TOP / "package-lock.json").read_text())["packages"][""]
    groups = ("dependencies", "devDependencies")
    if all(wanted.get(group, {}) == locked.get(group, {}) for group in groups):
        return []
    return ["package-lock.json is not made from package.json as it is now; run script/lock"]


def address_complaints() -> list[str]:
    address = dict.fromkeys(PYTHON_LOCKS, r"\b(https?|file|git)[:+]") | {"package-lock.json": '"resolved"'}
    return [f"{name} names an address" for name in address if re.search(address[name], (TOP / name).read_text())]


def check() -> int:
    complaints = python_complaints() + node_complaints() + address_complaints()
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    if sys.argv[1:] == ["stamp"]:
        stamp()
    elif sys.argv[1:] == ["check"]:
        sys.exit(check())
    else:
        sys.exit("script/locks.py stamp | check")
