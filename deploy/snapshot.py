"""What one mail host needs to know, as plain frozen data.

In: whatever `gather` read from the database, or the `snapshot.json` of a release.
Out: a `Snapshot`, and its JSON form; the same wishes give the same bytes.
Addresses are lower-case with A-label domains and were accepted by the `rules` modules; the
writers in `render` check them once more. Nothing here reads the clock, a file or the database.
Raises `SnapshotError` when JSON is not a snapshot of the known `FORMAT`.
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

FORMAT = 1


class SnapshotError(Exception):
    """The text is not a snapshot that this version understands."""


@dataclass(frozen=True, slots=True, order=True)
class Domain:
    """A name that receives mail. `target`: of an alias the domain it stands for, of a backup its real host."""

    name: str
    kind: Literal["mail", "alias", "backup"]
    target: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Mailbox:
    """A mailbox. `logins`: the names its people sign in with (a shared mailbox has several, itself not among them).

    `password`: a hash in Dovecot's form, `{SCHEME}…`; empty when nobody signs in under this address.
    `quota`: bytes, 0 for no limit. Not `active`: letters to the address and sign-ins under it are refused.
    """

    address: str
    key: str
    logins: tuple[str, ...]
    password: str
    quota: int
    active: bool


@dataclass(frozen=True, slots=True, order=True)
class Alias:
    """An address that leads to others. `@domain` is a catch-all. `expires`: the moment it ends, ISO 8601, or empty.

    `internal`: only people who are signed in may write to it.
    """

    address: str
    targets: tuple[str, ...]
    internal: bool = False
    expires: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A line of a list for letters that come in: an address, or `@domain` for exactly that domain.

    `kind`: `always`, `allowed` or `blocked`. `assurance`: what a letter must show to be of this sender: `proven`,
    `pinned` (also the same `evidence` again), `unproven` (the name is enough).
    """

    address: str
    kind: str
    assurance: str = "proven"
    evidence: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Circle:
    """A community whose people's letters something binds: its own people, and its lists.

    `mailboxes`: those of its people alone, `guardians` the ones among them that nobody can block. `always`, `allowed`
    and `blocked` are entries for letters that go out: addresses, and `@domain`; `entries` those for what comes in.
    """

    name: str
    mailboxes: tuple[str, ...] = ()
    guardians: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Bond:
    """What one circle says of one person's outgoing letters.

    `strangers`: steps of (end, what happens to whom no list names), each until its end, ISO 8601; the last has none:
    `ask` holds the whole letter, `refuse` answers with the `sentence`, `anyone` lets it go. `listed`: allowed entries
    count; else only the circle's own people and whom it can always write to.
    """

    circle: str
    strangers: tuple[tuple[str, str], ...]
    listed: bool = True
    sentence: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Sender:
    """A person who may not write to everybody, under whatever login: a letter goes where each of her bonds lets it."""

    logins: tuple[str, ...]
    bonds: tuple[Bond, ...]
    always: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Gate:
    """What one circle says of the letters to one person.

    `strangers`: steps of (end, what happens to a letter from whom no list names), each until its end, ISO 8601; the
    last has none: `hold`, `proven` lets in who proves to be who he says, `anyone`. `listed`: allowed entries count.
    `careful`: while strangers are held, so is a letter whose answers would go elsewhere. `entries`: her own list.
    """

    circle: str
    strangers: tuple[tuple[str, str], ...]
    listed: bool = True
    careful: bool = False
    entries: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Screen:
    """A mailbox whose letters are looked at: one goes in where every gate lets it."""

    mailbox: str
    gates: tuple[Gate, ...]


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """What a letter is asked: `field` and `op` of INTERFACE, as in `subject`, `not contains`; `header:x-spam` by name.

    `value`: text in NFC; bytes for `size`, a whole number for `spam`; empty where the operator takes none.
    """

    field: str
    op: str
    value: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Action:
    """What a rule does: `file` and `copy` name a folder (`Scuola/Compiti`), `forward` an address, `tag` a word."""

    action: str
    value: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One filter rule: it acts when `all` or `any` of its conditions hold; without any it always does.

    `key`: 16 hex digits, or the name of what a mailbox has once: `spam`, `forward`. `sentence`: for who reads files.
    """

    key: str
    sentence: str
    match: str
    when: tuple[Condition, ...]
    then: tuple[Action, ...]


@dataclass(frozen=True, slots=True, order=True)
class Filter:
    """A mailbox that has rules, in order. `away`: (since, until) while letters are answered, ISO 8601."""

    mailbox: str
    rules: tuple[Rule, ...] = ()
    away: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Hours:
    """When one person may use her mail, as one circle says: outside these hours her mailboxes are asleep.

    `mailboxes`: hers alone. `zone`: where its clock stands. `steps`: (end, `07:00-20:00` or `always`), each until its
    end, ISO 8601; the last has none. `before_school`: only a night whose morning is of a school day counts;
    `school_days` are days of the week (`mon`), `holidays` first and last days without school.
    """

    circle: str
    mailboxes: tuple[str, ...]
    zone: str
    steps: tuple[tuple[str, str], ...]
    before_school: bool = False
    school_days: tuple[str, ...] = ()
    holidays: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one host is told, sorted; `generation` counts the wishes it was gathered from.

    Text without `circles`, `senders`, `screens`, `filters` and `hours` was written before there were any: it has none.
    """

    generation: int
    host: str
    role: Literal["primary", "backup"]
    domains: tuple[Domain, ...]
    mailboxes: tuple[Mailbox, ...]
    aliases: tuple[Alias, ...]
    circles: tuple[Circle, ...] = ()
    senders: tuple[Sender, ...] = ()
    screens: tuple[Screen, ...] = ()
    filters: tuple[Filter, ...] = ()
    hours: tuple[Hours, ...] = ()

    def to_json(self) -> str:
        """The snapshot as JSON text with a final newline, a line for each row; `from_json` reads it back."""
        rows = {"format": FORMAT, **plain(self)}
        return "{\n" + ",\n".join(f"{_text(name)}: {_lines(value)}" for name, value in rows.items()) + "\n}\n"

    @classmethod
    def from_json(cls, text: str) -> "Snapshot":
        """Read `to_json`'s text; raise SnapshotError for any other."""
        try:
            data: dict[str, Any] = json.loads(text)
            if data.pop("format") != FORMAT:
                raise SnapshotError(f"The snapshot is not of format {FORMAT}.")
            return cls(
                **{
                    **data,
                    "domains": tuple(Domain(**row) for row in data["domains"]),
                    "mailboxes": tuple(Mailbox(**{**row, "logins": tuple(row["logins"])}) for row in data["mailboxes"]),
                    "aliases": tuple(Alias(**{**row, "targets": tuple(row["targets"])}) for row in data["aliases"]),
                    "circles": tuple(Circle(**_with_entries(row)) for row in data.get("circles", ())),
                    "senders": tuple(_sender(row) for row in data.get("senders", ())),
                    "screens": tuple(_screen(row) for row in data.get("screens", ())),
                    "filters": tuple(_filter(row) for row in data.get("filters", ())),
                    "hours": tuple(Hours(**_tuples(row)) for row in data.get("hours", ())),
                }
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SnapshotError(f"The text is no snapshot: {error}") from error


def plain(row: Any) -> dict[str, Any]:
    """A row, or the whole, as JSON has it; what is within stays as it is, for the writer asks for each."""
    return {name: getattr(row, name) for name in row.__slots__}


_text = json.JSONEncoder(ensure_ascii=False, default=plain).encode


def _lines(value: Any) -> str:
    return "[\n" + ",\n".join(map(_text, value)) + "\n]" if isinstance(value, tuple) else _text(value)


def _sender(row: dict[str, Any]) -> Sender:
    bonds = tuple(Bond(**_tuples(bond)) for bond in row["bonds"])
    return Sender(**{**_tuples(row), "bonds": bonds})


def _screen(row: dict[str, Any]) -> Screen:
    return Screen(row["mailbox"], tuple(Gate(**_with_entries(gate)) for gate in row["gates"]))


def _filter(row: dict[str, Any]) -> Filter:
    return Filter(**{**_tuples(row), "rules": tuple(_rule(rule) for rule in row["rules"])})


def _rule(row: dict[str, Any]) -> Rule:
    when, then = (Condition(**one) for one in row["when"]), (Action(**one) for one in row["then"])
    return Rule(**{**row, "when": tuple(when), "then": tuple(then)})


def _with_entries(row: dict[str, Any]) -> dict[str, Any]:
    return {**_tuples(row), "entries": tuple(Entry(**entry) for entry in row.get("entries", ()))}


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON has it, lists become tuples again, also within lists."""
    return {name: _frozen(value) for name, value in row.items()}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
