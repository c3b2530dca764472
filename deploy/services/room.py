"""How much room each mailbox of this machine's mail host takes, of how much it may.

In: nothing. Out: `Use`s by address. Nothing is touched. Raises LayoutError without a mail host, HelperError in a
sentence where the host does not tell.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from deploy import services
from deploy.host import helper
from deploy.host.helper import HelperError

__all__ = ["HelperError", "Use", "parsed", "uses"]
VERB: Final = "quota-list"
KIB: Final = 1024


class Use(NamedTuple):
    """Bytes: what is used, and what may be."""

    address: str
    used: int
    most: int


def uses() -> list[Use]:
    """Of every mailbox that has a limit."""
    return list(parsed(helper.fetch(services.layout(), VERB).decode("utf-8", "replace")))


def parsed(table: str) -> Iterator[Use]:
    """The lines of doveadm-quota(1) about storage, in units of 1024 bytes; a mailbox without a limit has none."""
    for line in table.splitlines():
        columns = line.split("\t")
        if len(columns) == 6 and columns[2] == "STORAGE" and columns[3].isdecimal() and columns[4].isdecimal():
            yield Use(columns[0], int(columns[3]) * KIB, int(columns[4]) * KIB)
