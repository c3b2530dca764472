"""Back to what was wished before: a household file of then, loaded over what is wished now.

In: the file of then, its generation, who goes back, the generation that was shown. Out: what was changed. Touched: the
wishes, as one generation like any other, through the door `undo`. Raises Refused or HouseholdError, and Stale where
somebody wished something meanwhile; nothing is changed then.

Passwords, suspensions and blocks never go backwards:
- a password stays the newest; a person who comes back has none until somebody gives her one; and where an address was
  somebody else's meanwhile, the newest password opens no mailbox that it does not open now
- who or what is suspended stays so, also what was suspended when it was deleted
- whom a list blocks stays blocked, also where the list went with its person
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts.models import AuditEntry, Community, User, Wishes
from accounts.passwords import UNUSABLE
from accounts.rules import Refused, gettext_noop as _
from accounts.wishes import note_act, wishes
from domains.models import Mailbox
from policies.household.load import load_tables
from policies.household.tables import Table, parse
from policies.models import Contact

DOOR: Final = "undo"
LOOKED_AT: Final = ("user", "mailbox", "community", "contact")  # what the audit log must say of since then
ENTRY: Final = ("address", "name", "direction", "kind", "assurance", "evidence", "confirmed")


class Stale(Exception):
    """Somebody wished something since it was shown."""


@dataclass(frozen=True)
class Undone:
    """What going back changed, over which generation, and who has to be given a password."""

    shown: int
    entries: list[AuditEntry]
    without_password: list[User]


def rehearse(text: str, generation: int, author: User) -> Undone:
    """What going back would change: done and taken back."""
    with transaction.atomic():
        found = undo(text, generation, author, Wishes.current())
        transaction.set_rollback(True)
    return found


def undo(text: str, generation: int, author: User, shown: int, what: str = "") -> Undone:
    """Wish again what was wished in a generation. `shown`: the generation over which that was shown."""
    tables = parse(text)
    with transaction.atomic():
        try:
            with wishes(author, DOOR):
                if Wishes.current() != shown:
                    raise Stale
                go_back(tables, generation)
                keep_the_author(author)
        except ValidationError as error:
            raise Refused("%(why)s", why=error.messages[0]) from error
        now = Wishes.current()
        if now != shown:
            note_act(author, DOOR, what or f"generation {generation}", {"to": generation, "made": now})
        entries = AuditEntry.objects.filter(generation=now, door=DOOR).exclude(kind="act") if now != shown else []
        return Undone(shown, list(entries), without_password(list(entries)))


def go_back(tables: Table, generation: int) -> None:
    """Load the tables, with what never goes backwards as it is now."""
    since = list(AuditEntry.objects.filter(generation__gt=generation, kind__in=LOOKED_AT))
    opened = keys_of_people()
    suspended(tables, since)
    blocked(tables, since)
    load_tables(tables, DOOR, prune=True)
    forget(since, opened)


def suspended(tables: Table, since: list[AuditEntry]) -> None:
    """Who is suspended now stays so, and what was when it was deleted."""
    for name, kind, model in (("person", "user", User), ("mailbox", "mailbox", Mailbox)):
        here = dict(model._default_manager.values_list("address", "active"))
        closed = {address for address, active in here.items() if not active}
        closed |= {row.what for row in since if row.kind == kind and was_closed(row) and row.what not in here}
        closed |= {then for then, last in names_then(since, kind).items() if last in closed}
        for table in tables.get(name, []):
            if table["address"] in closed:
                table["active"] = False


def names_then(since: list[AuditEntry], kind: str) -> dict[str, str]:
    """The last name or address of who or what had another one then, by that of then."""
    field, found = "name" if kind == "community" else "address", dict[str, str]()
    for row in since:
        if row.kind == kind and row.before and row.after and field in row.before:
            old, new = row.before[field], row.after[field]
            first = next((then for then, last in found.items() if last == old), None)
            if first or old not in found:  # else the address of then is somebody else's by now
                found[first or old] = new
    return found


def was_closed(entry: AuditEntry) -> bool:
    """Deleted while it was suspended."""
    return entry.after is None and (entry.before or {}).get("active") is False


def blocked(tables: Table, since: list[AuditEntry]) -> None:
    """Whom a list blocks now stays blocked there, and whom it blocked when it went with its person."""
    owners = {("person", table["address"]): table for table in tables.get("person", [])}
    owners |= {("community", table["name"]): table for table in tables.get("community", [])}
    for name, kind in (("person", "user"), ("community", "community")):
        moved = names_then(since, kind).items()
        owners |= {(name, last): owners[name, then] for then, last in moved if (name, then) in owners}
    for owner, entry in (*blocks_now(), *blocks_gone(since)):
        if table := owners.get(owner):
            rest = [row for row in table.get("contact", []) if row["address"] != entry["address"]]
            table["contact"] = [*rest, entry]


def blocks_now() -> Iterator[tuple[tuple[str, str], Table]]:
    """Every block: whose, and the entry."""
    for row in Contact.objects.filter(kind=Contact.Kind.BLOCKED).select_related("person", "community"):
        owner = ("person", row.person.address) if row.person else ("community", row.community.name)
        yield owner, {name: getattr(row, name) for name in ENTRY}


def blocks_gone(since: list[AuditEntry]) -> Iterator[tuple[tuple[str, str], Table]]:
    """The blocks of people and communities who are gone."""
    here = {*User.objects.values_list("address", flat=True), *Community.objects.values_list("name", flat=True)}
    for row in since:
        values = row.before or {}
        if row.kind == "contact" and row.after is None and values.get("kind") == Contact.Kind.BLOCKED:
            kind = "person" if values.get("person") else "community"
            if values[kind] not in here:
                yield (kind, values[kind]), {name: values[name] for name in ENTRY}


def keys_of_people() -> dict[str, set[str]]:
    """Which mailboxes each person opens, by her sign-in address."""
    found: dict[str, set[str]] = {}
    for address, key in User.objects.values_list("address", "mailboxes__key"):
        found.setdefault(address, set()).add(key)
    return found


def forget(since: list[AuditEntry], before: dict[str, set[str]]) -> None:
    """Take the password of an address that was not the same person's all the time, where it would open more."""
    names = {name for row in since if row.kind == "user" for name in names_moved(row)}
    now = keys_of_people()
    for person in User.objects.filter(address__in=names).exclude(password=UNUSABLE):
        if now[person.address] - before.get(person.address, set()):
            person.password = UNUSABLE
            person.save()


def names_moved(entry: AuditEntry) -> Iterator[str]:
    """The sign-in addresses that an entry gave to a person or took from her."""
    moved = entry.before is None or entry.after is None or "address" in entry.before
    if moved:
        yield entry.what
        yield from [entry.before["address"]] if entry.before and "address" in entry.before else []


def keep_the_author(author: User) -> None:
    """Refuse to go back to where whoever does it could not go on from."""
    if not User.objects.filter(pk=author.pk, active=True, administrator=True).exists():
        raise Refused(_("You were no administrator then, and could not go on from there: choose a newer release."))


def without_password(entries: list[AuditEntry]) -> list[User]:
    """Who came back, or whose password was taken."""
    names = {row.what for row in entries if row.kind == "user" and touches_password(row)}
    people: Any = User.objects.filter(address__in=names, password=UNUSABLE)
    return list(people)


def touches_password(entry: AuditEntry) -> bool:
    """Somebody new, or another password."""
    return entry.before is None or "password" in entry.before
