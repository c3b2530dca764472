"""An apply as a program of its own: run as `python -B -m tests.deploy.applied HOST.JSON SNAPSHOT.JSON [PROGRAMS]`.

PROGRAMS: a folder in which programs are looked for first. Exit code 0: live and verified; 1: one sentence on standard
error. The stand-in for Dovecot reads its files at each question, so nobody waits here for a new second of the clock.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from deploy.host import commands, probe
from deploy.host.apply import ApplyError, apply
from deploy.host.layout import Layout
from deploy.render import render
from deploy.snapshot import Snapshot


class Impatient:
    """The clock, for whom nobody waits long."""

    def __init__(self, clock: object) -> None:
        """Stands before the real one."""
        self.clock = clock

    def __getattr__(self, name: str) -> object:
        """As the real one does."""
        return getattr(self.clock, name)

    def sleep(self, _seconds: float) -> None:
        """Hardly."""
        self.clock.sleep(0.01)  # type: ignore[attr-defined]


if __name__ == "__main__":
    layout, snapshot = Layout.read(Path(sys.argv[1])), Snapshot.from_json(Path(sys.argv[2]).read_text())
    if len(sys.argv) > 3:
        commands.PATH = f"{sys.argv[3]}:{commands.PATH}"
    vars(probe)["time"] = Impatient(time)
    at = datetime.now(UTC)
    try:
        apply(layout, snapshot, render(snapshot, at, str(layout.mail)), at=at, log=lambda _line: None)
    except ApplyError as error:
        sys.exit(str(error))
