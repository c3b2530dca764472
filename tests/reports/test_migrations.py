"""What was counted before there was a column for each thing stays, and letters under way stay under way."""

import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

from reports.fields import WEEK, bits
from tests.reports.child import Child

BEFORE = "0002_log_position"
KEY = "f" * 16
HOUR = datetime(2026, 11, 1, 5, tzinfo=UTC)
OLD = [("", "in", 7, 70), ("", "rejected", 2, 0), (KEY, "out", 3, 30), (KEY, "in", 4, 40)]
TALLIES = """
INSERT INTO reports_hourlytally (host, hour, mailbox, direction, letters, bytes) VALUES ('primary', ?, ?, ?, ?, ?)
"""
LETTER = """
INSERT INTO reports_openletter (host, queue_id, opened, login, size, queued, late)
VALUES ('primary', '4A', ?, 'a@b', 9, 1, 0)
"""
BOX = """
from accounts.wishes import wishes
from tests.reports.conftest import community, mailbox, person
with wishes("test", "test"):
    family = community("Fioretti family", "family", "myfamily.net")
    mailbox("anna@myfamily.net", person("anna@myfamily.net", guardian=family))
"""
HOURLY = """
INSERT INTO reports_hourlytally (host, hour, mailbox, received, received_bytes, sent, sent_bytes, home, abroad, away,
 quick, slow, bounced, deferred, rejected, spoofed, full, held, asked, failed)
VALUES ('primary', ?, ?, 0, 0, ?, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
"""
NEW = "SELECT mailbox, hour, received, received_bytes, sent, sent_bytes, rejected FROM reports_hourlytally ORDER BY 1"


def test_figures_move_into_their_columns_and_back(tmp_path: Path) -> None:
    child = Child(tmp_path)
    child.migrate()
    child.migrate("reports", BEFORE)
    with sqlite3.connect(child.database) as database:
        database.executemany(TALLIES, [(f"{HOUR:%Y-%m-%d %H:%M:%S}", *row) for row in OLD])
        database.execute(LETTER, [f"{HOUR:%Y-%m-%d %H:%M:%S}"])
    database.close()
    child.migrate()
    seconds = int(HOUR.timestamp())
    assert child.ask(NEW) == [(-1, seconds, 4, 40, 3, 30, 0), (0, seconds, 7, 70, 0, 0, 2)]
    assert child.ask("SELECT queue_id, login, size, queued, sender FROM reports_letter") == [("4A", "a@b", 9, 1, "")]
    assert child.ask("SELECT COUNT(*) FROM reports_dailytally") == [(0,)]  # nobody's mailbox
    child.migrate("reports", BEFORE)
    found = child.ask("SELECT mailbox, direction, letters, bytes FROM reports_hourlytally")
    assert sorted(found) == sorted(OLD)


def test_days_are_summed_up(tmp_path: Path) -> None:
    child = Child(tmp_path)
    child.migrate()
    child.run(BOX)
    child.migrate("reports", "0004_access_entry")
    key = bits(child.ask("SELECT key FROM domains_mailbox")[0][0])
    with sqlite3.connect(child.database) as database:
        for hour, sent in ((22, 3), (23, 4)):  # midnight in Rome is between them
            database.execute(HOURLY, [int(HOUR.replace(hour=hour).timestamp()), key, sent])
    database.close()
    child.migrate()
    day = (HOUR.date() - date(1970, 1, 1)).days
    assert child.ask("SELECT mailbox, day, sent, received FROM reports_dailytally ORDER BY day") == [
        (key, day, 3, 0), (key, day + 1, 4, 0)
    ]  # fmt: skip
    (month,) = child.ask("SELECT mailbox, month, sent, sending, week FROM reports_monthlytally")
    week = [4, *[0] * 166, 3]  # Monday's first hour, Sunday's last
    assert month == (key, 202611, 7, 0b11, WEEK.pack(*week))
    child.migrate("reports", "0009_monthly_tally")
    weeks = child.ask("SELECT mailbox, month, hour, sent FROM reports_weektally ORDER BY hour")
    assert weeks == [(key, 202611, 0, 4), (key, 202611, 167, 3)]
