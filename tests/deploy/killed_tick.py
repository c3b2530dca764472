"""A tick of the host clock that kills itself: run as `python killed_tick.py HOST.JSON TIME MOMENT`; see `killed`."""

import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from deploy.host import clock
from deploy.host.apply import ApplyError
from deploy.host.layout import Layout
from tests.deploy import killed

if __name__ == "__main__":
    layout, at = Layout.read(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
    sys.addaudithook(lambda event, arguments: killed.count(int(sys.argv[3]), event, arguments))
    with suppress(ApplyError):
        clock.look(layout, at)
    print(killed.seen)
