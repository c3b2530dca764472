"""A private PostgreSQL for the time of one command: `python -m tests.postgresql COMMAND…`, which finds DATABASE_URL.

In: the words of a command. Out: its exit code. Touched: a folder that is gone afterwards. There is no port: the one
door is a socket in that folder. Text is sorted as Italians sort it, which is not by the numbers of its letters: what
leans on the order of a database that says so by chance is found out.
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

OWNER = "postgres"  # the package's user: PostgreSQL does not run as root
NAME = "mailadmin"
WAIT = "60"
INITDB = (
    f"--username={NAME}", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu",
    "--icu-locale=it-IT", "--no-sync",
)  # fmt: skip
# What a power cut would leave of it interests nobody.
SETTINGS = {"listen_addresses": "", "fsync": "off", "full_page_writes": "off", "max_connections": "60"}


class Missing(Exception):
    """PostgreSQL is not installed; the text is one sentence."""


def programs() -> Path:
    """The folder of the newest PostgreSQL's programs, which Debian keeps out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise Missing("There is no PostgreSQL here: script/bootstrap --dev installs it.")
    return found[-1]


def owner() -> dict[str, Any]:
    """Whom it runs as: nobody else may be where one is not root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(OWNER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextmanager
def started_postgresql(name: str = NAME) -> Iterator[str]:
    """A cluster with one empty database, up and answering; its URL."""
    folder, rights = Path(tempfile.mkdtemp(prefix="mailadmin-sql-", dir="/tmp")), owner()
    if rights:
        os.chown(folder, rights["user"], rights["group"])
    folder.chmod(0o755)  # other users may come to the socket; what is stored, the cluster keeps to itself
    data, bin_ = folder / "data", programs()
    settings = {**SETTINGS, "unix_socket_directories": str(folder)}
    options = " ".join(f"-c {key}='{value}'" for key, value in settings.items())

    def run(program: str, *words: str) -> None:
        args = [str(bin_ / program), *words]
        done = subprocess.run(
            args, capture_output=True, text=True, check=False, cwd="/", start_new_session=True, **rights
        )
        assert not done.returncode, f"{program}: {done.stdout}{done.stderr}"

    try:
        run("initdb", f"--pgdata={data}", *INITDB)
        run("pg_ctl", f"--pgdata={data}", "-w", "-t", WAIT, f"--log={folder / 'log'}", "-o", options, "start")
        try:
            run("createdb", f"--host={folder}", f"--username={NAME}", name)
            yield f"postgresql://{NAME}@{quote(str(folder), safe='')}/{name}"
        finally:
            run("pg_ctl", f"--pgdata={data}", "-w", "-t", WAIT, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def database_of_its_own() -> Iterator[dict[str, str]]:
    """Of the PostgreSQL that a run of tests was given, an empty database: what a server's environment says of it.

    Nothing where the tests run without one: each server has an SQLite file of its own.
    """
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgresql:"):
        yield {}
        return
    name, there = f"server_{uuid.uuid4().hex}", f"--maintenance-db={url}"
    subprocess.run([programs() / "createdb", there, name], check=True)
    try:
        yield {"DATABASE_URL": f"{url.rpartition('/')[0]}/{name}"}
    finally:
        subprocess.run([programs() / "dropdb", "--force", there, name], check=True)


def main(command: list[str]) -> int:
    """Run a command with a database of its own; its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    try:
        with started_postgresql() as url:
            return subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=False).returncode
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
