"""The example household's files, letter by letter.

A change on purpose: run with MAILADMIN_GOLDEN=write and read the diff.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

from deploy.render import render
from tests.deploy.household import HOUSEHOLD

GOLDEN = Path(__file__).parents[1] / "golden" / "household"
AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_the_household_reads_as_it_always_did() -> None:
    rendered = render(HOUSEHOLD, AT, "/srv/mail")
    if os.environ.get("MAILADMIN_GOLDEN") == "write":
        for path, data in rendered.items():
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_bytes(data)
    kept = {str(path.relative_to(GOLDEN)): path.read_bytes() for path in GOLDEN.rglob("*") if path.is_file()}
    assert rendered == kept
    assert list(rendered) == sorted(rendered)


def test_every_file_has_a_header_and_a_last_line_feed_and_no_date() -> None:
    for path, data in render(HOUSEHOLD, AT, "/srv/mail").items():
        assert data.startswith(b"# Written by Mailadmin."), path
        assert data.endswith(b"\n"), path
        assert b"\r" not in data, path
        assert b"2026" not in data, path
