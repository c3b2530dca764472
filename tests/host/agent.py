"""Applies as the agent, which alone may write releases: run as `python agent.py CODE HOST.JSON TIME < snapshot.json`.

Writes what `Applied` says as JSON; a failure is one sentence on standard error, exit code 1.
"""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from deploy.host.apply import ApplyError, apply
    from deploy.host.layout import Layout
    from deploy.render import render
    from deploy.snapshot import Snapshot

    layout, at = Layout.read(Path(sys.argv[2])), datetime.fromisoformat(sys.argv[3])
    snapshot = Snapshot.from_json(sys.stdin.read())
    try:
        applied = apply(layout, snapshot, render(snapshot, at, str(layout.mail)), at=at, log=lambda _line: None)
    except ApplyError as error:
        sys.exit(str(error))
    print(json.dumps(asdict(applied)))
