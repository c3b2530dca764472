"""The addresses of one host, looked up the way Postfix will.

In: a `Snapshot` and a moment. Out: a `Book`: every address once, expired aliases left out, and for each where its
letters finally arrive. Nothing is touched. Raises `Unwritable` where two things claim one address, key or domain, or
an address lies in a domain that has none.
"""

from collections.abc import Iterable, Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from deploy.render.quoting import Unwritable, address, catch_all, domain, folder_key, own_address, spoken
from deploy.snapshot import Alias, Domain, Mailbox, Snapshot

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Book:
    """`domains`, `mailboxes` and `aliases` by name; `twins`: the alias domains of each domain, in order."""

    domains: dict[str, Domain]
    twins: dict[str, list[str]]
    mailboxes: dict[str, Mailbox]
    aliases: dict[str, Alias]

    def forms(self, own: str) -> list[str]:
        """An address of ours, or a catch-all, and the same in every alias domain."""
        local, _at, name = own.rpartition("@")
        return [own, *(f"{local}@{twin}" for twin in self.twins.get(name, ()))]

    def next(self, wanted: str) -> tuple[str, ...]:
        """Where a letter goes after this address: nowhere for a mailbox, and for what is not ours."""
        local, _at, name = wanted.rpartition("@")
        found = self.domains.get(name)
        if found and found.kind == "alias":
            name = found.target
        for known in (f"{local}@{name}", f"{local.partition('+')[0]}@{name}", f"@{name}"):
            if known in self.mailboxes:
                return (known,) if known != wanted else ()
            if known in self.aliases:
                return self.aliases[known].targets
        return ()

    def home(self, name: str) -> str:
        """The domain with mailboxes that a name of ours is or stands for; nothing for any other name."""
        found = self.domains.get(name)
        if not found or found.kind == "backup":
            return ""
        return found.target if found.kind == "alias" else name

    def leads_on(self, wanted: str, gone: AbstractSet[str]) -> bool:
        """False for an address in a domain of ours that nothing takes, or whose alias is gone."""
        local, _at, name = wanted.rpartition("@")
        home = self.home(name)
        if not home:
            return True
        if f"{local.partition('+')[0]}@{home}" in gone:
            return False
        return wanted in self.mailboxes or bool(self.next(wanted))

    def ends(self, start: str) -> set[str]:
        """Where letters to an address finally go: mailboxes of ours, addresses outside."""
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            here = waiting.pop()
            if here not in seen:
                seen.add(here)
                waiting.extend(self.next(here))
        return {here for here in seen if here in self.mailboxes or not self.home(here.rpartition("@")[2])}

    def arrives(self, start: str) -> list[Mailbox]:
        """The mailboxes of ours that letters to an address finally reach, sorted."""
        return [self.mailboxes[here] for here in sorted(self.ends(start)) if here in self.mailboxes]


def book(snapshot: Snapshot, at: datetime) -> Book:
    """Put the addresses in order, each checked once."""
    domains = once(((domain(row.name), row) for row in snapshot.domains), "domain")
    twins: dict[str, list[str]] = {}
    for row in sorted(snapshot.domains):
        if row.kind == "alias":
            twins.setdefault(home_of(domains, row.target, row.name), []).append(row.name)
    mailboxes = once(((own_address(row.address), row) for row in snapshot.mailboxes), "address")
    once(((folder_key(row.key), row) for row in snapshot.mailboxes), "mailbox key")
    aliases = once(((alias_address(row), row) for row in snapshot.aliases if works(row, at)), "address")
    if taken := mailboxes.keys() & aliases.keys():
        raise Unwritable(f"“{min(taken)}” is a mailbox and an alias at once.")
    for own in (*mailboxes, *aliases):
        home_of(domains, own.rpartition("@")[2], own)
    ended = {row.address for row in snapshot.aliases} - aliases.keys()
    return without_dead_ends(Book(domains, twins, mailboxes, aliases), ended)


def without_dead_ends(book: Book, gone: AbstractSet[str]) -> Book:
    """Leave out targets whose alias is gone, and aliases left with none: Postfix would accept and then bounce.

    Such a target does not fall to a catch-all either, which may lead back to the alias that named it.
    """
    while True:
        living = (
            (name, row, tuple(target for target in row.targets if book.leads_on(target, gone)))
            for name, row in book.aliases.items()
        )
        left = {name: replace(row, targets=targets) for name, row, targets in living if targets}
        if left == book.aliases:
            return book
        gone = gone | (book.aliases.keys() - left.keys())
        book = replace(book, aliases=left)


def once(rows: Iterable[tuple[str, Row]], what: str) -> dict[str, Row]:
    """Rows by name, in order; a name that comes twice would hide a row."""
    found: dict[str, Row] = {}
    for name, row in sorted(rows, key=lambda pair: pair[0]):
        if name in found:
            raise Unwritable(f"The {what} “{spoken(name)}” is given twice.")
        found[name] = row
    return found


def alias_address(alias: Alias) -> str:
    """The address of an alias or a catch-all; its targets are addresses, and there is one at least."""
    if not alias.targets:
        raise Unwritable(f"The alias “{spoken(alias.address)}” leads nowhere.")
    for target in alias.targets:
        address(target)
    return catch_all(alias.address) if alias.address.startswith("@") else own_address(alias.address)


def works(alias: Alias, at: datetime) -> bool:
    """True until the alias's end."""
    try:
        return not alias.expires or at < datetime.fromisoformat(alias.expires)
    except (TypeError, ValueError):
        raise Unwritable(f"“{spoken(alias.expires)}” is not the end of “{spoken(alias.address)}”.") from None


def home_of(domains: dict[str, Domain], name: str, whose: str) -> str:
    """The name of a domain with mailboxes of its own."""
    if name not in domains or domains[name].kind != "mail":
        raise Unwritable(f"“{spoken(whose)}” belongs to “{spoken(name)}”, which has no mailboxes here.")
    return name
