"""From the household file to the database: create, change, and remove what differs, nothing else.

In: the file's text. Out: a `Report`. Touched: every wish, inside one `with wishes(...)`. Raises HouseholdError.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import ForeignKey

from accounts import passwords, rules as account_rules
from accounts.models import Community, Membership, User
from accounts.rules import Refused
from accounts.services import remove_person
from accounts.wishes import Wish, Wishes, wishes
from domains import rules as domain_rules
from domains.models import Alias, Domain, Mailbox
from domains.services import delete_alias, delete_mailbox, set_people
from policies import rules
from policies.household import filing, usage
from policies.household.tables import (
    HouseholdError,
    Place,
    Table,
    first,
    known_keys,
    listed,
    parse,
    refusals,
    rows,
    ruled,
    tables_of,
)
from policies.models import Contact, Filing, FilterRule, Forwarding, Spam, Vacation

Row = TypeVar("Row", bound=Wish)
DEFAULT_QUOTA: Final = "1G"
CONTACT: Final = {
    "name": "",
    "direction": "both",
    "kind": "allowed",
    "assurance": "proven",
    "evidence": "",
    "confirmed": False,
}
# One query for each model, with what its label needs.
FETCHED: Final[Mapping[type[Wish], Callable[[], Iterable[Any]]]] = {
    Community: Community.objects.all,
    Domain: lambda: Domain.objects.select_related("community", "alias_of"),
    User: lambda: User.objects.prefetch_related("memberships__community", "memberships__user"),
    Mailbox: lambda: Mailbox.objects.select_related("domain", "vacation", "spam", "forwarding").prefetch_related(
        "people"
    ),
    Alias: lambda: Alias.objects.select_related("domain"),
    Contact: lambda: Contact.objects.select_related("person", "community"),
}
FILINGS: Final[tuple[type[Filing], ...]] = (FilterRule, Vacation, Spam, Forwarding)
ROOM: Final = ((Alias, "alias", domain_rules.alias_address), (Mailbox, "mailbox", domain_rules.own_address))


@dataclass
class Report:
    """What a load did, by labels such as `mailbox emma@myfamily.net`."""

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    generation: int = 0


def load(text: str, author: object, *, prune: bool = False) -> Report:
    """Make the database equal to the household file `text`; with `prune` also remove what it does not name."""
    return load_tables(parse(text), author, prune=prune)


def load_tables(tables: Table, author: object, *, prune: bool = False) -> Report:
    """The same with the tables of a file."""
    loader = Loader()
    try:
        with wishes(author, "load"):
            if prune:
                loader.make_room(tables)
            loader.load(tables)
            if prune:
                loader.prune()
    except ValidationError as error:  # a row that does not fit the others, found when all were written
        raise loader.located(error) from error
    loader.report.generation = Wishes.current()
    return loader.report


class Loader:
    """One run of `load`: what was seen, and where."""

    def __init__(self) -> None:
        self.report = Report()
        self.places: dict[tuple[type[Wish], str], Place] = {}
        self.stored: dict[type[Wish], dict[str, Any]] = {}
        self.said: set[str] = set()

    def find(self, model: type[Row], label: str) -> Row | None:
        """A row by its label; every row of a model is fetched once, however large the file."""
        if model not in self.stored:
            self.stored[model] = {row.label(): row for row in FETCHED[model]()}
        return self.stored[model].get(label)

    def make_room(self, tables: Table) -> None:
        """Remove the addresses that the file does not name, so that others may take them."""
        for model, kind, rule in ROOM:
            named = set()
            for row in rows(tables, kind):
                with suppress(Refused):  # said with its place when the row is written
                    named.add(rule(row.get("address")))
            for address in model.objects.all():
                if address.address not in named and model.objects.filter(pk=address.pk).exists():
                    self.remove(address)

    def load(self, tables: Table) -> None:
        """Write every table, those first that others lean on."""
        known_keys(tables, "file")
        self.each(tables, "community", "name", self.community)
        self.each(tables, "domain", "name", self.domain)
        self.each(tables, "person", "address", self.person)
        self.each(tables, "mailbox", "address", self.mailbox)
        self.each(tables, "alias", "address", self.alias)
        self.each(tables, "mailbox", "address", self.filing)
        self.each(tables, "community", "name", self.contacts)
        self.each(tables, "person", "address", self.contacts)
        self.each(tables, "community", "name", self.usage)

    def each(self, tables: Table, kind: str, name: str, write: Callable[[Place, Table], None]) -> None:
        """Write each table of one kind, saying where it stands when it is refused."""
        for place, row in tables_of(tables, kind, name):
            write(place, row)

    def community(self, place: Place, row: Table) -> None:
        """A community, its calendar and its domains."""
        name = ruled(place, "name", account_rules.name, row["name"])
        calendar = row.get("calendar", {})
        if not isinstance(calendar, dict):
            raise place.error("calendar", "must be a table.")
        known_keys(calendar, "calendar", f"{place}, calendar: ")
        community = self.find(Community, name) or Community(name=name)
        values = {
            "kind": row.get("kind", "family"),
            "timezone": row.get("timezone", "Europe/Rome"),
            "language": row.get("language", "en"),
            "digest_hour": row.get("digest_hour", 18),
            "school_days": calendar.get("school_days", []),
            "holidays": [
                [str(day) for day in pair] if isinstance(pair, list) else pair
                for pair in listed(place, "holidays", calendar.get("holidays", []))
            ],
        }
        self.put(place, community, values)
        for item in listed(place, "domains", row.get("domains", [])):
            domain_name = ruled(place, "domains", account_rules.domain_name, item)
            domain = self.find(Domain, domain_name) or Domain(name=domain_name)
            self.put(place, domain, {"community": community, "kind": "mail"}, key="domains")

    def domain(self, place: Place, row: Table) -> None:
        """A domain that stands for another, or is kept for its real host."""
        name = ruled(place, "name", account_rules.domain_name, row["name"])
        if ("alias_of" in row) == ("relay_to" in row):
            raise place.error("alias_of", "name either the domain it stands for or, with relay_to, its real host.")
        domain = self.find(Domain, name) or Domain(name=name)
        if "relay_to" in row:
            return self.put(place, domain, {"kind": "backup", "relay_to": row["relay_to"], "community": None})
        target = ruled(place, "alias_of", account_rules.domain_name, row["alias_of"])
        found = self.find(Domain, target)
        if not found:
            raise place.error("alias_of", f"“{target}” is no domain here: add it first.")
        return self.put(place, domain, {"kind": "alias", "alias_of": found, "community": found.community})

    def person(self, place: Place, row: Table) -> None:
        """A person and what she is in each community."""
        address = ruled(place, "address", account_rules.address, row["address"])
        person = self.find(User, address) or User(address=address)
        values = {
            "name": row.get("name", address.partition("@")[0]),
            "born": row.get("born"),
            "language": row.get("language", ""),
            "administrator": ruled(place, "administrator", account_rules.yes_or_no, row.get("administrator", False)),
            "active": ruled(place, "active", account_rules.yes_or_no, row.get("active", True)),
            "password": self.password(place, row, person),
        }
        self.put(place, person, values)
        items = listed(place, "membership", row.get("membership", []))
        named = {item.get("community") for item in items if isinstance(item, dict)}
        for membership in person.memberships.all():  # first: a protected person is in one family only
            if membership.community.name not in named:
                self.remove(membership)
        for item in items:
            self.membership(place, person, item)

    def password(self, place: Place, row: Table, person: User) -> str:
        """The hash to store: of a new password, the given hash, or the one there is."""
        if "password" in row and "password_hash" in row:
            raise place.error("password", "give either password or password_hash, not both.")
        if "password_hash" in row:
            return str(ruled(place, "password_hash", passwords.known, row["password_hash"]))
        if "password" not in row:
            return person.password
        typed = ruled(place, "password", account_rules.password, row["password"])
        return person.password if person.check_password(typed) else str(ruled(place, "password", passwords.new, typed))

    def membership(self, place: Place, person: User, row: object) -> None:
        """What a person is in one community."""
        if not isinstance(row, dict):
            raise place.error("membership", "must be written with double brackets.")
        known_keys(row, "membership", f"{place}, membership: ")
        community = self.find(Community, str(row.get("community", "")))
        if not community:
            name = account_rules.spoken(row.get("community", ""))
            raise place.error("membership", f"“{name}” is no community here: add it first.")
        there = (membership for membership in person.memberships.all() if membership.community_id == community.pk)
        membership = next(there, None) or Membership(user=person, community=community)
        override = row.get("override", [])
        values = {
            "role": row.get("role", ""),
            "level": row.get("level", ""),
            "protection": row.get("protection", ""),
            "overrides": [dated(item) for item in (override if isinstance(override, list) else [override])],
        }
        self.put(place, membership, values)

    def mailbox(self, place: Place, row: Table) -> None:
        """A mailbox and its people."""
        address = ruled(place, "address", domain_rules.own_address, row["address"])
        mailbox = self.find(Mailbox, address) or Mailbox(address=address)
        values = {
            "key": row.get("key", mailbox.key),
            "quota": row.get("quota", DEFAULT_QUOTA),
            "active": ruled(place, "active", account_rules.yes_or_no, row.get("active", True)),
        }
        self.put(place, mailbox, values)
        people = [self.found_person(place, item) for item in listed(place, "people", row.get("people", [address]))]
        if {person.pk for person in mailbox.people.all()} != {person.pk for person in people}:
            set_people(mailbox, people)
            self.reported(mailbox, self.report.changed)

    def found_person(self, place: Place, item: object) -> User:
        """The person a mailbox names."""
        address = ruled(place, "people", account_rules.address, item)
        person = self.find(User, address)
        if not person:
            raise place.error("people", f"“{address}” is nobody here: add a [[person]] first.")
        return person

    def alias(self, place: Place, row: Table) -> None:
        """An alias."""
        address = ruled(place, "address", domain_rules.alias_address, row["address"])
        alias = self.find(Alias, address) or Alias(address=address)
        values = {
            "targets": row.get("to", []),
            "internal": ruled(place, "internal", account_rules.yes_or_no, row.get("internal", False)),
            "expires": row.get("expires"),
        }
        self.put(place, alias, values)

    def filing(self, place: Place, row: Table) -> None:
        """What a mailbox does with its letters."""
        mailbox = self.find(Mailbox, domain_rules.own_address(row["address"]))
        if mailbox is None or row.keys().isdisjoint(("rule", *filing.ONCE)):
            return
        there = self.rules.get(mailbox.pk, [])
        for one in filing.wished(place, row, mailbox, there):
            self.put(one.place, one.row, one.values)
            one.row.fresh = frozenset() if one.barred else one.row.fresh

    @cached_property
    def rules(self) -> Mapping[int, list[FilterRule]]:
        """The rules that there were, by mailbox."""
        found: dict[int, list[FilterRule]] = defaultdict(list)
        for row in FilterRule.objects.select_related("mailbox"):
            found[row.mailbox_id].append(row)
        return found

    def contacts(self, place: Place, row: Table) -> None:
        """The list of a person or a community. Last of all: what is dangerous depends on the domains there are."""
        kind, name = (
            ("community", account_rules.name) if place.table == "community" else ("person", account_rules.address)
        )
        model = Community if kind == "community" else User
        owner = self.find(model, name(row["name" if kind == "community" else "address"]))
        for entry_place, item in tables_of(row, f"{kind}.contact", "address", f"{place}, "):
            self.contact(entry_place, item, kind, owner)

    def contact(self, place: Place, row: Table, kind: str, owner: Wish | None) -> None:
        """One entry of a list."""
        entry = ruled(place, "address", rules.entry, row["address"])
        contact = Contact(address=entry, **{kind: owner})
        contact = self.find(Contact, contact.label()) or contact
        values = {name: row.get(name, default) for name, default in CONTACT.items()}
        self.put(place, contact, values)

    def usage(self, place: Place, row: Table) -> None:
        """The acceptable-use policy of a community. After everything: its rules are made of levels and lists."""
        community = self.find(Community, account_rules.name(row["name"]))
        if community is None or "use" not in row:
            return
        for version, item, policy, values in usage.versions(place, row, community):
            self.put(version, policy, values, key="" if policy.pk is None else "number")
            for reader, read, facts in usage.readers(version, item, policy, partial(self.find, User)):
                self.put(reader, read, facts)

    def put(self, place: Place, row: Wish, values: Table, key: str = "") -> None:
        """Save a row if it is new or differs, and remember where the file names it."""
        if (type(row), row.label()) in self.places:
            raise place.error(key or "address", f"{row.label()} stands in the file twice.")
        self.places[type(row), row.label()] = place
        before = row.values() if row.pk else None
        with refusals(place, key):
            for name, value in values.items():
                setattr(row, name, value)
            row.clean_fields(exclude=held(row))
            if before and before == row.values():
                return
            row.clean()
            if before and before == row.values():
                return
            row.save()
        self.stored.setdefault(type(row), {})[row.label()] = row
        self.reported(row, self.report.changed if before else self.report.created)

    def reported(self, row: Wish, report: list[str]) -> None:
        """Say once what became of a row."""
        label = f"{row._meta.model_name} {row.label()}"
        if label not in self.said:
            self.said.add(label)
            report.append(label)

    def remove(self, row: Wish) -> None:
        """Delete a row that the file does not name."""
        self.report.removed.append(f"{row._meta.model_name} {row.label()}")
        if isinstance(row, Mailbox):
            delete_mailbox(row)
        elif isinstance(row, Alias):
            delete_alias(row)
        elif isinstance(row, User):
            remove_person(row)
        else:
            row.delete()

    def prune(self) -> None:
        """Remove what the file does not name, those first that lean on others."""
        rows: list[Wish] = [
            *(row for model in FILINGS for row in model._default_manager.select_related("mailbox")),
            *Contact.objects.select_related("person", "community"),
            *User.objects.all(),
            *sorted(Domain.objects.all(), key=lambda row: row.kind == "mail"),
            *Community.objects.all(),
        ]
        for row in rows:
            if (type(row), row.label()) not in self.places:
                self.remove(row)

    def located(self, error: ValidationError) -> HouseholdError:
        """A refusal of a finished row, with its place in the file."""
        row = getattr(error, "row", None)
        key, sentence = first(error)
        place = self.places.get((type(row), row.label())) if row else None
        return place.error(key, sentence) if place else HouseholdError(sentence)


def held(row: Wish) -> set[str]:
    """The relations of a row whose other end was fetched: that it is there has not to be asked for each row."""
    return {one.name for one in row._meta.concrete_fields if isinstance(one, ForeignKey) and one.is_cached(row)}


def dated(item: object) -> object:
    """An exception's table with its last day as text."""
    return {k: str(v) if k == "until" else v for k, v in item.items()} if isinstance(item, dict) else item
