"""The agent's first release, which holds nothing: run as `python -m deploy.setup.first_release host.json`.

In: the path of `host.json`. Touched: `<root>/releases/000000` and `<root>/current`. Raises what `build` raises.
It is built by the same code as every other, so that the daemons open the very files they will see later.
"""

import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from deploy.host.build import build
from deploy.host.layout import Layout
from deploy.host.release import live, switch
from deploy.render import render
from deploy.snapshot import Snapshot


def lay_empty_release(layout: Layout, at: datetime) -> None:
    """Make a release of no wishes, and make it live, unless there is a live one."""
    if live(layout) is None:
        nothing = Snapshot(generation=0, host=layout.name, role="primary", domains=(), mailboxes=(), aliases=())
        switch(layout, build(layout, nothing, render(nothing, at, str(layout.mail)), 0, None, at).number)


if __name__ == "__main__":
    os.umask(0o022)
    lay_empty_release(Layout.read(Path(sys.argv[1])), datetime.now(UTC))
