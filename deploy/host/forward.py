"""Sends a letter on for procmail, as the mail user: run as `forward.py LOGIN PORT ADDRESS "TO TO2"`.

In: the file with the mail user's login, the port of the door for such letters, the address of the mailbox, where it
goes; the letter on standard input, read to its end. Out: one word: `sent`; `refused` (the door never takes it, for one
of these addresses at least; the others have it); `loop` (it has been sent on from here before). Exit code 75 and no
word: not now. Standard error gets the door's code, nothing of the letter. Touched: one dialogue of at most 20 s.

It keeps the letter as it is, but for `X-Loop: ADDRESS`, by which it is known again, and the lines that pipe(8) wrote
above it. A letter without a sender, such as a report, stays without: nothing comes back for it, and so nothing circles.

Every letter that is sent on waits for this program to start, so it asks for nothing but C modules: `socket` and `re`
take as long as all the rest.
"""

import os
import sys
import time
from _socket import socket
from binascii import b2a_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

TIME = 20.0  # seconds: less than the helper waits for the dispatcher
PIECE = 1 << 20  # bytes
NOT_NOW = 75  # sysexits(3), EX_TEMPFAIL
DROPPED = (b"return-path", b"delivered-to", b"x-original-to")
PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_'+=&~.-")


class NotNow(Exception):
    """The door cannot take the letter just now; the text is its answer's code."""


class Door:
    """A dialogue with the door, over before `until`."""

    def __init__(self, port: int, until: float) -> None:
        """Connect."""
        self.until, self.heard, self.line = until, b"", socket()
        self.patiently().connect(("127.0.0.1", port))

    def patiently(self) -> socket:
        """The connection, which waits as long as there is time."""
        self.line.settimeout(max(self.until - time.monotonic(), 0.001))
        return self.line

    def write(self, data: bytes) -> None:
        """Say something."""
        left = memoryview(data)
        while left:
            left = left[self.patiently().send(left) :]

    def ask(self, words: str) -> str:
        """Say a line; the code of the answer."""
        self.write(words.encode("ascii") + b"\r\n")
        return self.answer()

    def answer(self) -> str:
        """The code of the next answer, which may have several lines."""
        while True:
            line, end, rest = self.heard.partition(b"\n")
            if end:
                self.heard = rest
                if line[3:4] != b"-":
                    return line[:3].decode("ascii", "replace")
            elif piece := self.patiently().recv(4096):
                self.heard += piece
            else:
                raise NotNow("hung up")

    def expect(self, code: str, words: str = "") -> None:
        """Say a line, if there is one; raise NotNow for any other answer."""
        said = self.ask(words) if words else self.answer()
        if said != code:
            raise NotNow(said)

    def takes(self, words: str) -> bool:
        """Say a line; False where the answer is never, raise NotNow where it is not now."""
        return self.settled(self.ask(words))

    def settled(self, code: str) -> bool:
        """Whether an answer is yes; raise NotNow where it is neither that nor never."""
        if code[:1] not in ("2", "5"):
            raise NotNow(code)
        return code[:1] == "2"


def main(words: list[str]) -> str:
    """The word to say."""
    login, port, own, to = words
    targets, letter = to.split(), sys.stdin.buffer
    sender, head, circles = read_head(letter, own)
    if circles or not targets or not all(map(is_plain, [own, *targets])):
        return "loop" if circles else "refused"
    door = Door(int(port), time.monotonic() + TIME)
    door.expect("220")
    door.expect("250", "EHLO forward.invalid")
    door.expect("235", f"AUTH PLAIN {secret(login)}")
    if not door.takes(f"MAIL FROM:<{sender}> BODY=8BITMIME"):
        return "refused"
    taken = [door.takes(f"RCPT TO:<{target}>") for target in targets]
    if not any(taken):
        return "refused"
    door.expect("354", "DATA")
    door.write(head)
    write_rest(door, letter)
    return "sent" if door.settled(door.answer()) and all(taken) else "refused"


def secret(path: str) -> str:
    """What the login says of itself (RFC 4616)."""
    with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to start
        name, word = file.read().split()
    return b2a_base64(f"\0{name}\0{word}".encode("ascii"), newline=False).decode("ascii")


def is_plain(address: str) -> bool:
    """Whether it is an address that a release may name; nobody else's comes here."""
    local, _at, domain = address.rpartition("@")
    return bool(local and domain) and PLAIN.issuperset(local + domain)


def read_head(letter: "BinaryIO", own: str) -> tuple[str, bytes, bool]:
    """Envelope sender, the head as it is sent, with its empty line, and whether the letter has been here before."""
    mark = own.lower().encode("ascii", "replace")
    kept, sender, circles, dropping = [b"X-Loop: " + mark + b"\r\n"], own, False, False
    for line in iter(letter.readline, b""):
        if line == b"\n":
            break
        if line[:1] not in b" \t":
            name, _colon, value = line.partition(b":")
            name = name.strip().lower()
            dropping = name in DROPPED or line.startswith(b"From ")
            circles = circles or (name == b"x-loop" and value.strip().lower() == mark)
            if name == b"return-path" and value.strip() == b"<>" and len(kept) == 1:
                sender = ""
        if not dropping:
            kept.append((b"." if line[:1] == b"." else b"") + line.rstrip(b"\n") + b"\r\n")
    return sender, b"".join(kept) + b"\r\n", circles


def write_rest(door: Door, letter: "BinaryIO") -> None:
    """The body as SMTP has it (RFC 5321, 4.5.2), and the end."""
    before = b"\n"
    while piece := letter.read(PIECE):
        dotted = piece.replace(b"\n.", b"\n..")
        if before == b"\n" and piece[:1] == b".":
            dotted = b"." + dotted
        before = piece[-1:]
        door.write(dotted.replace(b"\n", b"\r\n"))
    door.write(b".\r\n" if before == b"\n" else b"\r\n.\r\n")


if __name__ == "__main__":
    try:
        said = main(sys.argv[1:])
        while sys.stdin.buffer.read(PIECE):
            pass  # who writes to us must not find the door shut
        os.write(1, said.encode() + b"\n")
    except (NotNow, OSError, ValueError) as error:
        os.write(2, f"forward={str(error)[:80]!a}\n".encode())
        sys.exit(NOT_NOW)
