"""What was counted before there was a column for each thing stays, and letters under way stay under way."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

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
    child.migrate("reports", BEFORE)
    found = child.ask("SELECT mailbox, direction, letters, bytes FROM reports_hourlytally")
    assert sorted(found) == sorted(OLD)
