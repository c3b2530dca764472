"""The root helper: the few things on a mail host that need root, asked for over a unix socket.

In: one request a line, `verb arguments`, at most 1,000 bytes, from the agent or root (the kernel says who calls).
Out: one line: `ok <what became of it>`, `refused <sentence>` (not one of ours, or not a known request) or
`failed <sentence>`; to a request that shows something `ok N`, then N bytes.
Touched: Postfix and Dovecot are reloaded, sessions and dialogues ended, folders of mailboxes made, moved away or
removed, held letters delivered or dropped, letters in the queue tried again or removed; a key for signing is made; one
of the installer's files is written anew from its copy, or noted as kept.
Nothing else can be asked. `ask` and `fetch` are the client; they raise HelperError with one sentence unless it is `ok`.

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
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from deploy.host import again, dkim, drift, hangup, hold, imap, mailbox, room, spool
from deploy.host.commands import CommandError, run
from deploy.host.folders import FolderError, make_folder
from deploy.host.layout import Layout
from deploy.host.release import LAID_NAMES, ReleaseError

LONGEST: Final = 1000
PATIENCE: Final = 5.0  # seconds in which a caller must have written its line
AT_ONCE: Final = 16
TIME: Final = 30.0  # seconds one act may take; the client waits a little longer
MOST_SHOWN: Final = 1 << 21  # bytes in one answer
NOBODY_TO_KICK: Final = 68


class HelperError(Exception):
    """The helper did not do it, or could not be asked; the text is one sentence."""


class NoAnswer(HelperError):
    """Nobody answered, or not to the end: what was asked may have been done."""


class Refused(Exception):
    """The request is not one of ours."""


def reload(layout: Layout, name: str) -> None:
    """Have Postfix or Dovecot read its configuration again."""
    words = {
        "postfix": ["postfix", "-c", str(layout.postfix), "reload"],
        "dovecot": ["doveadm", "-c", str(layout.dovecot), "reload"],
    }
    run(words[name], timeout=TIME)


def reopen_logs(layout: Layout) -> None:
    """After the logs were moved away, have the daemons write new ones. procmail opens its own for each letter."""
    run(["postfix", "-c", str(layout.postfix), "reload"], timeout=TIME)
    run(["doveadm", "-c", str(layout.dovecot), "log", "reopen"], timeout=TIME)


def kick(layout: Layout, login: str) -> None:
    """End a person's open sessions; it is no failure when she has none."""
    run(["doveadm", "-c", str(layout.dovecot), "kick", login], timeout=TIME, expect=(0, NOBODY_TO_KICK))


def folder(layout: Layout, key: str) -> None:
    """Make the folders of a mailbox: for its letters, those that are held, and those that wait for the morning."""
    user, agent = pwd.getpwnam(layout.mail_user), pwd.getpwnam(layout.agent)
    make_folder(layout.mail / key, user.pw_uid, user.pw_gid, 0o700)
    make_folder(layout.mail / key / "Maildir", user.pw_uid, user.pw_gid, 0o700)  # procmail makes one level, not two
    make_folder(layout.held / key, user.pw_uid, agent.pw_gid, 0o2750)
    make_folder(layout.later / key, user.pw_uid, agent.pw_gid, 0o2750)


def deliver(layout: Layout, key: str, place: str, file: str, passes: str) -> str:
    """Run a held letter through the dispatcher again, as the mail user."""
    return again.as_mail_user(layout, "deliver", key, place, file, passes)


def drop(layout: Layout, key: str, place: str, file: str) -> str:
    """Remove a held letter, as the mail user."""
    return again.as_mail_user(layout, "drop", key, place, file)


def wake(layout: Layout, key: str) -> str:
    """Deliver what has waited for the morning in a mailbox, as the mail user."""
    return again.as_mail_user(layout, "wake", key)


