"""The mail host's clock and this database: ticks made while nobody was there, and a database restored from a backup."""

import json
import smtplib
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.host import release
from deploy.setup.people import person
from deploy.setup.place import find_place
from tests.host.machine import CHECKOUT, wait_for
from tests.postgresql import programs
from tests.system.panel import Panel
from tests.system.server import HOUSEHOLD, PASSWORD, Server
from tests.system.test_stopped import PROGRAMS, without

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(400)]
LOOK = """
import sys
from datetime import datetime
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from deploy.host import clock
from deploy.host.layout import Layout
clock.look(Layout.read(Path(sys.argv[2])), datetime.fromisoformat(sys.argv[3]))
"""
ROWS = """
import json
from deploy.models import MailHost, Release
host = MailHost.objects.get()
rows = list(Release.objects.filter(clock=True).order_by("folder").values_list("folder", "generation", "status"))
print(json.dumps([host.applied, host.ahead, host.error, rows]))
"""


def soon() -> str:
    """The household with an alias that ends after tomorrow."""
    last = datetime.now(UTC).date() + timedelta(days=1)
    return f'{HOUSEHOLD}[[alias]]\naddress = "soon@rossi.example"\nto = ["ada@rossi.example"]\nexpires = {last}\n'


def live(server: Server) -> release.Release:
    """The live release."""
    found = release.live(server.layout)
    assert found
    return found


def tick(server: Server, days: int) -> None:
    """What the clock does, as if it were so many days later."""
    agent, code = person(server.layout.agent), find_place(CHECKOUT, server.var).code
    at = datetime.now(UTC) + timedelta(days=days)
    words = [sys.executable, "-c", LOOK, str(code), str(server.layout.etc / "host.json"), at.isoformat()]
    subprocess.run(
        words, check=True, timeout=60, cwd="/", user=agent.uid, group=agent.gid, extra_groups=list(agent.groups)
    )


def taken(server: Server, address: str, subject: str) -> bool:
    """Whether a stranger's letter is taken: not yet while the link is switched and Postfix was not told."""
    try:
        server.send("zia@outside.example", address, subject)
    except smtplib.SMTPRecipientsRefused:
        return False
    return True


def test_what_the_clock_did_while_everything_was_down_is_adopted_and_nobody_is_asked(server: Server) -> None:
    server.load(soon())
    before = live(server)
    with without(server, *PROGRAMS, "database"):
        tick(server, 3)
        # The host's own clock knows better what day it is, and takes it back by itself.
        wait_for(lambda: live(server).number >= before.number + 2, "the clock", 60)
        assert "soon@rossi.example" in (live(server).path / "postfix" / "aliases").read_text()
        wait_for(lambda: taken(server, "soon@rossi.example", "by the clock alone"), "Postfix to hear of it")
        server.arrives("ada@rossi.example", "by the clock alone")
    applied, _ahead, _error, _rows = server.ask(ROWS)

    def adopted() -> Any:
        found = server.ask(ROWS)
        return found if [before.number + 1, before.number + 2] == [row[0] for row in found[3][-2:]] else None

    applied_now, ahead, error, rows = wait_for(adopted, "the rows of what the clock made", 60)
    assert (applied_now, ahead, error) == (applied, 0, "")
    assert {tuple(row[1:]) for row in rows[-2:]} == {(before.manifest.generation, "live")}


def copy(source: Path, target: Path) -> None:
    """Copy an SQLite database whole, into the file that is there."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target, timeout=60)) as other:
        one.backup(other)


def back_up(server: Server, backup: Path) -> None:
    """Write down the whole database, as its own program does."""
    if url := server.environment.get("DATABASE_URL"):
        words = ["--clean", "--if-exists", "--no-owner", f"--file={backup}", url]
        subprocess.run([programs() / "pg_dump", *words], check=True, timeout=60)
    else:
        copy(server.var / "db" / "mailadmin.sqlite3", backup)


def restore(server: Server, backup: Path) -> None:
    """Make the database what was written down, while its programs run."""
    if url := server.environment.get("DATABASE_URL"):
        words = ["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={backup}", url]
        subprocess.run([programs() / "psql", *words], check=True, timeout=60, stdout=subprocess.DEVNULL)
    else:
        copy(backup, server.var / "db" / "mailadmin.sqlite3")


def test_a_database_of_yesterday_waits_until_somebody_lets_it_count(server: Server, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    server.load()
    back_up(server, backup)
    server.load(HOUSEHOLD.replace(PASSWORD, "un'altra casa, un altro mare"))
    newest, folder = live(server).manifest.generation, live(server).number
    restore(server, backup)
    said = server.manage("apply", "--wait", fails=True)
    assert f"is of generation {newest}, which this database did not make" in said
    found = json.loads(server.manage("doctor", "--json", fails=True))
    wrong = [check["sentence"] for check in found if check["name"] == "wishes on primary" and not check["ok"]]
    assert [sentence.split(",")[0] for sentence in wrong] == [f"The live release on primary is of generation {newest}"]
    server.load(HOUSEHOLD.replace('"Bo"', '"Bob"'), live=False)
    assert "did not make" in server.manage("apply", "--wait", fails=True)
    assert live(server).number == folder
    server.send("zia@outside.example", "ada@rossi.example", "while it waits")
    server.arrives("ada@rossi.example", "while it waits", "un'altra casa, un altro mare")
    confirm(server, newest)
    wait_for(lambda: server.state()["applied"] > newest, "the older database's wishes", 60)
    assert live(server).manifest.generation == server.state()["wished"]
    server.arrives("ada@rossi.example", "while it waits", PASSWORD)
    assert "live on primary" in server.manage("apply", "--wait")


def confirm(server: Server, newest: int) -> None:
    """What the administrator does, in a browser without scripts."""
    visitor = Panel(server).sign_in()
    first = visitor.get("/").text
    assert "This database is older than the mail host." in first
    number = server.ask("from deploy.models import MailHost\nprint(MailHost.objects.get().pk)")
    assert f"/hosts/{number}/confirm/" in first
    assert f"up to number {newest}" in visitor.get(f"/hosts/{number}/confirm/").text
    answer = visitor.post(f"/hosts/{number}/confirm/", ahead=str(newest))
    assert answer.status == 200
    assert "The wishes of this database go live now." in answer.text
    assert "This database is older" not in answer.text
