"""Stable numbers instead of names, a series for each community. Pure.

In: a secret, the community's number, what is to be named. Out: numbers of four digits, by which nobody who lacks the
secret finds a name, neither by the order of names nor by when somebody came. Nothing is touched or raised.

A number is the digest's own, so it stays when others come and go; only where two fall on one number, which happens
seldom, the later by its digest takes the next.
"""

import hmac
from collections.abc import Iterable
from typing import Final

FIRST: Final = 1_000
SIZE: Final = 9_000
FIG_LEAF: Final = 5  # with fewer people than this anybody can guess who is who


def pseudonyms(secret: str, community: int, things: Iterable[str]) -> dict[str, int]:
    """A number for each of these, in the order of the numbers."""
    digests = sorted((digest(secret, community, thing), thing) for thing in set(things))
    taken: dict[int, str] = {}
    for value, thing in digests:
        place = value % SIZE
        while place in taken:
            place = (place + 1) % SIZE
        taken[place] = thing
    return {thing: FIRST + place for place, thing in sorted(taken.items())}


def digest(secret: str, community: int, thing: str) -> int:
    """What a thing's number is made from."""
    message = f"pseudonym {community} {thing}".encode()
    return int.from_bytes(hmac.digest(secret.encode(), message, "sha256")[:8])
