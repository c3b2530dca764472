"""Ends the dialogues in which letters are handed in, as root, after somebody's password was changed.

Postfix looks a login up when it signs in and not again in that dialogue, whatever its maps say by then, and nothing
tells whose dialogue a process serves. So each that has a caller is ended: mail programs hand their letter in again,
and whoever knew the old password cannot. Who is suspended, gone or asleep needs no such thing: what they hand in is
refused at its end by the filter.

In: a `Layout`. Out: how many were ended. Touched: these processes. Raises OSError. Source: proc(5), postfix master(8).
"""

import os
import signal
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from deploy.host.folders import Descriptor
from deploy.host.layout import Layout

ESTABLISHED: Final = "01"  # a state of /proc/net/tcp


def hang_up(layout: Layout) -> str:
    """End every dialogue of the submission door; says how many there were."""
    door, called, ended = f"{layout.address}:{layout.submission}", callers(layout.submission), 0
    for pid in servers(door):
        with suppress(ProcessLookupError), closing(Descriptor(os.pidfd_open(pid))) as process:
            if called & sockets(pid) and serves(pid, door):  # still: a number may be given anew
                signal.pidfd_send_signal(process.number, signal.SIGTERM)
                ended += 1
    return f"ended {ended}"


def servers(service: str) -> Iterator[int]:
    """The processes that serve a door of this Postfix."""
    yield from (int(path.name) for path in Path("/proc").glob("[0-9]*") if serves(int(path.name), service))


def serves(pid: int, service: str) -> bool:
    """Whether a process is an smtpd of the service, by the words that master started it with."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        return words[:3] == ["smtpd", "-n", service]
    return False


def callers(port: int) -> set[str]:
    """The sockets of a port that somebody is connected to, as `/proc/PID/fd` names them."""
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text("ascii").splitlines()[1:]
    ]
    return {f"socket:[{row[9]}]" for row in rows if row[3] == ESTABLISHED and row[1].endswith(f":{port:04X}")}


def sockets(pid: int) -> set[str]:
    """What a process holds open; nothing of one that is gone."""
    with suppress(OSError):
        return {os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()}  # noqa: PTH115 - they lead nowhere
    return set()
