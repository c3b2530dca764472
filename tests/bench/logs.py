"""How fast a mail log is counted, in how much memory, and how much stays: beside pflogsumm on the same log.

In: nothing; a database of its own. Out: rows of text.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.reports.biglog import BigLog, big_log

ROOT = Path(__file__).resolve().parents[2]
LINES = 200_000
ROUNDS = 3
A_MONTH = 10_000_000  # lines of a busy host
KEPT_DAYS = 21
CHILD = """
import json, resource, sys, time
from datetime import UTC, datetime
from pathlib import Path
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from accounts.wishes import wishes
from mailadmin.celery import freeze_what_is_loaded
from reports.ingest import follow
from tests.reports.biglog import PEOPLE
from tests.reports.conftest import community, mailbox, person
with wishes("bench", "bench"):
    business = community("Fioretti & Co", "business", "mybusiness.com")
    for address in PEOPLE:
        mailbox(address, person(address, member=business))
freeze_what_is_loaded()  # as the worker does
began = time.process_time()
while follow("primary", Path(sys.argv[1]), datetime(2026, 12, 24, tzinfo=UTC), zone=UTC):
    pass
print(json.dumps([time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""
SIZES = "SELECT name, SUM(pgsize) FROM dbstat WHERE name NOT LIKE 'domains%' GROUP BY 1 ORDER BY 2 DESC"


def measure() -> Iterator[str]:
    """All rows."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        yield from speed(folder)
        if os.environ.get("MONTH"):
            yield from size(folder)


def speed(folder: Path) -> Iterator[str]:
    """Lines a second of processor time, in turn with pflogsumm; the most memory of the process."""
    log = folder / "mail.log"
    log.write_bytes(big_log(LINES))
    lines = log.read_bytes().count(b"\n")
    ours, theirs, memory = [], [], []
    for _round in range(ROUNDS):
        seconds, most = ingest(folder, log)
        ours.append(lines / seconds)
        memory.append(most)
        theirs.append(lines / pflogsumm(log))
    yield f"ingest of {lines:,} lines       {sorted(ours)[1]:10,.0f} lines/s of one core, {max(memory):.0f} MB at most"
    yield f"pflogsumm                       {sorted(theirs)[1]:10,.0f} lines/s"


def ingest(folder: Path, log: Path) -> tuple[float, float]:
    """Seconds of processor time and MB for a whole log, in a process and a database of its own."""
    (folder / "db.sqlite3").unlink(missing_ok=True)
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}", "MAILADMIN_VAR": str(folder),
                   "DJANGO_SETTINGS_MODULE": "mailadmin.settings"}  # fmt: skip
    command = [sys.executable, "-c", CHILD, str(log)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    seconds, memory = json.loads(done.stdout)
    return seconds, memory


def pflogsumm(log: Path) -> float:
    """Seconds of processor time of its own."""
    before = os.times()
    subprocess.run(["pflogsumm", "--syslog-name=postfix-private", str(log)], capture_output=True, check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def size(folder: Path) -> Iterator[str]:
    """What three weeks of a host that writes ten million lines a month leave in the tables, with `MONTH=1` alone."""
    log = folder / "month.log"
    lines = A_MONTH * KEPT_DAYS // 30
    whole = BigLog(7, pause=KEPT_DAYS * 86_400 / lines * 6.1).lines()
    with log.open("wb") as file:
        for _line in range(lines):
            file.write(next(whole))
    seconds, memory = ingest(folder, log)
    yield f"{lines:,} lines                 {lines / seconds:10,.0f} lines/s, {memory:.0f} MB at most"
    with sqlite3.connect(folder / "db.sqlite3") as database:
        for name, found in database.execute(SIZES).fetchmany(12):
            yield f"  {name:40} {found / 1e6:8.1f} MB"
    yield f"the database                    {(folder / 'db.sqlite3').stat().st_size / 1e6:10.1f} MB"
