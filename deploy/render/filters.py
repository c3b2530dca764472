"""A mailbox's filter rules as recipes for procmail.

In: the `Filter` of a mailbox, and the mailbox's key, which hides its phrases. Out: the text of one file, and the
phrases that the filter at the door looks for. Nothing is touched; raises `Unwritable`.

The recipes only decide. They set variables, and the dispatcher, laid down once, does what they say:

| variable | what it holds |
|---|---|
| `FOLDER` | where the letter goes, `.Scuola`; empty for the inbox |
| `COPIES` | where copies go, each with a slash behind it |
| `FORWARD` | whom it is sent on to, each with a blank before it |
| `SEEN`, `FLAGGED` | the letters of the maildir flags `S` and `F` |
| `TAG` | what is put before the subject |
| `AWAY` | `no`: nobody is told that the person is away |
| `DONE` | not empty when no further rule is asked |

`rules.rc`, laid down once too, has put the facts about the letter into variables: what a field is compared with is one
line that the filter at the door wrote, never the head of a stranger. Only `header:NAME` looks there.

How a value is matched (procmailrc(5), "Extended regular expressions"): as a literal without regard to case, a run of
blanks as any run of blanks and tabs. Every pattern begins with something fixed, so that no value is read as an
operator. procmail cuts a blank off the end of a line, so one there is `[ ]`.
"""

import hashlib
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from deploy.render.facts import KINDS
from deploy.render.quoting import (
    Unwritable,
    address,
    bytes_of,
    comment,
    domain,
    folder_key,
    forms,
    header_name,
    literal,
    maildir,
    procmail_word,
    spoken,
    tag,
    whole,
)
from deploy.snapshot import Action, Condition, Filter, Rule

FOLDER: Final = "procmail/rules"
BLANK: Final = "[ \t]"
KEYS: Final = ("spam", "forward")  # of what a mailbox has once
TRASH: Final = "Trash"
LINE: Final = 16_000  # bytes; the dispatcher's LINEBUF is 16,384, and a condition over it would be true of every letter
# Fields that are several words, each between blanks, and those that are one text: with the variable of each.
WORDS: Final[Mapping[str, str]] = {"from": "FROM", "to": "TO", "cc": "CC", "recipient": "TO_WHOM"}
TEXTS: Final[Mapping[str, str]] = {"subject": "SUBJECT", "list": "LIST_ID"}
INSIDE: Final = ("is", "contains", "starts", "ends")
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(WORDS, (*INSIDE, "domain", "exists")),
    "recipient": (*INSIDE, "domain"),
    **dict.fromkeys(TEXTS, (*INSIDE, "exists")),
    "header": (*INSIDE, "exists"),
    "body": ("contains",),
    "size": ("over", "under"),
    "attachment": ("is", "exists"),
    "spam": ("over", "under", "exists"),
}
PLAIN: Final[Mapping[str, str]] = {"mark-read": "SEEN='S'", "flag": "FLAGGED='F'", "stop": "DONE='yes'"}
PLACES: Final = ("file", "discard")  # a rule does one of these at most, and is the last to be asked


def kind(field: str) -> str:
    """`header` for `header:list-id`; every other field is itself."""
    return field.partition(":")[0]


def negated(op: str) -> tuple[bool, str]:
    """Whether an operator is one of the `not` forms, and which."""
    word = op.removeprefix("not ")
    return word != op, word


def phrase_id(key: str, phrase: str) -> str:
    """What the filter at the door calls a phrase of a mailbox: nobody who sees it can guess the phrase."""
    return hashlib.sha256(f"{folder_key(key)} {phrase}".encode()).hexdigest()[:16]


def phrase(value: str) -> str:
    """A phrase as it is looked for: lower case, single blanks."""
    text = unicodedata.normalize("NFC", " ".join(value.lower().split()))
    literal(text)
    return text


def phrases(filter: Filter, key: str) -> dict[str, str]:
    """What the filter at the door looks for in the text of letters to this mailbox, by id."""
    wanted = [phrase(one.value) for rule in filter.rules for one in rule.when if one.field == "body"]
    return {phrase_id(key, text): text for text in wanted}


def permitted(filter: Filter, sends_to: Callable[[str], bool]) -> Filter:
    """The rules without those forwards that the person may not write to any more.

    A rule that did nothing else is gone, and so is one that threw letters away because they were sent on.
    """
    rules = []
    for rule in filter.rules:
        then = tuple(one for one in rule.then if one.action != "forward" or sends_to(one.value))
        acts = {one.action for one in then}
        lost = len(then) < len(rule.then) and "forward" not in acts
        if then and not (lost and "discard" in acts):
            rules.append(replace(rule, then=then))
    return replace(filter, rules=tuple(rules))


