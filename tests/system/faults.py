"""What can fail behind the mail, each as a context manager: it begins, lasts a while, and is over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.host.machine import CHECKOUT, wait_for
from tests.system.server import Server

DISK = "24m"
HELD_LOCK = """
import sys, django
django.setup()
from django.db import transaction
from accounts.models import Wishes
with transaction.atomic():
    Wishes.objects.select_for_update().get(pk=1)
    print("held", flush=True)
    sys.stdin.read()
"""
CUT = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                   "AND pid <> pg_backend_pid()")
"""
AN_HOUR_BACK = """
from datetime import timedelta
from django.db.models import F
from deploy.models import Release
hour = timedelta(hours=1)
Release.objects.update(started=F("started") + hour, ended=F("ended") + hour)
"""


def up(server: Server, program: str) -> None:
    """Wait until a program is up, and call it back when nobody tries any more."""

    def running() -> bool:
        state = server.control("status", program)
        if "FATAL" in state or "STOPPED" in state or "EXITED" in state:
            server.control("start", program)
        return "RUNNING" in state

    wait_for(running, program, 120)


@contextmanager
def killed(server: Server, program: str) -> Iterator[None]:
    """KILL; the process runner starts it again."""
    up(server, program)
    server.kill(program)
    yield
    up(server, program)


@contextmanager
def stopped(server: Server, program: str) -> Iterator[None]:
    """Gone for a while."""
    server.control("stop", program)
    yield
    up(server, program)


@contextmanager
def frozen(server: Server, program: str) -> Iterator[None]:
    """There, and answering nobody."""
    up(server, program)
    pid = server.kill(program, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def locked(server: Server) -> Iterator[None]:
    """Somebody else writes for as long as this lasts."""
    words = {**server.environment, "DJANGO_SETTINGS_MODULE": "mailadmin.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", HELD_LOCK], cwd=CHECKOUT, env=words, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        holder.stdout.readline()
        yield
        holder.stdin.close()


@contextmanager
def without_database(server: Server, ask: Callable[[str], object]) -> Iterator[None]:
    """The database is nowhere; PostgreSQL throws everybody out."""
    if "postgresql" in server.environment.get("DATABASE_URL", ""):
        ask(CUT)
        yield
        return
    (server.var / "db").rename(server.var / "db.away")
    try:
        yield
    finally:
        (server.var / "db.away").rename(server.var / "db")


@contextmanager
def full(server: Server) -> Iterator[None]:
    """Nothing more fits where releases and logs are."""
    filler = server.layout.root / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def set_back(server: Server, ask: Callable[[str], object]) -> Iterator[None]:
    """The clock goes back an hour: all that was written so far lies an hour ahead."""
    ask(AN_HOUR_BACK)
    for path in server.layout.root.glob("releases/*/dovecot/*"):
        with suppress(FileNotFoundError):
            os.utime(path, (time.time() + 3600, time.time() + 3600))
    yield


@contextmanager
def small_disk(var: Path) -> Iterator[None]:
    """Where releases will be, a file system of its own that can be filled."""
    folder = var / "host"
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
