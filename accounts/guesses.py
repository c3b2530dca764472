"""How often a password may be guessed: a few times for one address from one client, a few more for one client.

In: the client's IP address and what was typed as address. Touched: the process's cache. Out: whether to wait.
Each try counts before it is checked, so that many at once gain nothing.
"""

import hashlib
from typing import Final

from django.core.cache import cache

WAIT: Final = 300  # seconds
MOST_FOR_ADDRESS: Final = 5
MOST_FOR_CLIENT: Final = 50


def key(*parts: str) -> str:
    """A cache key of any text."""
    return "guesses." + hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def counted(name: str) -> int:
    """Count one more try and say how many there were lately."""
    cache.add(name, 0, WAIT)
    try:
        return int(cache.incr(name))
    except ValueError:  # it expired between the two lines
        return 1


def too_many(client: str, address: str) -> bool:
    """Count a try; true when this client has to wait."""
    for_address = counted(key(client, address.strip().lower()))
    for_client = counted(key(client))
    return for_address > MOST_FOR_ADDRESS or for_client > MOST_FOR_CLIENT


def forget(client: str, address: str) -> None:
    """The password was right: these tries were no guesses."""
    cache.delete(key(client, address.strip().lower()))
