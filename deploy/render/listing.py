"""One person's list, key by key, as it is looked up: the same for letters that go out and that come in. Pure.

In: the `Book`, and `Rules` that say what becomes of an address. Out: `entries`. Nothing is touched or raised.

Who looks an address up does so three times: as it is, an address with an extension as `local+@domain`, and its domain
as `@domain`. So an address outside is exactly itself, one of ours or a blocked one is listed with every extension, and
`@domain` is that domain alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from deploy.render.book import Book
from deploy.render.verdicts import bare

V = TypeVar("V")


class Rules(Protocol[V]):
    """What is said of addresses and domains. Several forms are given where the first that is listed decides."""

    @property
    def usual(self) -> V:
        """The verdict on whom no list names."""

    @property
    def blocked(self) -> V:
        """The verdict on who is blocked."""

    def named(self) -> set[str]:
        """Every entry of every list."""

    def verdict(self, *forms: str) -> V:
        """What is said of somebody."""

    def worst(self, verdicts: Iterable[V]) -> V:
        """The strictest of several."""


def entries(own: "Own", rules: Rules[V]) -> dict[str, V]:
    """A person's list, key -> verdict: what is decided otherwise than of strangers.

    What is decided as of strangers is said only where a later look-up would decide it otherwise.
    """
    named = rules.named()
    found = {**dict(outside(own.book, rules, named)), **dict(inside(own, rules, named))}
    otherwise = {key for key, verdict in found.items() if verdict != rules.usual}
    said = (key for key in found if key in otherwise or not otherwise.isdisjoint(later(key)))
    return {key: found[key] for key in said}


def later(key: str) -> list[str]:
    """What a class looks up after a key: the address with any extension, then its domain."""
    local, _at, name = key.rpartition("@")
    return [f"{local.partition('+')[0]}+@{name}", f"@{name}"] if local else []


def outside(book: Book, rules: Rules[V], named: set[str]) -> Iterator[tuple[str, V]]:
    """Entries that are not of ours. A blocked address is blocked with every extension."""
    for entry in named:
        local, _at, name = entry.rpartition("@")
        if not book.home(name):
            yield entry, rules.verdict(*dict.fromkeys([entry, f"@{name}"]))
            extended = f"{local}+@{name}"
            if local and "+" not in local and rules.verdict(extended) == rules.blocked:
                yield extended, rules.blocked


def inside(own: "Own", rules: Rules[V], named: set[str]) -> Iterator[tuple[str, V]]:
    """Addresses of ours, under every name and extension: each is what the worst of those behind it are."""
    catch_alls = {entry: own.verdict(entry, rules) for entry in own.catch_alls}
    homes = {entry for entry in named if entry.startswith("@")}
    homes |= {entry for entry, verdict in catch_alls.items() if verdict != rules.usual}
    everybody = {one for home in homes for one in own.of.get(home, ())}
    for entry in {*own.leading_to(named), *everybody, *filter(own.takes, named)}:
        verdict = own.verdict(entry, rules)
        for form in own.book.forms(entry):
            yield from ((form, verdict), (form.replace("@", "+@"), verdict))
    for entry, verdict in catch_alls.items():
        yield from ((form, verdict) for form in own.book.forms(entry))


def home_of(address: str) -> str:
    """The entry that means an address's whole domain."""
    return "@" + address.rpartition("@")[2]


class Own:
    """The addresses of ours, and where each leads: the same for everybody."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.catch_alls = [name for name in book.aliases if name.startswith("@")]
        self.aliases = [name for name in book.aliases if not name.startswith("@")]
        self.ends = {name: frozenset(book.ends(name)) for name in book.aliases}
        self.of: dict[str, list[str]] = defaultdict(list)
        for name in (*book.mailboxes, *self.aliases):
            self.of[home_of(name)].append(name)
        self.behind: dict[str, list[str]] = defaultdict(list)
        for name in self.aliases:
            for key in {key for end in (name, *self.ends[name]) for key in (end, bare(end), home_of(end))}:
                self.behind[key].append(name)

    def leading_to(self, named: set[str]) -> set[str]:
        """The aliases of which an entry may say something: of where they lead, or of themselves.

        A host has thousands that lead elsewhere, and a hundred lists.
        """
        return {alias for entry in named for alias in self.behind.get(entry, ())}

    def takes(self, entry: str) -> bool:
        """True for an address of ours that somebody has, if only by a catch-all."""
        local, _at, name = entry.rpartition("@")
        return bool(local and self.book.home(name) and self.book.ends(entry))

    def verdict(self, entry: str, rules: Rules[V]) -> V:
        """The worst of what an address leads to, and of its own name: that can be blocked, but never opens anything."""
        domain = home_of(entry)
        known = entry in self.ends or entry in self.book.mailboxes
        itself = rules.verdict(entry) if known else rules.verdict(entry, domain)  # else a catch-all takes it
        ends = self.ends.get(entry) or self.book.ends(entry)
        found = [rules.verdict(end, home_of(end)) for end in ends]
        return rules.worst([*found, itself] if itself == rules.blocked else found or [rules.usual])
