"""A letter's head, as Postfix's cleanup makes it and as procmail gets it. Pure: bytes in, bytes out; nothing is raised.

Source: cleanup(8), and header_checks as they are laid down.
"""

import re
from collections.abc import Mapping
from typing import Final

from deploy.render.facts import PREFIX

FIELD: Final = re.compile(rb"([!-9;-~]+)[ \t]*:")
# What Postfix's cleanup drops: forged facts (header_checks), and these (cleanup(8), message_drop_headers).
DROPPED: Final = re.compile(rb"(?:x-mailadmin-[^:]*|bcc|content-length|resent-bcc|return-path):", re.IGNORECASE)


def as_postfix(letter: bytes) -> bytes:
    """The letter as Postfix hands it to the filter, lines ending in CRLF.

    "Name :" loses its blank, the first line that is no header ends the head, and what nobody brings is dropped.
    """
    lines = letter.replace(b"\r\n", b"\n").split(b"\n")
    head = list[bytes]()
    for number, line in enumerate(lines):
        field = FIELD.match(line)
        if head and line[:1] in (b" ", b"\t"):
            head[-1] += b"\r\n" + line
        elif field:
            head.append(field[1] + line[field.end() - 1 :])
        else:
            rest = lines[number + 1 :] if line == b"" else lines[number:]
            break
    else:
        rest = []
    kept = [field for field in head if not DROPPED.match(field)]
    return b"\r\n".join([*kept, b"", *rest])


def stamped(letter: bytes, facts: Mapping[str, str]) -> bytes:
    """The letter as procmail gets it: with the facts at the end of its head, lines ending in LF."""
    head, _blank, body = (b"\n" + letter.replace(b"\r\n", b"\n")).partition(b"\n\n")
    lines = [f"{PREFIX}{name}: {value}".encode("utf-8", "surrogateescape") for name, value in facts.items()]
    return b"\n".join([*filter(None, [head[1:]]), *lines, b"", body])