def recipes(filter: Filter, key: str) -> str:
    """The rules of a mailbox, then what the collected answers come to."""
    keys = [rule.key for rule in filter.rules]
    if len(set(keys)) != len(keys):
        raise Unwritable(f"Two rules of “{spoken(filter.mailbox)}” have one key.")
    copies, targets = Numbers(filter, "copy"), Numbers(filter, "forward")
    blocks = [block for rule in filter.rules for block in rule_blocks(rule, key, copies, targets)]
    folders = [(number, procmail_word(f"{maildir(name)}/")) for name, number in copies]
    others = [(number, procmail_word(f" {address(name)}")) for name, number in targets]
    blocks += [collected(f"COPY_{number}", f'COPIES="$COPIES"{word}') for number, word in folders]
    blocks += [collected(f"FORWARD_{number}", f'FORWARD="$FORWARD"{word}') for number, word in others]
    return "\n".join([*blocks, "RULES_OK=yes\n"])


class Numbers:
    """The folders or addresses that the rules of a mailbox name by one action, numbered as they first appear."""

    def __init__(self, filter: Filter, action: str) -> None:
        named = (one.value for rule in filter.rules for one in rule.then if one.action == action)
        self.of = {name: number for number, name in enumerate(dict.fromkeys(named), 1)}

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.of.items())


def collected(asked: str, line: str) -> str:
    """One copy or one forward, whichever rules asked for it."""
    return block([f"* {asked} ?? ^^yes^^"], [line])


def block(conditions: Iterable[str], lines: Iterable[str]) -> str:
    """A recipe that sets variables when all conditions hold."""
    return "\n".join([":0", *map(fits, conditions), "{", *(f"  {line}" for line in lines), "}"]) + "\n"


def fits(line: str) -> str:
    """A line that procmail reads whole. Over its buffer it would hold for every letter."""
    if len(line.encode()) > LINE:
        raise Unwritable(f"A condition is longer than procmail reads: “{spoken(line)}”.")
    return line


def rule_blocks(rule: Rule, key: str, copies: Numbers, targets: Numbers) -> Iterator[str]:
    """A rule under its sentence: one recipe, or for `any` one for each condition and then one for the acts."""
    acts = list(act_lines(rule, copies, targets))
    head, conditions = f"# {comment(rule.sentence)}\n", [condition_line(one, key) for one in rule.when]
    if rule.match == "any" and len(conditions) > 1:
        yield head + "HIT=\n" + "".join(block([line], ["HIT='yes'"]) for line in conditions)
        yield block(["* ! DONE ?? .", "* HIT ?? ^^yes^^"], acts)
    elif rule.match in ("all", "any"):
        yield head + block(["* ! DONE ?? .", *conditions], acts)
    else:
        raise Unwritable(f"“{spoken(rule.match)}” is neither all nor any.")


def act_lines(rule: Rule, copies: Numbers, targets: Numbers) -> Iterator[str]:
    """What a rule does, and that it did."""
    if rule.key not in KEYS:
        folder_key(rule.key)
    if not rule.then or sum(one.action in PLACES for one in rule.then) > 1:
        raise Unwritable(f"The rule “{spoken(rule.sentence)}” does nothing, or files a letter twice.")
    yield f'LOG="queue=$QUEUE_ID box=$BOX rule={rule.key}$NL"'
    for one in sorted(rule.then, key=lambda one: one.action in PLACES):  # the place last: it undoes a copy
        yield from act(one, copies, targets)
    if rule.key == "spam":
        yield "AWAY='no'"


def act(one: Action, copies: Numbers, targets: Numbers) -> Iterator[str]:
    """The lines of one action. Who files a letter where a copy would go means one letter."""
    if one.action in PLACES:
        name = one.value if one.action == "file" else TRASH
        yield f"FOLDER={procmail_word(maildir(name))}"
        if name in copies.of:
            yield f"COPY_{copies.of[name]}='no'"
        yield "DONE='yes'"
    elif one.action == "copy":
        yield f"COPY_{copies.of[one.value]}='yes'"
    elif one.action == "forward":
        yield f"FORWARD_{targets.of[one.value]}='yes'"
    elif one.action == "tag":
        yield f"TAG={procmail_word(tag(one.value))}"
    elif one.action in PLAIN:
        yield PLAIN[one.action]
    else:
        raise Unwritable(f"“{spoken(one.action)}” is nothing that a rule does.")


