"""Tries letters as the agent, which alone may: `python dry.py CODE HOST.JSON < trials.json`; outcomes as JSON lines."""

import base64
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from deploy.host.dryrun import DryRunError, Trial, try_letter
    from deploy.host.layout import Layout

    layout = Layout.read(Path(sys.argv[2]))
    for row in json.load(sys.stdin):
        trial = Trial(**{**row, "letter": base64.b64decode(row["letter"])})
        try:
            print(json.dumps(try_letter(layout, trial, datetime.now(UTC)).as_json()))
        except DryRunError as error:
            print(json.dumps({"error": str(error)}))
