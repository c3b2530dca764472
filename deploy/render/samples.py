"""Letters that show what a mailbox's rules do: some that each rule acts on, and some that miss it narrowly. Pure.

In: a `Filter` and the key of its mailbox. Out: `Sample`s, each a letter with the facts that the filter at the door
would have written, and what the rules say of it (`judging`). Nothing is touched.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from deploy.render.facts import PREFIX
from deploy.render.filters import WORDS, kind, negated, phrase, phrase_id
from deploy.render.judging import Judged, Seen, judge
from deploy.snapshot import Condition, Filter, Rule

OTHER: Final = "x"
MOST_MISSES: Final = 10  # of one value
MANY: Final = 50  # rules: of more, so many at a time are asked, since each letter goes through all of them
LONGEST: Final = 1 << 20  # bytes that a sample is filled up to, for rules about the size


@dataclass(frozen=True, slots=True)
class Sample:
    """A letter, the address it was sent to, and what is expected of it. `sentence`: of the rule that it is made for."""

    sentence: str
    letter: bytes
    to: str
    judged: Judged


def parts(filter: Filter) -> list[Filter]:
    """Rules that are asked together: each means the same without those before it, if it is asked at all."""
    return [replace(filter, rules=filter.rules[at : at + MANY]) for at in range(0, len(filter.rules), MANY)]


def ends(filter: Filter, key: str) -> Iterator[Sample]:
    """A few letters for rules that are asked in parts: on the first rule, on the last, and on none."""
    few = [next(around(rule, key, 0)) for rule in (filter.rules[0], filter.rules[-1])]
    yield from expecting(
        filter, key, [(filter.rules[0].sentence, few[0]), (filter.rules[-1].sentence, few[1]), ("", Seen())]
    )


def samples(filter: Filter, key: str, misses: int = MOST_MISSES) -> Iterator[Sample]:
    """A letter for every way in which a rule acts or narrowly does not, each once; and one that nobody thought of."""
    near = ((rule.sentence, one) for rule in filter.rules for one in around(rule, key, misses))
    yield from expecting(filter, key, [*near, ("", Seen())])


def expecting(filter: Filter, key: str, made: list[tuple[str, Seen]]) -> Iterator[Sample]:
    """Letters, each once, with what the rules say of them."""
    known: set[tuple[bytes, str]] = set()
    for sentence, seen in made:
        letter = written(seen)
        if (letter, seen.recipient) not in known:
            known.add((letter, seen.recipient))
            yield Sample(sentence, letter, seen.recipient, judge(filter, replace(seen, size=len(letter)), key))


def around(rule: Rule, key: str, most: int) -> Iterator[Seen]:
    """What a rule acts on, then with one condition after another missed."""
    fit = Seen()
    for one in rule.when:
        fit = showing(fit, one, hit(one), key)
    yield fit
    for one in rule.when:
        alone = showing(Seen(), one, hit(one), key) if rule.match == "any" else fit
        yield alone
        for miss in islice(misses(one), most):
            yield showing(alone, one, miss, key)
        if kind(one.field) == "header" and most > 1:  # another line whose name ends in it
            other = f"header:{OTHER}-{one.field.removeprefix('header:')}"
            yield with_text(showing(alone, one, "", key), other, one.value or OTHER)


def hit(one: Condition) -> str:
    """A text that a condition is true of, in other letters: of a not form, one that it speaks of nothing."""
    other, op = negated(one.op)
    if op == "exists":
        return "" if other else "1"
    return OTHER if other else one.value.swapcase()


def misses(one: Condition) -> Iterator[str]:
    """Texts that miss it by a little, or hold it and more; of a not form, the very text first."""
    other, op = negated(one.op)
    if op == "exists":
        yield "1" if other else ""
    elif one.field in ("size", "spam", "attachment", "body"):
        yield one.value if other else ""
    else:
        yield from ([one.value] if other else [])
        yield from near(one.value)


def near(value: str) -> Iterator[str]:
    """A value with one letter changed, a sign of patterns rather; with something around it; with more changed."""
    first, *rest = sorted(range(len(value)), key=lambda place: value[place].isalnum())
    yield altered(value, first)
    yield from (f"{OTHER}{value}", f"{value}{OTHER}", value.replace(" ", " \t"), OTHER)
    yield from (altered(value, place) for place in rest)


def altered(value: str, place: int) -> str:
    """A value with another letter in one place."""
    return value[:place] + (OTHER if value[place] not in "xX" else "y") + value[place + 1 :]


def showing(seen: Seen, one: Condition, text: str, key: str) -> Seen:
    """A letter that has this text where the condition looks."""
    op = negated(one.op)[1]
    if one.field == "size":
        wanted = int(one.value) + (1 if op == "over" else -1)
        return replace(seen, size=min(wanted if text else int(one.value), LONGEST))
    if one.field == "spam":
        return replace(
            seen, spam=scores(one, op, missed=not text or (one.op in ("not over", "not under") and text != OTHER))
        )
    if one.field == "body":
        found = {phrase_id(key, phrase(one.value))}
        return replace(seen, phrases=seen.phrases | found if text and text != OTHER else seen.phrases - found)
    if one.field == "attachment":
        name = one.value or "picture"
        return replace(seen, attachments=(name,) if text and text != OTHER else ())
    return with_text(seen, one.field, in_address(op, text) if one.field in WORDS and text else text)


def scores(one: Condition, op: str, *, missed: bool) -> tuple[bool, int]:
    """A verdict and a score that a condition is true of, or is not."""
    if op == "exists":
        return (not missed) != one.op.startswith("not "), 0
    limit = 10 * int(one.value)
    return False, limit if (op == "over") != (missed != one.op.startswith("not ")) else limit - 1


def in_address(op: str, text: str) -> str:
    """A text within an address."""
    if op == "domain":
        return f"a@{text}".lower()
    text = text.lower()
    if "@" in text:
        return text
    return {"is": f"{text}@a.example", "ends": f"a@{text}", "starts": f"{text}@a.example"}.get(op, f"a{text}@a.example")


def with_text(seen: Seen, field: str, text: str) -> Seen:
    """A letter with a text in one field."""
    one = (text,) if text else ()
    if kind(field) == "header":
        name = field.removeprefix("header:")
        rest = tuple(line for line in seen.head if line[0] != name)
        return replace(seen, head=(*rest, *((name, part) for part in one)))
    names = {"from": "author", "subject": "subject", "list": "list_id", "recipient": "recipient"}
    if field in names:
        return replace(seen, **{names[field]: text})  # type: ignore[arg-type]
    return replace(seen, to=one) if field == "to" else replace(seen, cc=one)


def written(seen: Seen) -> bytes:
    """The letter as it comes to procmail: the facts, the head, and as many bytes as are asked for."""
    word, tenths = seen.spam
    score = f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"
    facts = {
        "From": f"none {seen.author} -" if seen.author else "malformed",
        "To": " ".join(seen.to) or "none",
        "Cc": " ".join(seen.cc) or "none",
        "List": seen.list_id or "none",
        "Attachments": " ".join(seen.attachments) or "none",
        "Body": " ".join(sorted(seen.phrases)) or "none",
        "Spam": f"{'spam' if word else 'ham'} {score}",
        "Subject": seen.subject or "-",
    }
    lines = [*((PREFIX + name, value) for name, value in facts.items()), *seen.head]
    letter = "".join(f"{name}: {value}\n" for name, value in lines).encode("utf-8", "surrogateescape") + b"\n"
    return letter + filling(seen.size - len(letter))


def filling(count: int) -> bytes:
    """So many bytes of lines."""
    line = b"x" * 77 + b"\n"
    return (line * (count // len(line) + 1))[: max(count - 1, 0)] + b"\n" if count > 0 else b""
