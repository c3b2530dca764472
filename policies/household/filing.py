"""What a mailbox does with its letters, in the household file: `[[mailbox.rule]]` and what a mailbox has once.

In: rows of the database, or a mailbox's table. Out: tables, or what is to be written and where the file says so.
Nothing is touched. Raises HouseholdError.

A rule of the file is the one with its key; without a key, one that says the same, so that a file can be loaded twice.
Where a dump says `barred`, the mail host leaves the forward out for now, and `load` takes it as it is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.rules import yes_or_no
from domains.models import Mailbox
from domains.rules import key as a_key
from policies import filters
from policies.filing import STEP
from policies.forwards import misfits
from policies.household.tables import HouseholdError, Place, Table, known_keys, rows, ruled
from policies.models import Filing, FilterRule, Forwarding, Spam, Vacation
from policies.models.filters import Once

Fields = Mapping[str, tuple[str, Any]]
NEEDED: Final = object()
# Of each table: its model, and of each key the model's field and the default.
ONCE: Final[Mapping[str, tuple[type[Once], Fields]]] = {
    "vacation": (
        Vacation,
        {
            "text": ("text", NEEDED),
            "subject": ("subject", ""),
            "from": ("first", NEEDED),
            "until": ("last", NEEDED),
            "days": ("days", 7),
        },
    ),
    "spam": (Spam, {"over": ("over", NEEDED), "folder": ("folder", "Junk"), "tag": ("tag", "")}),
    "forward": (Forwarding, {"to": ("to", NEEDED), "keep": ("keep", True)}),
}


@dataclass(frozen=True)
class Wished:
    """A row of the file: where it stands, the row it is, and its values."""

    place: Place
    row: Filing
    values: Table
    barred: bool


def barred() -> set[tuple[type[Filing], int]]:
    """The rows whose forward the mail host leaves out for now."""
    rules = FilterRule.objects.filter(active=True, then__icontains='"forward"').select_related("mailbox")
    found = [*rules, *Forwarding.objects.select_related("mailbox")]
    return {(type(row), row.pk) for row, _sentence in misfits(found)}


def tables_of(mailbox: Mailbox, out: Collection[tuple[type[Filing], int]]) -> Table:
    """What a mailbox's table holds of this; `out`: what `barred` says."""
    found: Table = {}
    if rules := [rule_table(row, out) for row in mailbox.filter_rules.all()]:
        found["rule"] = rules
    for name, (model, fields) in ONCE.items():
        if (row := getattr(mailbox, str(model._meta.model_name), None)) is not None:
            values = {key: (getattr(row, field), default) for key, (field, default) in fields.items()}
            found[name] = {key: value for key, (value, default) in values.items() if value != default}
            found[name] |= {"barred": True} if (model, row.pk) in out else {}
    return found


def rule_table(row: FilterRule, out: Collection[tuple[type[Filing], int]]) -> Table:
    """`[[mailbox.rule]]`."""
    when = [{key: value for key, value in one.items() if value} for one in row.when]
    table: Table = {"key": row.key, "match": row.match, **({"when": when} if when else {}), "then": row.then}
    return table | ({} if row.active else {"active": False}) | ({"barred": True} if (FilterRule, row.pk) in out else {})


def wished(place: Place, table: Table, mailbox: Mailbox, there: Iterable[FilterRule]) -> Iterator[Wished]:
    """Everything that a mailbox's table says of this; `there`: the rules it has."""
    yield from rules_wished(place, table, mailbox, there)
    for name, (model, fields) in ONCE.items():
        if name in table:
            yield once_wished(Place(f"mailbox.{name}", 0, "", f"{place}, "), table[name], mailbox, model, fields)


def rules_wished(place: Place, table: Table, mailbox: Mailbox, there: Iterable[FilterRule]) -> Iterator[Wished]:
    """The rules in their order."""
    left, last = {row.key: row for row in there}, 0
    items = rows(table, "mailbox.rule", f"{place}, ")
    named = {str(item["key"]) for item in items if "key" in item}
    for ordinal, item in enumerate(items, 1):
        here = Place("mailbox.rule", ordinal, str(item.get("key", "no key")), f"{place}, ")
        known_keys(item, "rule", f"{here}, ")
        values = rule_values(here, item)
        row = by_key(here, item, left) if "key" in item else same(left, named, values)
        row.mailbox = mailbox
        values["position"] = last = row.position if row.pk and row.position > last else last + STEP
        yield Wished(here, row, values, is_barred(here, item))


def by_key(place: Place, item: Table, left: dict[str, FilterRule]) -> FilterRule:
    """The rule with the key that the file names, or a new one."""
    key = ruled(place, "key", a_key, item["key"])
    return left.pop(key, None) or FilterRule(key=key)


def rule_values(place: Place, item: Table) -> Table:
    """A rule's values in their normal form."""
    return {
        "match": ruled(place, "match", filters.match, item.get("match", "all")),
        "when": ruled(place, "when", filters.when, item.get("when", [])),
        "then": ruled(place, "then", filters.then, item.get("then", [])),
        "active": ruled(place, "active", yes_or_no, item.get("active", True)),
    }


def same(left: dict[str, FilterRule], named: Collection[str], values: Table) -> FilterRule:
    """The first rule that no table of the file is yet and that says the same, or a new one."""
    for key, row in left.items():
        if key not in named and all(getattr(row, name) == values[name] for name in ("match", "when", "then")):
            return left.pop(key)
    return FilterRule()


def is_barred(place: Place, item: Table) -> bool:
    """Its forward may lead where it may not."""
    return bool(ruled(place, "barred", yes_or_no, item.get("barred", False)))


def once_wished(place: Place, item: object, mailbox: Mailbox, model: type[Once], fields: Fields) -> Wished:
    """What a mailbox has one of."""
    if not isinstance(item, dict):
        raise HouseholdError(f"{place}: must be written with single brackets.")
    known_keys(item, place.table.rpartition(".")[2], f"{place}, ")
    for key, (_field, default) in fields.items():
        if default is NEEDED and key not in item:
            raise place.error(key, "is missing.")
    row = getattr(mailbox, str(model._meta.model_name), None) or model(mailbox=mailbox)
    values = {field: item.get(key, default) for key, (field, default) in fields.items()}
    return Wished(place, row, values, is_barred(place, item))
