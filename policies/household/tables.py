"""The tables of the household file: which keys they know, and where in the file something was refused.

In: the file's text, its tables. Out: the same tables, checked for shape. Raises HouseholdError.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ValidationError

from accounts import rules as account_rules
from accounts.rules import Refused

Table = dict[str, Any]
# What each table may hold.
KEYS: Final[Mapping[str, frozenset[str]]] = {
    "file": frozenset({"community", "person", "mailbox", "alias", "domain"}),
    "community": frozenset(
        {"name", "kind", "timezone", "language", "domains", "calendar", "digest_hour", "contact", "use"}
    ),
    "calendar": frozenset({"school_days", "holidays"}),
    "use": frozenset({"number", "before", "after", "by", "when", "rules", "read"}),
    "read": frozenset({"person", "when"}),
    "person": frozenset(
        {
            "address",
            "name",
            "born",
            "language",
            "administrator",
            "active",
            "password",
            "password_hash",
            "membership",
            "contact",
        }
    ),
    "contact": frozenset({"address", "name", "direction", "kind", "assurance", "evidence", "confirmed"}),
    "membership": frozenset({"community", "role", "level", "protection", "override"}),
    "mailbox": frozenset({"address", "key", "people", "quota", "active", "rule", "vacation", "spam", "forward"}),
    "rule": frozenset({"key", "match", "when", "then", "active", "barred"}),
    "vacation": frozenset({"text", "subject", "from", "until", "days"}),
    "spam": frozenset({"over", "folder", "tag"}),
    "forward": frozenset({"to", "keep", "barred"}),
    "alias": frozenset({"address", "to", "internal", "expires"}),
    "domain": frozenset({"name", "alias_of", "relay_to"}),
}
# Where a model's field has another name than the file's key.
FILE_NAMES: Final = {
    "targets": "to",
    "overrides": "override",
    "user": "address",
    "domain": "address",
    "first": "from",
    "last": "until",
    "generated": "rules",
}


class HouseholdError(Exception):
    """The file cannot be loaded: one sentence says where and why."""


@dataclass(frozen=True)
class Place:
    """One table of the file, for error sentences; `within` is the place of the table it belongs to.

    A table that stands there once has no ordinal.
    """

    table: str
    ordinal: int
    name: str
    within: str = ""

    def __str__(self) -> str:
        if not self.ordinal:
            return f"{self.within}[{self.table}]"
        return f"{self.within}[[{self.table}]] {self.ordinal} ({account_rules.spoken(self.name)})"

    def error(self, key: str, sentence: str) -> HouseholdError:
        """The error at one key of this table."""
        return HouseholdError(f"{self}, {key}: {sentence}")


def parse(text: str) -> Table:
    """The file's tables; raise HouseholdError where it is no TOML."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise HouseholdError("The file is no TOML: a value in it is nested too deeply.") from error
    except ValueError as error:  # TOMLDecodeError, or a number of thousands of digits
        raise HouseholdError(f"The file is no TOML: {error}.") from error


def rows(tables: Table, kind: str, within: str = "") -> list[Table]:
    """The tables of one kind, such as `person`, or `person.contact` within a person."""
    found = tables.get(kind.rpartition(".")[2], [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise HouseholdError(f"{within}[[{kind}]] must be written with double brackets.")
    return found


def known_keys(row: Table, table: str, where: str = "") -> None:
    """Refuse a key that the format does not know."""
    for key in row:
        if key not in KEYS[table]:
            known = ", ".join(sorted(KEYS[table]))
            raise HouseholdError(f"{where}{account_rules.spoken(key)}: is no key here; known are {known}.")


def tables_of(tables: Table, kind: str, name: str, within: str = "") -> Iterator[tuple[Place, Table]]:
    """Each table of one kind, its keys known and its name there, with its place."""
    for ordinal, row in enumerate(rows(tables, kind, within), 1):
        place = Place(kind, ordinal, str(row.get(name, "")), within)
        known_keys(row, kind.rpartition(".")[2], f"{place}, ")
        if name not in row:
            raise place.error(name, "is missing.")
        yield place, row


def ruled(place: Place, key: str, rule: Callable[[Any], Any], value: object) -> Any:
    """A value through its rule."""
    with refusals(place, key):
        return rule(value)


@contextmanager
def refusals(place: Place, key: str = "") -> Iterator[None]:
    """Turn a refusal into the error that names its place."""
    try:
        yield
    except Refused as refused:
        raise place.error(key, str(refused)) from refused
    except ValidationError as error:
        name, sentence = first(error)
        raise place.error(key or name, sentence) from error


def first(error: ValidationError) -> tuple[str, str]:
    """The first field and sentence of a refusal."""
    if hasattr(error, "error_dict"):
        name, sentences = next(iter(error.message_dict.items()))
        return FILE_NAMES.get(name, name.replace("__all__", "address")), sentences[0]
    return "address", error.messages[0]


def listed(place: Place, key: str, value: object) -> list[Any]:
    """A value that must be a list."""
    if not isinstance(value, list):
        raise place.error(key, "must be a list.")
    return value