def condition_line(one: Condition, key: str) -> str:
    """One condition."""
    other, op = negated(one.op)
    if op not in OPERATORS.get(kind(one.field), ()):
        raise Unwritable(f"“{spoken(one.field)}” cannot be asked “{spoken(one.op)}”.")
    return f"* {'! ' if other else ''}{asked(one.field, op, one.value, key)}"


def asked(field: str, op: str, value: str, key: str) -> str:
    """What stands behind the star."""
    if op == "exists" and value:
        raise Unwritable(f"“{spoken(value)}” is compared with nothing.")
    if field in WORDS:
        return f"{WORDS[field]} ?? {in_words(op, value)}"
    if field in TEXTS:
        return f"{TEXTS[field]} ?? {in_text(op, value)}"
    if field == "body":
        return f"BODY ?? ^^.* {phrase_id(key, phrase(value))}[ ]"
    if field == "size":
        return f"{'>' if op == 'over' else '<'} {bytes_of(value)}"
    if field == "attachment":
        return f"ATTACHMENTS ?? ^^.* {one_of(value, KINDS)}[ ]" if op == "is" else "ATTACHMENTS ?? ."
    if field == "spam":
        return scored(op, value)
    return in_header(header_name(field.removeprefix("header:")), op, value)


def one_of(value: str, known: Collection[str]) -> str:
    """A word that is known."""
    if value not in known:
        raise Unwritable(f"“{spoken(value)}” is not one of {', '.join(known)}.")
    return value


def in_words(op: str, value: str) -> str:
    """A pattern for words that stand between blanks."""
    if op == "exists":
        return "."
    text = f"@{literal(domain(value))}" if op == "domain" else literal(value, blanks=False)
    begins, ends = " " if op in ("is", "starts") else "", "[ ]" if op in ("is", "ends", "domain") else ""
    return f"^^.*{begins}{text}{ends}"


def in_text(op: str, value: str) -> str:
    """A pattern for a text. The empty group: `^^TO_` and `^^FROM_DAEMON` would hold one of procmail's macros."""
    if op == "exists":
        return "."
    begins, ends = "()" if op in ("is", "starts") else ".*", "^^" if op in ("is", "ends") else ""
    return f"^^{begins}{literal(value)}{ends}"


def in_header(name: str, op: str, value: str) -> str:
    """A pattern for a line of the head; a folded one is one line for procmail."""
    line = f"^{name}{BLANK}*:"
    if op == "exists":
        return line
    begins, ends = f"{BLANK}*" if op in ("is", "starts") else ".*", f"{BLANK}*$" if op in ("is", "ends") else ""
    return f"{line}{begins}{literal(value)}{ends}"


def scored(op: str, value: str) -> str:
    """A pattern for the score, which has one decimal: at least this, or less. `SPAM` is `spam 8.0` or `ham -0.3`."""
    if op == "exists":
        return "SPAM ?? ^^spam"
    floor = whole(value, 1, 50)
    numbers = "|".join(map(str, range(floor, 100) if op == "over" else range(floor)))
    return f"SPAM ?? ^^(sp|h)am {'' if op == 'over' else '(-[0-9]+|'}({numbers}){'' if op == 'over' else ')'}[.]"


def meant(filter: Filter, key: str) -> tuple[Rule, ...]:
    """The rules as `rereading` finds them in the file, for comparison."""
    return tuple(
        replace(
            rule,
            sentence="",
            match="all" if len(rule.when) < 2 else rule.match,
            when=tuple(plainest(replace(one, value=meaning(one, key))) for one in rule.when),
            then=tuple(sorted(placed(rule.then))),
        )
        for rule in filter.rules
    )


def plainest(one: Condition) -> Condition:
    """To be of a domain is to end with it."""
    if negated(one.op)[1] == "domain":
        return replace(one, op=one.op.replace("domain", "ends"), value=f"@{one.value}")
    return one


def placed(then: Iterable[Action]) -> set[Action]:
    """To discard is to file, and to file is to stop."""
    acts = {Action("file", TRASH) if one.action == "discard" else one for one in then}
    return acts - {Action("stop")} if any(one.action == "file" for one in acts) else acts


def meaning(one: Condition, key: str) -> str:
    """What the pattern says of a value: a letter beyond ASCII as the first of its forms, a phrase by its id."""
    if one.field == "body":
        return phrase_id(key, phrase(one.value))
    return "".join(letter if letter.isascii() else forms(letter)[0] for letter in one.value)
