"""The root helper: the few things on a mail host that need root, asked for over a unix socket.

In: one request a line, `verb argument`, at most 600 bytes, from the agent or root (the kernel says who calls).
Out: one line: `ok`, `refused <sentence>` (not one of ours, or not a known request) or `failed <sentence>`.
Touched: Postfix and Dovecot are reloaded, sessions ended, folders of mailboxes made. Nothing else can be asked.
`ask` is the client; it raises HelperError with one sentence unless the answer is `ok`.

Run as `python -m deploy.host.helper host.json`. It needs neither Django nor anything outside the standard library.
"""

import os
import pwd
import re
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.host.commands import CommandError, run
from deploy.host.folders import FolderError, make_folder
from deploy.host.layout import Layout

LONGEST: Final = 600
PATIENCE: Final = 5.0  # seconds in which a caller must have written its line
AT_ONCE: Final = 16
TIME: Final = 30.0  # seconds one act may take; the client waits a little longer
NOBODY_TO_KICK: Final = 68


class HelperError(Exception):
    """The helper did not do it, or could not be asked; the text is one sentence."""


class Refused(Exception):
    """The request is not one of ours."""


def reload(layout: Layout, name: str) -> None:
    """Have Postfix or Dovecot read its configuration again."""
    words = {
        "postfix": ["postfix", "-c", str(layout.postfix), "reload"],
        "dovecot": ["doveadm", "-c", str(layout.dovecot), "reload"],
    }
    run(words[name], timeout=TIME)


def kick(layout: Layout, login: str) -> None:
    """End a person's open sessions; it is no failure when she has none."""
    run(["doveadm", "-c", str(layout.dovecot), "kick", login], timeout=TIME, expect=(0, NOBODY_TO_KICK))


def folder(layout: Layout, key: str) -> None:
    """Make the folders of a mailbox: for its letters, and for those that are held."""
    user, agent = pwd.getpwnam(layout.mail_user), pwd.getpwnam(layout.agent)
    make_folder(layout.mail / key, user.pw_uid, user.pw_gid, 0o700)
    make_folder(layout.held / key, user.pw_uid, agent.pw_gid, 0o2750)


# Every request there is: what its argument must look like, to the last character, and what is done.
VERBS: Final[dict[str, tuple[re.Pattern[str], Callable[[Layout, str], None]]]] = {
    "reload": (re.compile(r"(?:postfix|dovecot)\Z"), reload),
    "kick": (re.compile(r"[a-z0-9_][a-z0-9_.'+=&~-]{0,63}@[a-z0-9][a-z0-9.-]{0,252}\Z"), kick),
    "folder": (re.compile(r"[0-9a-f]{16}\Z"), folder),
}


def ask(layout: Layout, verb: str, argument: str = "") -> str:
    """Ask the helper to do something; what it says beyond `ok`. Raises HelperError with one sentence."""
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(TIME + 10)
            line.connect(str(layout.helper))
            line.sendall(f"{verb} {argument}".rstrip(" ").encode() + b"\n")
            answer = _read_line(line, time.monotonic() + TIME + 10).decode("utf-8", "replace")
    except OSError as error:
        raise HelperError(f"The root helper does not answer: {error}.") from error
    word, _blank, rest = answer.rstrip("\n").partition(" ")
    if word != "ok":
        raise HelperError(
            f"The root helper {word or 'hung up on'} “{verb} {argument[:80]}”: {rest or 'no reason given'}"
        )
    return rest


@dataclass(frozen=True, slots=True)
class Service:
    """The listening half. `callers`: the user ids that may ask."""

    layout: Layout
    callers: frozenset[int]

    def serve(self, listener: socket.socket) -> None:
        """Answer callers for ever, a few at a time; a slow one keeps nobody else waiting."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while True:
                caller, _address = listener.accept()
                pool.submit(self.answer, caller)

    def answer(self, caller: socket.socket) -> None:
        """Read one line, do what it says, say how it went. Whatever happens, the next caller is served."""
        with caller:
            try:
                _send(caller, self._result(caller))
            except OSError as error:
                _log(f"hung up: {error}")

    def _result(self, caller: socket.socket) -> str:
        try:
            verb, argument, act = self._request(caller)
            act(self.layout, argument)
            _log(f"ok: {verb} {argument}")
            return "ok"
        except Refused as refusal:
            _log(f"refused: {refusal}")
            return f"refused {refusal}"
        except (CommandError, FolderError, KeyError) as error:
            _log(f"failed: {error}")
            return f"failed {error}"

    def _request(self, caller: socket.socket) -> tuple[str, str, Callable[[Layout, str], None]]:
        line = _read_line(caller, time.monotonic() + PATIENCE)  # first: who is refused unread gets no answer either
        uid = _uid(caller)
        if uid not in self.callers:
            raise Refused(f"user {uid} may not ask")
        return parse(line)


def parse(line: bytes) -> tuple[str, str, Callable[[Layout, str], None]]:
    """Verb, argument and act of a request; raises Refused for all but the known ones, letter for letter."""
    if not line.endswith(b"\n"):
        raise Refused("a request is one whole line of at most 600 bytes")
    verb, _blank, argument = line[:-1].decode("ascii", "replace").partition(" ")
    pattern, act = VERBS.get(verb, (None, None))
    if pattern is None or act is None:
        raise Refused("there is no such verb")
    if not pattern.match(argument):
        raise Refused(f"{verb} cannot be done to that")
    return verb, argument, act


def listen(layout: Layout) -> socket.socket:
    """The socket, for the agent's group alone from the moment it exists."""
    layout.helper.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listener.bind(str(layout.helper))
    finally:
        os.umask(before)
    os.chown(layout.helper, 0, pwd.getpwnam(layout.agent).pw_gid)
    layout.helper.chmod(0o660)
    listener.listen(128)
    return listener


def _uid(caller: socket.socket) -> int:
    """Who calls, as the kernel knows it (unix(7), SO_PEERCRED)."""
    size = struct.calcsize("3i")
    _pid, uid, _gid = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return int(uid)


def _read_line(line: socket.socket, until: float) -> bytes:
    """Everything up to the first line feed, or to the limit, or to the end of the caller's patience or ours."""
    got = b""
    while b"\n" not in got and len(got) < LONGEST:
        left = until - time.monotonic()
        if left <= 0:
            break
        line.settimeout(left)
        try:
            piece = line.recv(LONGEST - len(got))
        except TimeoutError:
            break
        if not piece:
            break
        got += piece
    return got


def _send(caller: socket.socket, answer: str) -> None:
    caller.settimeout(PATIENCE)
    caller.sendall(" ".join(answer.split()).encode("utf-8", "replace")[:LONGEST] + b"\n")


def _log(text: str) -> None:
    """One line on standard error; text from outside never makes a second one."""
    print(text.encode("unicode_escape").decode("ascii"), file=sys.stderr, flush=True)


def _leave(door: Path) -> None:
    """Take the socket away and end at once: an act that is under way is a program of its own and goes on."""
    door.unlink(missing_ok=True)
    os._exit(0)


def main(path: Path) -> None:
    """Serve the host that `host.json` describes."""
    layout = Layout.read(path)
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda _number, _frame: _leave(layout.helper))
    Service(layout, frozenset({0, pwd.getpwnam(layout.agent).pw_uid})).serve(listen(layout))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
