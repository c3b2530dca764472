"""Postfix in the foreground, for a process runner: `python -m deploy.setup.foreground CONFIG_FOLDER`.

In: Postfix's configuration folder, `etc/postfix` of a `var/`. Out: the exit code of master(8). Touched: that Postfix.
Raises CommandError.
master insists on a session of its own, so a runner's signals would not reach it: this process stands between, passes
the end on, and waits until Postfix is gone. Killed itself, it leaves a master behind, which changes its user on the way
and so never hears that its parent died; the next start ends that one first.
"""

import signal
import sys
from pathlib import Path
from types import FrameType

from deploy.host.commands import start, stop
from deploy.setup.leftovers import POSTFIX, end_leftovers

MASTER = "/usr/lib/postfix/sbin/master"


def run_postfix(config: str) -> int:
    """Run master until it ends or a signal asks for the end."""
    end_leftovers(Path(config).parents[1], [POSTFIX])
    process = start(["setpriv", "--pdeathsig", "TERM", "--", MASTER, "-c", config, "-s"])
    signal.signal(signal.SIGTERM, _end)
    try:
        return process.wait()
    finally:
        stop(process, 8)


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(run_postfix(sys.argv[1]))
