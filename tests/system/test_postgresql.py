"""Everything that uses a database, daemons and browser included, with PostgreSQL in the place of SQLite."""

import os
import subprocess
import sys

import pytest

from tests.host.machine import CHECKOUT

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(3600)]
PYTEST = (sys.executable, "-m", "tests.postgresql", sys.executable, "-m", "pytest", "-p", "tests.database")
CHOICE = ("--database-alone", "-q", "-m", "(daemons or browser) and not nightly")


def passes(*words: str) -> None:
    """Run tests as a child of its own, with a cluster of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*PYTEST, *CHOICE, *words], cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout.splitlines()[-1]


@pytest.mark.nightly(5)
def test_the_server_runs_on_postgresql() -> None:
    passes("tests/system")


@pytest.mark.nightly(11)
def test_the_browser_sees_the_same_on_postgresql() -> None:
    passes("tests/browser")


@pytest.mark.nightly(8)
def test_the_mail_host_is_told_the_same_on_postgresql() -> None:
    passes("tests", "--ignore=tests/system", "--ignore=tests/browser")
