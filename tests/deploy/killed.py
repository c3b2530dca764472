"""An apply that kills itself: run as `python killed.py HOST.JSON SNAPSHOT.JSON MOMENT [PATIENCE]`.

MOMENT counts what Python does to the system (PEP 578 events that open, make, rename, link, start or connect);
at that one the process dies of SIGKILL, just before it happens. Without dying it prints how many there were.
"""

import os
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.host import probe
from deploy.host.apply import ApplyError, apply
from deploy.host.layout import Layout
from deploy.render import render
from deploy.snapshot import Snapshot

ACTS = ("open", "os.", "shutil.", "subprocess.Popen", "socket.connect", "fcntl.")
seen = 0


def count(moment: int, event: str, _arguments: tuple[Any, ...]) -> None:
    """Die at the moment."""
    global seen  # noqa: PLW0603 - a hook cannot carry state
    if event.startswith(ACTS):
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    layout = Layout.read(Path(sys.argv[1]))
    snapshot = Snapshot.from_json(Path(sys.argv[2]).read_text())
    at = datetime.now(UTC)
    rendered = render(snapshot, at, str(layout.mail))
    sys.addaudithook(lambda event, arguments: count(int(sys.argv[3]), event, arguments))
    if len(sys.argv) > 4:
        probe.PATIENCE = float(sys.argv[4])  # type: ignore[misc]
    with suppress(ApplyError):
        apply(layout, snapshot, rendered, at=at, log=lambda _line: None)
    print(seen)
