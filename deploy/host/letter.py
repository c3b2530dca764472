"""What a letter that waits says of itself: the facts that our filter wrote, and a stranger's words, made harmless.

In: the beginning of a letter as it lies in a folder of ours, or as `postcat` prints it. Out: a `Letter`. Nothing is
touched, nothing raised: whatever is missing or odd is empty.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from deploy.host import excerpt
from deploy.render.facts import NAMES, PREFIX, NoFact, parse

# The first `Received` is our own. Its name in HELO is the client's to choose, so each thing is read where he cannot
# write: at the end of the first line, and at the beginning of one of the next.
CLIENT: Final = re.compile(rb" from [^\n]* \([^\s()]+ \[(?:IPv6:)?([0-9a-fA-F.:]{3,45})\]\)\n")
QUEUE_ID: Final = re.compile(
    rb"(?:\n\t|\A )by \S+ \(Postfix(?:, submission)?\) with [A-Z0-9]+ id ([0-9A-Za-z]{6,32})(?=[;\n])"
)
SHORT: Final = {f"{PREFIX}{name}".lower(): name for name in NAMES}


@dataclass(frozen=True, slots=True)
class Letter:
    """`author`: as the facts say, empty for a letter that is malformed; `called`: his name for himself. See `facts`."""

    queue_id: str
    client: str
    author: str
    called: str
    facts: Mapping[str, str]
    subject: str
    excerpt: str


def look(letter: bytes) -> Letter:
    """Read the beginning of a letter."""
    fields, _body = excerpt.split(letter)
    facts, author = _facts(lines(fields))
    received = next((value for name, value in fields if name == "received"), b"")
    client, queue_id = CLIENT.match(received), QUEUE_ID.search(received)
    return Letter(
        queue_id=queue_id[1].decode() if queue_id else "",
        client=client[1].decode() if client else "",
        author=author,
        called=excerpt.display_name(excerpt.value(fields, "from")),
        facts=facts,
        subject=excerpt.header(excerpt.value(fields, "subject")),
        excerpt=excerpt.excerpt(letter),
    )


def lines(fields: excerpt.Fields) -> list[tuple[str, str]]:
    """Every line under our prefix: the short name of its fact, and what it says."""
    ours = [(name, value[1:].decode("utf-8", "replace")) for name, value in fields if name.startswith(PREFIX.lower())]
    return [(SHORT.get(name, name), value) for name, value in ours]


def _facts(said: list[tuple[str, str]]) -> tuple[dict[str, str], str]:
    """The value of each fact by its short name, and the author; none at all unless each is there and of the grammar."""
    try:
        return dict(said), parse(said).address
    except NoFact:
        return {}, ""
