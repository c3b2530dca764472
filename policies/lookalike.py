"""Does an address look like one of a list, without being it? Pure: text in, text out; nothing is touched or raised."""

from collections.abc import Iterable
from typing import Final

FOLDED: Final = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("-", ""), (".", ""))


def like(address: str, listed: Iterable[str]) -> str:
    """The first entry that an address could be taken for, or nothing. An entry itself is no look-alike."""
    entries = sorted(set(listed))
    if address in entries:
        return ""
    return next((entry for entry in entries if folded(entry) == folded(address)), "")


def folded(address: str) -> str:
    """The address with letters that look alike made the same."""
    for seen, meant in FOLDED:
        address = address.replace(seen, meant)
    return address
