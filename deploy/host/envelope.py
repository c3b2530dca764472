"""Who a letter that lies in a folder of ours was from and for: the first lines, which pipe(8) wrote.

In: the beginning of a letter. Out: an `Envelope`. Nothing is touched; raises `NoEnvelope` with one sentence.

With its flags D, O and R pipe(8) writes three lines above everything that came from outside: `Return-Path`,
`X-Original-To` (left out when nobody knows it any more) and `Delivered-To`, in this order, each once.
"""

import re
from dataclasses import dataclass
from typing import Final

LINES: Final = re.compile(
    rb"Return-Path: <(?P<sender>[^\n]*)>\n"
    rb"(?:X-Original-To: (?P<original>[^\n]*)\n)?"
    rb"Delivered-To: (?P<recipient>[^\n]*)\n"
)
QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\Z', re.DOTALL)


class NoEnvelope(Exception):
    """A letter does not begin with our own lines; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """As on a paper letter: who sent it (nobody: empty), the address he wrote on it, and the one it came to."""

    sender: str
    original: str
    recipient: str

    def words(self) -> tuple[str, str, str, str]:
        """As pipe(8) tells the dispatcher (flags h and u): local part without extension, domain, sender, as written."""
        local, _at, domain = self.recipient.lower().rpartition("@")
        return unquoted(local).partition("+")[0], domain, self.sender, self.original or self.recipient


def read(head: bytes) -> Envelope:
    """The envelope of a letter that begins so."""
    found = LINES.match(head)
    if not found:
        raise NoEnvelope("The letter does not begin with the lines that Postfix writes above each.")
    texts = {name: (value or b"").decode("utf-8", "surrogateescape") for name, value in found.groupdict().items()}
    return Envelope(**texts)


def unquoted(local: str) -> str:
    """A local part as it is meant: `"a\\"b"` is a"b."""
    found = QUOTED.match(local)
    return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL) if found else local