Act: TypeAlias = Callable[..., "str | bytes | None"]
KEY: Final = r"[0-9a-f]{16}"
DOMAIN: Final = r"[a-z0-9][a-z0-9.-]{0,252}"
LOGIN: Final = rf"[a-z0-9_][a-z0-9_.'+=&~-]{{0,63}}@{DOMAIN}"
LETTER: Final = rf"{KEY} in-[0-8]\.[a-z]{{1,12}} [A-Za-z0-9_][A-Za-z0-9_.,=:-]{{0,199}}"  # mailbox, place, file
QUEUE_ID: Final = r"[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]{10,32}"
NAME: Final = r"(?:[0-9a-f]{2}){1,240}"  # of a folder, in hexadecimal digits: the one thing here that may be any text
ARRIVED: Final = rf"{QUEUE_ID} [0-9]{{9,11}}"  # which, when it arrived (seconds)
LAID: Final = f"(?:{'|'.join(map(re.escape, LAID_NAMES))})"  # one of the installer's files
QUEUED: Final = rf"{ARRIVED} {LOGIN}"  # and who signed in

# Every request there is: what its arguments must look like, to the last character, and what is done.
VERBS: Final[dict[str, tuple[re.Pattern[str], Act]]] = {
    "reload": (re.compile(r"(?:postfix|dovecot)\Z"), reload),
    "reopen-logs": (re.compile(r"\Z"), reopen_logs),
    "kick": (re.compile(rf"{LOGIN}\Z"), kick),
    "hang-up": (re.compile(r"\Z"), hangup.hang_up),
    "folder": (re.compile(rf"{KEY}\Z"), folder),
    "deliver": (re.compile(rf"{LETTER} (?:-|in-[1356])\Z"), deliver),
    "drop": (re.compile(rf"{LETTER}\Z"), drop),
    "wake": (re.compile(rf"{KEY}\Z"), wake),
    "folders": (re.compile(rf"{LOGIN}\Z"), imap.names),
    "make-folder": (re.compile(rf"{LOGIN} {NAME}\Z"), imap.make),
    "heads": (re.compile(rf"{KEY}\Z"), mailbox.shown),
    "mailbox-retire": (re.compile(rf"{KEY}\Z"), mailbox.retired),
    "mailbox-bring-back": (re.compile(rf"{KEY}\Z"), mailbox.brought_back),
    "mailbox-remove": (re.compile(rf"{KEY}\Z"), mailbox.removed),
    "quota-list": (re.compile(r"\Z"), room.used),
    "dkim-key": (re.compile(rf"{DOMAIN} [a-z0-9][a-z0-9-]{{0,62}}\Z"), dkim.key),
    "lay": (re.compile(rf"{LAID}\Z"), drift.lay),
    "keep": (re.compile(rf"{LAID} [0-9a-f]{{64}}\Z"), drift.keep),
    "queue-waiting": (re.compile(r"\Z"), hold.waiting),
    "queue-show": (re.compile(rf"{QUEUE_ID}\Z"), hold.show),
    "queue-release": (re.compile(rf"{QUEUED}\Z"), hold.release),
    "queue-drop": (re.compile(rf"{QUEUED}\Z"), hold.drop),
    "queue-list": (re.compile(r"\Z"), spool.listed),
    "queue-retry": (re.compile(rf"{ARRIVED}\Z"), spool.retry),
    "queue-retry-all": (re.compile(r"\Z"), spool.retry_all),
    "queue-remove": (re.compile(rf"{ARRIVED}\Z"), spool.remove),
}


def ask(layout: Layout, verb: str, *arguments: str) -> str:
    """Ask the helper to do something; what it says beyond `ok`. Raises HelperError with one sentence."""
    with _asked(layout, verb, *arguments) as (said, _more):
        return said


def fetch(layout: Layout, verb: str, *arguments: str) -> bytes:
    """Ask the helper to show something; its bytes. Raises HelperError with one sentence."""
    with _asked(layout, verb, *arguments) as (said, more):
        size = int(said) if said.isdecimal() and int(said) <= MOST_SHOWN else -1
        data = more.read(max(size, 0))
    if len(data) != size:
        raise HelperError(f"The root helper broke off in its answer to “{verb}”.")
    return data


