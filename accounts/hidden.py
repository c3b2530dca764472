"""Addresses without names, for who looks after a host and not after its people. Pure: text in, text out."""

import re
from collections.abc import Iterable
from typing import Final

from accounts.rules import shown_domain

SIGN: Final = "…"
LOCAL: Final = re.compile(r"[^\s<>@(),;:\"\[\]]+@(?=[^\s<>@])")


def hidden_address(address: str) -> str:
    """The domain of an address, as people write it: `…@myfamily.net`; nothing of nothing."""
    _local, at, domain = address.rpartition("@")
    return f"{SIGN}@{shown_domain(domain)}" if at else SIGN if address else ""


def without_names(text: str, addresses: Iterable[str]) -> str:
    """A text without the local part of any address, and without those of these ones wherever they stand."""
    for name in sorted(names(addresses), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", SIGN, text, flags=re.IGNORECASE)
    return LOCAL.sub(f"{SIGN}@", text)


def names(addresses: Iterable[str]) -> set[str]:
    """What stands before the @ of each, with and without its extension."""
    locals_ = {address.rpartition("@")[0] for address in addresses}
    return {*locals_, *(one.partition("+")[0] for one in locals_)} - {""}
