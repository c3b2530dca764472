"""Whom each person may write to, as Postfix's restriction classes. Pure.

In: the `Book`, circles and senders of a snapshot, a moment. Out: all lists in one map, and for each login its value in
`sasl_class` and its sentence. Nothing is touched. Raises `Unwritable`, also when there are more different lists than
classes.

The classes `out_001` … are laid down once in main.cf; each looks a recipient up in its own list, `001=…` in the map
`lists`, three times: as it is, an address with an extension as `local+@domain`, and its domain as `@domain`. So an
address outside is exactly itself, one of ours or a blocked one is listed with every extension, and `@domain` is that
domain alone. What no list decides goes on to the next word of `sasl_class`: `ask_first, permit` holds the whole letter,
`say_no` and `refuse_it` refuse, `permit` sends.

One map, not one for each class: Postfix opens each map it is told of, and gives up when a dozen of them are missing.
A list keeps its number as long as it says the same, wherever it can: a session that begins while a release is switched
may have read half of its maps from the one before.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from deploy.render.book import Book
from deploy.render.listing import Own, entries
from deploy.render.quoting import Unwritable, map_line, refusal
from deploy.render.verdicts import PASS, REFUSE, STRANGER, Rules, rules
from deploy.snapshot import Circle, Sender

POOL: Final = 128  # restriction classes in main.cf
BLOCKED: Final = "5.7.1 This address is blocked in your list."
ASLEEP: Final = "Your mail sleeps until {}: until then you may write only to those whom you can always write to."
Entries = dict[str, str]
Content = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Senders:
    """The lists, and for each login that is bound its words and, where a stranger is refused, its sentence.

    `asleep`: for each login that sleeps the hour of opening and whom it may write to until then, as in a list.
    """

    lists: Entries
    words: dict[str, str]
    sentences: dict[str, str]
    asleep: dict[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What everybody with the same bonds and entries gets."""

    content: Content
    action: str
    sentence: str


def senders(
    book: Book, circles: Iterable[Circle], bound: Iterable[Sender], at: datetime, sleeping: Mapping[str, str]
) -> Senders:
    """Everybody's list at this moment, each different one once. `sleeping`: the logins that do, with their hours."""
    by_name, own = {circle.name: circle for circle in circles}, Own(book)
    plans: dict[tuple[Sender, str], Plan] = {}
    plan_of: dict[str, Plan] = {}
    for sender in bound:
        opens = next((sleeping[login] for login in sender.logins if login in sleeping), "")
        key = replace(sender, logins=()), opens
        if key not in plans:
            said = rules(book, by_name, sender, at)
            plans[key] = plan(own, until_morning(said, ASLEEP.format(opens)) if opens else said)
        plan_of.update(dict.fromkeys(sender.logins, plans[key]))
    names = numbered({one.content for one in plans.values() if one.content})
    return Senders(
        {f"{name[-3:]}={key}": value for content, name in names.items() for key, value in content},
        {login: ", ".join(filter(None, [names.get(one.content), one.action])) for login, one in plan_of.items()},
        {login: refusal(f"5.7.1 {one.sentence}") for login, one in plan_of.items() if one.sentence},
        {login: " ".join([sleeping[login], *open_to(one)]) for login, one in plan_of.items() if login in sleeping},
    )


def until_morning(said: Rules, sentence: str) -> Rules:
    """What binds somebody who sleeps: whom she can always write to is all that is left of her lists."""
    return Rules(tuple(replace(one, strangers="refuse", sentence=sentence, allowed=frozenset()) for one in said.rules))


def plan(own: Own, rules: Rules) -> Plan:
    """The list, what happens behind it, and what a refused sender is told."""
    listed = {key: value(rules, verdict) for key, verdict in entries(own, rules).items()}
    return Plan(tuple(sorted(listed.items())), action(rules), rules.sentence)


def open_to(plan: Plan) -> list[str]:
    """Whom a list lets a letter go to."""
    return [key for key, value in plan.content if value == "permit"]


def action(rules: Rules) -> str:
    """The words of `sasl_class` behind the list."""
    refused = "say_no" if rules.sentence else "refuse_it"
    return {"refuse": refused, "ask": "ask_first, permit", "anyone": "permit"}[rules.strangers]


def value(rules: Rules, verdict: int) -> str:
    """What a list says of an entry."""
    return {PASS: "permit", STRANGER: action(rules), REFUSE: refusal(BLOCKED)}[verdict]


def numbered(lists: set[Content]) -> dict[Content, str]:
    """A class for each list: the one its digest points at, or the next that is free."""
    if len(lists) > POOL:
        raise Unwritable(f"There are {len(lists)} different lists of whom people may write to: at most {POOL}.")
    names: dict[Content, str] = {}
    for mark, content in sorted((digest(content), content) for content in lists):
        wanted = (f"out_{(mark + step) % POOL + 1:03}" for step in range(POOL))
        taken = set(names.values())
        names[content] = next(name for name in wanted if name not in taken)
    return names


def digest(content: Content) -> int:
    """A number that is the same for the same list."""
    text = "".join(map_line(key, value) for key, value in content)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