@contextmanager
def _asked(layout: Layout, verb: str, *arguments: str) -> Iterator[tuple[str, BinaryIO]]:
    """What the helper says beyond `ok`, and whatever comes after that line."""
    request = " ".join([verb, *arguments])
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(TIME + 10)
            line.connect(str(layout.helper))
            line.sendall(request.rstrip(" ").encode("utf-8", "surrogateescape") + b"\n")
            with line.makefile("rb") as answers:
                word, _blank, rest = answers.readline(LONGEST).decode("utf-8", "replace").rstrip("\n").partition(" ")
                if not word:
                    raise NoAnswer(f"The root helper hung up on “{request[:80]}”.")
                if word != "ok":
                    raise HelperError(f"The root helper {word} “{request[:80]}”: {rest or 'no reason given'}")
                yield rest, answers
    except OSError as error:
        raise NoAnswer(f"The root helper does not answer: {error}.") from error


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

    def _result(self, caller: socket.socket) -> str | bytes:
        try:
            verb, arguments, act = self._request(caller)
            done = act(self.layout, *arguments)
            if isinstance(done, bytes):
                return done
            _log(f"ok: {' '.join([verb, *arguments])}: {done or 'done'}")
            return f"ok {done or ''}"
        except Refused as refusal:
            _log(f"refused: {refusal}")
            return f"refused {refusal}"
        except (CommandError, FolderError, ReleaseError, KeyError, OSError, ValueError) as error:
            _log(f"failed: {error}")
            return f"failed {error}"

    def _request(self, caller: socket.socket) -> tuple[str, list[str], Act]:
        line = _read_line(caller, time.monotonic() + PATIENCE)  # first: who is refused unread gets no answer either
        uid = _uid(caller)
        if uid not in self.callers:
            raise Refused(f"user {uid} may not ask")
        return parse(line)


def parse(line: bytes) -> tuple[str, list[str], Act]:
    """Verb, arguments and act of a request; raises Refused for all but the known ones, letter for letter."""
    if not line.endswith(b"\n"):
        raise Refused("a request is one whole line of at most 1,000 bytes")
    verb, blank, argument = line[:-1].decode("ascii", "replace").partition(" ")
    pattern, act = VERBS.get(verb, (None, None))
    if pattern is None or act is None:
        raise Refused("there is no such verb")
    if not pattern.match(argument) or bool(blank) != bool(argument):
        raise Refused(f"{verb} cannot be done to that")
    return verb, argument.split(" ") if argument else [], act


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


def _send(caller: socket.socket, answer: str | bytes) -> None:
    caller.settimeout(PATIENCE)
    line = f"ok {len(answer)}" if isinstance(answer, bytes) else " ".join(answer.split())
    caller.sendall(line.encode("utf-8", "replace")[: LONGEST - 1] + b"\n")
    if isinstance(answer, bytes):
        caller.sendall(answer)


def _log(text: str) -> None:
    """One line on standard error; text from outside never makes a second one."""
    print(text.encode("unicode_escape").decode("ascii"), file=sys.stderr, flush=True)


def _leave(door: Path) -> None:
    """Take the socket away and end at once: an act that is under way is a program of its own and goes on."""
    door.unlink(missing_ok=True)
    os._exit(0)


def _recover(layout: Layout) -> None:
    """End what was decided of a held letter before somebody was killed. It can wait: the next act does so too."""
    try:
        again.as_mail_user(layout, "recover")
    except CommandError as error:
        _log(f"failed: {error}")


def main(path: Path) -> None:
    """Serve the host that `host.json` describes."""
    layout = Layout.read(path)
    os.umask(0o022)
    signal.signal(signal.SIGTERM, lambda _number, _frame: _leave(layout.helper))
    _recover(layout)
    Service(layout, frozenset({0, pwd.getpwnam(layout.agent).pw_uid})).serve(listen(layout))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
