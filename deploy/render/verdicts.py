"""What binds one person's outgoing letters at a moment, and what it says of an address. Pure.

In: the `Book`, circles and a sender of a snapshot, a moment. Out: `Rules`. Nothing is touched; raises `Unwritable`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from deploy.render.book import Book
from deploy.render.quoting import Unwritable, address, spoken
from deploy.snapshot import Bond, Circle, Sender

PASS, STRANGER, REFUSE = range(3)  # the worst of several counts
STRICTEST_FIRST = ("refuse", "ask", "anyone")


@dataclass(frozen=True, slots=True)
class Rule:
    """What one bond says at a moment. Entries are addresses and `@domain`, of ours in the home domain's form."""

    strangers: str
    sentence: str
    always: frozenset[str]
    blocked: frozenset[str]
    allowed: frozenset[str]

    def verdict(self, *forms: str) -> int:
        """The first form that is listed decides; in one form always, then blocked, then allowed.

        A blocked address is blocked with every extension.
        """
        for form in forms:
            if form in self.always:
                return PASS
            if form in self.blocked or bare(form) in self.blocked:
                return REFUSE
            if form in self.allowed:
                return PASS
        return PASS if self.strangers == "anyone" else STRANGER


@dataclass(frozen=True, slots=True)
class Rules:
    """What all bonds of a person say at a moment: a letter passes where each of them lets it."""

    rules: tuple[Rule, ...]

    @property
    def strangers(self) -> str:
        """What happens to whom no list names: the strictest."""
        said = {rule.strangers for rule in self.rules}
        return next(word for word in STRICTEST_FIRST if word in said)

    @property
    def sentence(self) -> str:
        """What the sender is told of a stranger who is refused."""
        return next((rule.sentence for rule in self.rules if rule.strangers == "refuse"), "")

    @property
    def usual(self) -> int:
        """The verdict on whom no list names."""
        return PASS if self.strangers == "anyone" else STRANGER

    @property
    def blocked(self) -> int:
        """The verdict on who is blocked."""
        return REFUSE

    def worst(self, verdicts: Iterable[int]) -> int:
        """The strictest of several."""
        return max(verdicts)

    def named(self) -> set[str]:
        """Every entry of every list."""
        return set().union(*(rule.always | rule.blocked | rule.allowed for rule in self.rules))

    def verdict(self, *forms: str) -> int:
        """The worst of what the bonds say."""
        return max(rule.verdict(*forms) for rule in self.rules)


def bare(entry: str) -> str:
    """An address without its extension."""
    local, at, name = entry.rpartition("@")
    return f"{local.partition('+')[0]}{at}{name}"


def may_write(book: Book, bound: Iterable[Rules], target: str) -> bool:
    """True when a letter to this address would go to everybody it leads to, whichever of these bind its sender."""
    ends = [(end, f"@{end.rpartition('@')[2]}") for end in normal(book, book.ends(target))]
    return all(one.verdict(*forms) == PASS for one in bound for forms in ends)


def rules(book: Book, circles: Mapping[str, Circle], sender: Sender, at: datetime) -> Rules:
    """What binds a person at this moment."""
    if not sender.bonds:
        raise Unwritable(f"Nothing binds “{spoken(','.join(sender.logins))}”.")
    return Rules(tuple(rule(book, circles, sender, bond, at) for bond in sender.bonds))


def rule(book: Book, circles: Mapping[str, Circle], sender: Sender, bond: Bond, at: datetime) -> Rule:
    """One bond: the person's own list, the circle's, and its own people."""
    if bond.circle not in circles:
        raise Unwritable(f"“{spoken(bond.circle)}” binds somebody and is not there.")
    circle = circles[bond.circle]
    allowed = [*sender.allowed, *circle.allowed] if bond.listed else []
    return Rule(
        strangers=now(bond, at),
        sentence=bond.sentence,
        always=frozenset(normal(book, [*circle.guardians, *sender.always, *circle.always])),
        blocked=frozenset(normal(book, [*sender.blocked, *circle.blocked])),
        allowed=frozenset(normal(book, [*circle.mailboxes, *allowed])),
    )


def now(bond: Bond, at: datetime) -> str:
    """What happens to strangers at this moment."""
    step = step_at(bond.strangers, at)
    if step not in STRICTEST_FIRST:
        raise Unwritable(f"“{spoken(step)}” is nothing that happens to strangers.")
    return step


def step_at(steps: Iterable[tuple[str, str]], at: datetime) -> str:
    """The step that a moment falls into."""
    try:
        return next(what for end, what in steps if not end or at < datetime.fromisoformat(end))
    except (TypeError, ValueError, StopIteration):
        raise Unwritable(f"“{spoken(steps)}” does not say what happens to strangers.") from None


def normal(book: Book, entries: Iterable[str]) -> Iterator[str]:
    """Entries as they are looked up: one of ours in its home domain and without extension."""
    for entry in entries:
        local, _at, name = address(f"x{entry}" if entry.startswith("@") else entry).rpartition("@")
        local = "" if entry.startswith("@") else local
        home = book.home(name)
        yield f"{local.partition('+')[0]}@{home}" if home else f"{local}@{name}"
