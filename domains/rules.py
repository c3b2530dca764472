"""What an address of ours may look like and lead to. Pure.

Our own local parts: letters a-z, digits, dot, hyphen and underscore; the first and last a letter or digit; no two dots
in a row; at most 64. No `+`: what stands behind it is the sender's to choose (RFC 5233 subaddressing).
Raises `accounts.rules.Refused`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Final

from accounts.rules import Refused, address, day, domain_name, gettext_noop as _, line, spoken

OWN_LOCAL: Final = re.compile(r"[a-z0-9](?:[a-z0-9_-]|\.(?!\.)){0,63}(?<![._-])\Z")
KEY: Final = re.compile(r"[0-9a-f]{16}\Z")
QUOTA: Final = re.compile(r"(0|[1-9][0-9]{0,12})\s?([KMGT]?)B?\Z", re.IGNORECASE | re.ASCII)
UNITS: Final[Mapping[str, int]] = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SMALLEST_QUOTA: Final = 1 << 20
LARGEST_QUOTA: Final = 1 << 50
MOST_TARGETS: Final = 100
KINDS: Final = ("mail", "alias", "backup")


def local_part(value: object) -> str:
    """The part before the @ of an address of ours."""
    text = line(value, 1000).lower()
    if not OWN_LOCAL.match(text):
        raise Refused(
            _("“%(value)s” cannot stand before the @: use letters a-z, digits, dots, hyphens and underscores."),
            value=spoken(value),
        )
    return text


def own_address(value: object) -> str:
    """A whole address of ours."""
    text = line(value, 1000)
    local, at, domain = text.rpartition("@")
    if not at:
        raise Refused(_("“%(value)s” is not an address: write it like anna@myfamily.net."), value=spoken(value))
    return address(f"{local_part(local)}@{domain_name(domain)}")


def alias_address(value: object) -> str:
    """An address of ours, or `@domain` for the catch-all."""
    text = line(value, 1000)
    return "@" + domain_name(text[1:]) if text.startswith("@") else own_address(text)


def targets(value: object) -> list[str]:
    """Where an alias leads: 1 to 100 addresses, each once, sorted."""
    if not isinstance(value, list | tuple) or not value:
        raise Refused(_("The alias leads nowhere: name at least one address."))
    found = sorted({address(item) for item in value})
    if len(found) > MOST_TARGETS:
        raise Refused(_("The alias leads to too many addresses: at most %(limit)d."), limit=MOST_TARGETS)
    return found


def without_extension(target: str) -> str:
    """The mailbox an address means: `emma+game@…` is `emma@…`."""
    local, _at, domain = target.rpartition("@")
    return f"{local.partition('+')[0]}@{domain}"


def key(value: object) -> str:
    """The name of a mailbox's folder: 64 bits in hex."""
    if not isinstance(value, str) or not KEY.match(value):
        raise Refused(_("“%(value)s” is not a mailbox key: 16 digits 0-9 and a-f."), value=spoken(value))
    return value


def quota(value: object) -> int:
    """Bytes, 0 for no limit; text like 500M or 1G is counted in powers of 1024."""
    found = QUOTA.match(str(value).strip(" ")) if isinstance(value, str | int) and not isinstance(value, bool) else None
    size = int(found[1]) * UNITS[found[2].upper()] if found else -1
    if size and not SMALLEST_QUOTA <= size <= LARGEST_QUOTA:
        raise Refused(
            _("“%(value)s” is not a size: write 500M or 2G, at least 1M, or 0 for no limit."), value=spoken(value)
        )
    return size


def shown_quota(size: int) -> str:
    """A size in the largest unit that divides it: what `quota` reads back."""
    for unit, factor in reversed(list(UNITS.items())):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return "0"


def expires(value: object) -> date | None:
    """The last day of an alias, or none."""
    return None if value is None else day(value)


def circle(start: str, leads_to: Callable[[str], Iterable[str]]) -> list[str]:
    """The first circle that a letter to this address would come into: `[a, b, a]`, else an empty list."""
    way, turns, done = [start], [iter(leads_to(start))], set()
    while turns:
        target = next(turns[-1], None)
        if target is None:
            turns.pop()
            done.add(way.pop())
        elif target in way:
            return [*way[way.index(target) :], target]
        elif target not in done:
            way.append(target)
            turns.append(iter(leads_to(target)))
    return []
