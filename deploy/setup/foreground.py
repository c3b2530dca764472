"""Postfix in the foreground, for a process runner: `python -m deploy.setup.foreground CONFIG_FOLDER`.

In: Postfix's configuration folder. Out: the exit code of master(8). Touched: that Postfix. Raises CommandError.
master insists on a session of its own, so a runner's signals would not reach it: this process stands between, passes
the end on, and waits until Postfix is gone.
"""

import signal
import sys
from types import FrameType

from deploy.host.commands import start, stop

MASTER = "/usr/lib/postfix/sbin/master"


def run_postfix(config: str) -> int:
    """Run master until it ends or a signal asks for the end."""
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
