"""What a mailbox's filter rules say of a letter: the plain meaning, without procmail. Pure.

In: a `Filter`, what is `Seen` of a letter, the key of the mailbox. Out: a `Judged`. Nothing is touched.

This is the second opinion on `filters`, written from the meaning of the rules alone: it shares no pattern with it.
Before a release goes live, and in the tests, real procmail has to come to the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deploy.render.filters import PLACES, TRASH, phrase, phrase_id
from deploy.snapshot import Condition, Filter, Rule


@dataclass(frozen=True, slots=True)
class Seen:
    """What rules ask about. `recipient`: as the sender wrote it. `head`: every line, name and value, unfolded.

    `phrases`: ids of what the filter at the door found in the text. `size`: bytes. `spam`: word and score in tenths.
    """

    author: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    recipient: str = ""
    subject: str = ""
    list_id: str = ""
    head: tuple[tuple[str, str], ...] = ()
    phrases: frozenset[str] = frozenset()
    size: int = 0
    attachments: tuple[str, ...] = ()
    spam: tuple[bool, int] = (False, 0)


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of a letter. `folder`: empty for the inbox. `acted`: the keys of the rules that did something."""

    folder: str = ""
    copies: tuple[str, ...] = ()
    forwards: tuple[str, ...] = ()
    seen: bool = False
    flagged: bool = False
    tag: str = ""
    acted: tuple[str, ...] = ()


def judge(filter: Filter, letter: Seen, key: str) -> Judged:
    """Ask every rule in order, until one says that it is enough."""
    acted = list(acting(filter.rules, letter, key))
    acts = [one for rule in acted for one in rule.then]
    named = {kind: {one.value for one in acts if one.action == kind} for kind in ("copy", "forward")}
    folder = next((TRASH if one.action == "discard" else one.value for one in acts if one.action in PLACES), "")
    return Judged(
        folder=folder,
        copies=tuple(one for one in ever(filter, "copy") if one in named["copy"] and one != folder),
        forwards=tuple(one for one in ever(filter, "forward") if one in named["forward"]),
        seen=any(one.action == "mark-read" for one in acts),
        flagged=any(one.action == "flag" for one in acts),
        tag=next((one.value for one in reversed(acts) if one.action == "tag"), ""),
        acted=tuple(rule.key for rule in acted),
    )


def acting(rules: Iterable[Rule], letter: Seen, key: str) -> Iterable[Rule]:
    """The rules that act."""
    for rule in rules:
        found = [holds(one, letter, key) for one in rule.when]
        if all(found) if rule.match == "all" or not found else any(found):
            yield rule
            if any(one.action in (*PLACES, "stop") for one in rule.then):
                return


def ever(filter: Filter, action: str) -> list[str]:
    """What any rule names by an action, each once."""
    return list(dict.fromkeys(one.value for rule in filter.rules for one in rule.then if one.action == action))


def holds(one: Condition, letter: Seen, key: str) -> bool:
    """Whether a condition is true of a letter."""
    word = one.op.removeprefix("not ")
    return plainly(one.field, word, one.value, letter, key) != (word != one.op)


def plainly(field: str, op: str, value: str, letter: Seen, key: str) -> bool:
    """The same, without the not."""
    if field == "size":
        return letter.size > int(value) if op == "over" else letter.size < int(value)
    if field == "spam":
        counts, tenths = letter.spam
        return counts if op == "exists" else (tenths >= 10 * int(value)) == (op == "over")
    if field == "body":
        return phrase_id(key, phrase(value)) in letter.phrases
    if field == "attachment":
        return bool(letter.attachments) if op == "exists" else value in letter.attachments
    return any(compares(op, value, text) for text in texts(field, letter))


def texts(field: str, letter: Seen) -> Sequence[str]:
    """What a field is compared with; nothing where the letter has none."""
    if field.startswith("header:"):
        name = field.removeprefix("header:")
        return [value for known, value in letter.head if known.lower() == name]
    if field in ("to", "cc"):
        return letter.to if field == "to" else letter.cc
    one = {"from": letter.author, "recipient": letter.recipient, "subject": letter.subject, "list": letter.list_id}[
        field
    ]
    return [one] if one else []


def compares(op: str, value: str, text: str) -> bool:
    """Whether a text is, contains, starts or ends with a value, or is of a domain."""
    if op == "exists":
        return True
    wanted, found = letters("@" + value if op == "domain" else value), letters(text)
    starts = range(len(found) - len(wanted) + 1)
    places = [start for start in starts if all(map(same, wanted, found[start:]))]
    if op == "is":
        return len(wanted) == len(found) and 0 in places
    if op == "starts":
        return 0 in places
    if op == "contains":
        return bool(places)
    return len(found) - len(wanted) in places


def letters(text: str) -> str:
    """A text with its blanks as they count: each run of them one, none at either end."""
    return " ".join(part for part in text.replace("\t", " ").split(" ") if part)


def same(wanted: str, found: str) -> bool:
    """Whether two letters are one, but for their case."""
    return found in (wanted, wanted.lower(), wanted.upper()) and wanted.isascii() == found.isascii()
