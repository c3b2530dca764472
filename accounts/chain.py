"""The audit log as a chain: where it ends, and whether every entry follows from the one before.

In: the database. Out: the `Head` of the chain, written `NUMBER DIGEST`; what is wrong with it. Nothing is touched.
Raises ValueError for a head that is none.

Who can write to the database can seal a chain of his own. So its head leaves the database with every release, and a
chain that does not hold that head was cut or replaced.
"""

import re
from typing import Final, NamedTuple

from accounts.wishes import SEALED, AuditEntry, sealed

HEAD: Final = re.compile(r"([0-9]{1,18}) ([0-9a-f]{64})\Z")
AT_ONCE: Final = 5000


class Head(NamedTuple):
    """The newest entry: its number and its digest."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number} {self.digest}"


class Found(NamedTuple):
    """How a chain is. `wrong`: the number of the first entry that is not as it was written."""

    entries: int
    wrong: int | None
    holds_head: bool


def head(generation: int) -> Head | None:
    """The newest entry that belongs to a generation, or none before the first."""
    entries = AuditEntry.objects.filter(generation__lte=generation).order_by("-pk")
    row = entries.values_list("pk", "digest").first()
    return Head(*row) if row else None


def read_head(text: str) -> Head | None:
    """A head as a release keeps it; nothing for one that was written before there were any."""
    if not text:
        return None
    found = HEAD.match(text)
    if not found:
        raise ValueError(f"{text[:80]!a} is no head of the audit log")
    return Head(int(found[1]), found[2])


def examined(expected: Head | None = None) -> Found:
    """Follow the whole chain, a few rows in memory at a time. A head is known by its digest: numbers may be others in
    a database that was moved.
    """
    previous, entries, holds_head = "", 0, expected is None
    rows = AuditEntry.objects.order_by("pk").values_list("pk", "digest", *SEALED)
    for number, digest, *values in rows.iterator(chunk_size=AT_ONCE):
        if sealed(previous, values) != digest:
            return Found(entries, number, holds_head)
        previous, entries = digest, entries + 1
        holds_head = holds_head or (expected is not None and digest == expected.digest)
    return Found(entries, None, holds_head)
