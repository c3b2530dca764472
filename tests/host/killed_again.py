"""Kills itself at one of the moments at which `deploy.host.again` touches something.

Run as `python killed_again.py CODE MOMENT HOST.JSON VERB …`; at MOMENT 0 it lives, and counts the moments.
"""

import os
import signal
import sys
from typing import Any

ACTS = ("open", "os.", "shutil.", "subprocess.Popen", "fcntl.", "tempfile.")
UNSEEN = ("os.listdir", "os.scandir", "os.walk")
seen = 0


def count(moment: int, event: str, _arguments: tuple[Any, ...]) -> None:
    """Die at the moment."""
    global seen  # noqa: PLW0603 - a hook cannot carry state
    if event.startswith(ACTS) and event not in UNSEEN:
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from deploy.host import again

    os.umask(0o027)
    sys.addaudithook(lambda event, arguments: count(int(sys.argv[2]), event, arguments))
    again.main(sys.argv[3:])
    print(seen)
