"""Several processes write wishes and acts at once: on SQLite and on PostgreSQL the audit log stays one chain."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.host.machine import CHECKOUT, free_base

WRITERS, EACH = 4, 15
SCRIPT = f"""
import sys, django
django.setup()
from accounts.models import Community
from accounts.wishes import note_act, wishes
me = sys.argv[1]
for number in range({EACH}):
    with wishes(f"writer {{me}}", "test"):
        Community(name=f"Family {{me}}-{{number}}").save()
        Community(name=f"Business {{me}}-{{number}}", kind="business").save()
    note_act(f"writer {{me}}", "test", f"act {{number}}", {{}})
"""
CHECK = """
import json, django
django.setup()
from accounts.chain import examined, head
from accounts.models import Wishes
print(json.dumps([*examined(head(Wishes.current())), Wishes.current()]))
"""
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def chain_after(environment: dict[str, str]) -> list[object]:
    """Have all of them write, and follow the chain: entries, the first wrong one, is the head there, generation."""
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "mailadmin.settings", **environment}
    common = {"cwd": CHECKOUT, "env": given, "text": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, timeout=900, **common)  # type: ignore[call-overload]
    writers = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(number)], stderr=subprocess.PIPE, **common)  # type: ignore[call-overload]
        for number in range(WRITERS)
    ]
    said = [one.communicate(timeout=900)[1] for one in writers]
    assert not any(one.returncode for one in writers), "\n".join(said)  # without a queue they say so, and go on
    checked = subprocess.run([sys.executable, "-c", CHECK], check=True, capture_output=True, timeout=900, **common)  # type: ignore[call-overload]
    found: list[object] = json.loads(checked.stdout)
    return found


@pytest.mark.daemons
@pytest.mark.timeout(1800)
def test_on_sqlite(tmp_path: Path) -> None:
    (tmp_path / "db").mkdir()
    found = chain_after({"MAILADMIN_VAR": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/db/test.sqlite3"})
    assert found == [WRITERS * EACH * 3, None, True, WRITERS * EACH]


@contextmanager
def postgresql() -> Iterator[str]:
    """A database server of one's own, on a socket alone; its address."""
    folder = Path(tempfile.mkdtemp(prefix="mailadmin-pg-", dir="/tmp"))
    shutil.chown(folder, "postgres", "postgres")
    place, port, who = folder / "data", free_base(), {"user": "postgres", "cwd": "/"}
    flags = ["-o", f"-k {folder} -p {port} -c listen_addresses=", "-l", str(folder / "log")]
    control = [str(PROGRAMS[-1] / "pg_ctl"), "-D", str(place), "-w", "-s"]
    initdb = [str(PROGRAMS[-1] / "initdb"), "-D", str(place), "-A", "trust", "-E", "UTF8", "--no-locale", "-N"]
    subprocess.run(initdb, check=True, capture_output=True, timeout=300, **who)  # type: ignore[call-overload]
    try:
        subprocess.run([*control, *flags, "start"], check=True, timeout=120, **who)  # type: ignore[call-overload]
        yield f"postgres://postgres@{str(folder).replace('/', '%2F')}:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, timeout=120, **who)  # type: ignore[call-overload]
        shutil.rmtree(folder)


@pytest.mark.nightly(0.5)
@pytest.mark.daemons
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL is not installed")
def test_on_postgresql(tmp_path: Path) -> None:
    with postgresql() as address:
        found = chain_after({"MAILADMIN_VAR": str(tmp_path), "DATABASE_URL": address})
    assert found == [WRITERS * EACH * 3, None, True, WRITERS * EACH]
