"""What is said of those who write to one person, at a moment. Pure.

In: the `Book`, circles and a screen of a snapshot, a moment. Out: `Gates`, which give a `Pass` for an address: what a
letter must show to be let in. Nothing is touched; raises `Unwritable`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Final

from deploy.render.book import Book
from deploy.render.quoting import Unwritable, evidence, spoken
from deploy.render.verdicts import bare, normal, step_at
from deploy.snapshot import Circle, Entry, Gate, Screen

# What a letter has to show, strictest first; the words of a list. Nobody who is blocked or a stranger shows enough.
WORDS: Final = ("blocked", "stranger", "login", "proven", "pinned", "unproven", "anyone")
STRANGERS: Final = {"hold": "stranger", "proven": "proven", "anyone": "anyone"}  # strictest first
KINDS: Final = ("always", "blocked", "allowed")  # of one form, the first that is listed decides


@dataclass(frozen=True, slots=True)
class Pass:
    """What somebody's letter has to show: one of `WORDS`, with the `evidence` of who is pinned.

    `always`: it is let in at any hour and whatever it holds. `listed`: some list names him.
    """

    word: str
    evidence: str = ""
    always: bool = False
    listed: bool = False

    def __or__(self, other: "Pass") -> "Pass":
        """What has to be shown where both are asked for. Two different pieces of evidence are asked for as proof."""
        first, second = sorted((self, other), key=lambda one: WORDS.index(one.word))
        split = first.word == second.word == "pinned" and first.evidence != second.evidence
        always = all(one.always for one in (self, other) if one.listed) and (self.listed or other.listed)
        return Pass(
            "proven" if split else first.word, "" if split else first.evidence, always, self.listed or other.listed
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What one gate says at a moment. `lists`: by kind, entries and what they ask for."""

    strangers: str
    careful: bool
    lists: Mapping[str, Mapping[str, Pass]]

    def verdict(self, *forms: str) -> Pass:
        """Of somebody: the first form that is listed decides. Who is blocked is blocked with every extension."""
        for form in forms:
            for kind in KINDS:
                if found := self.lists[kind].get(form):
                    return found
                if kind == "blocked" and bare(form) in self.lists[kind]:
                    return Pass("blocked", listed=True)
        return Pass(STRANGERS[self.strangers])


@dataclass(frozen=True, slots=True)
class Gates:
    """What all gates of a mailbox say at a moment."""

    said: tuple[Said, ...]

    @property
    def usual(self) -> Pass:
        """What strangers have to show."""
        return self.worst(one.verdict() for one in self.said)

    @property
    def blocked(self) -> Pass:
        """Who is blocked."""
        return Pass("blocked", listed=True)

    @property
    def careful(self) -> bool:
        """True while a letter whose answers would go elsewhere is held."""
        return any(one.careful and one.strangers == "hold" for one in self.said)

    def named(self) -> set[str]:
        """Every entry of every list."""
        return set().union(*(entries for one in self.said for entries in one.lists.values()))

    def verdict(self, *forms: str) -> Pass:
        """What is asked of somebody by all gates together."""
        return self.worst(one.verdict(*forms) for one in self.said)

    def worst(self, verdicts: Iterable[Pass]) -> Pass:
        """What has to be shown where all of these are asked for."""
        return reduce(Pass.__or__, verdicts)


def gates(book: Book, circles: Mapping[str, Circle], screen: Screen, at: datetime) -> Gates:
    """What stands before a mailbox at this moment."""
    if not screen.gates:
        raise Unwritable(f"Nothing looks at the letters to “{spoken(screen.mailbox)}”.")
    return Gates(tuple(said(book, circles, gate, at) for gate in screen.gates))


def said(book: Book, circles: Mapping[str, Circle], gate: Gate, at: datetime) -> Said:
    """One gate: the person's own list, the circle's, and its own people."""
    if gate.circle not in circles:
        raise Unwritable(f"“{spoken(gate.circle)}” looks at letters and is not there.")
    circle, strangers = circles[gate.circle], step_at(gate.strangers, at)
    if strangers not in STRANGERS:
        raise Unwritable(f"“{spoken(strangers)}” is nothing that happens to letters of strangers.")
    own = [Entry(one, "always") for one in circle.guardians] + [Entry(one, "allowed") for one in circle.mailboxes]
    listed = [row for row in (*gate.entries, *circle.entries) if gate.listed or row.kind != "allowed"]
    lists: dict[str, dict[str, Pass]] = {kind: {} for kind in KINDS}
    for row in (*own, *listed):
        if row.kind not in lists:
            raise Unwritable(f"“{spoken(row.kind)}” is no kind of an entry.")
        for form, asked in asks(book, row):
            known = lists[row.kind].get(form)
            lists[row.kind][form] = known | asked if known else asked
    return Said(strangers, gate.careful, lists)


def asks(book: Book, row: Entry) -> Iterator[tuple[str, Pass]]:
    """The form an entry is looked up in, and what a letter of this sender has to show. Our own people sign in."""
    if row.assurance not in WORDS[3:6]:
        raise Unwritable(f"“{spoken(row.assurance)}” is nothing that a letter shows.")
    for form in normal(book, [row.address]):
        always = row.kind == "always"
        if row.kind == "blocked":
            yield form, Pass("blocked", listed=True)
        elif book.home(form.rpartition("@")[2]):
            yield form, Pass("login", always=always, listed=True)
        elif row.assurance == "pinned" and row.evidence:
            yield form, Pass("pinned", evidence(row.evidence), always, listed=True)
        else:
            word = "proven" if row.assurance == "pinned" else row.assurance
            yield form, Pass(word, "", always, listed=True)
