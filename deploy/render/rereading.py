"""Reads a file of filter rules back into rules, strictly: the second opinion on what `filters` wrote.

In: the text of a file after its header. Out: `Rule`s without their sentences; a phrase by its id. Nothing is touched,
and no pattern is shared with the writer. Raises `Misread` when a line has a shape that we never write, so that nothing
but a rule can stand in such a file: no delivery, no program, no other variable.
"""

import re
from collections.abc import Mapping
from typing import Final

from deploy.render.reading import Misread, from_utf7, read_word
from deploy.snapshot import Action, Condition, Rule

LOG: Final = r'  LOG="queue=\$QUEUE_ID box=\$BOX rule=([0-9a-f]{16}|spam|forward)\$NL"\n'
ACTS: Final = r"\{\n" + LOG + r"((?:  [A-Z_0-9]+='[^\n]*'\n)+)\}\n\n"
ALL: Final = re.compile(r"# [^\n]*\n:0\n\* ! DONE \?\? \.\n((?:\* [^\n]+\n)*)" + ACTS)
ANY: Final = re.compile(
    r"# [^\n]*\nHIT=\n((?::0\n\* [^\n]+\n\{\n  HIT='yes'\n\}\n){2,})\n"
    r":0\n\* ! DONE \?\? \.\n\* HIT \?\? \^\^yes\^\^\n" + ACTS
)
COLLECTED: Final = re.compile(
    r":0\n\* (?:COPY_(\d+) \?\? \^\^yes\^\^\n\{\n  COPIES=\"\$COPIES\"(\S[^\n]*)|"
    r"FORWARD_(\d+) \?\? \^\^yes\^\^\n\{\n  FORWARD=\"\$FORWARD\"(\S[^\n]*))\n\}\n\n"
)
LITERAL: Final = (
    r"((?:\\[()|*+?.^$\[\\]|\[ \t\]\+|\((?:[^\x00-\x7f]\|){0,2}[^\x00-\x7f]\)|[^\\()|*+?.^$\[\s\x80-\U0010ffff])+)\(\)"
)
PIECE: Final = re.compile(r"\\(.)|(\[ \t\]\+)|\(([^|)])[^)]*\)|(.)")
# What stands behind the star, and the field, operator and value that it means; {} is the value.
SHAPES: Final = (
    tuple(
        (re.compile(rf"\* (! )?{pattern}"), field, op)
        for field, variable in (("from", "FROM"), ("to", "TO"), ("cc", "CC"), ("recipient", "TO_WHOM"))
        for pattern, op in (
            (rf"{variable} \?\? \^\^\.\* {LITERAL}\[ \]", "is"),
            (rf"{variable} \?\? \^\^\.\*{LITERAL}", "contains"),
            (rf"{variable} \?\? \^\^\.\* {LITERAL}", "starts"),
            (rf"{variable} \?\? \^\^\.\*{LITERAL}\[ \]", "ends"),
            (rf"{variable} \?\? (\.)", "exists"),
        )
    )
    + tuple(
        (re.compile(rf"\* (! )?{pattern}"), field, op)
        for field, variable in (("subject", "SUBJECT"), ("list", "LIST_ID"))
        for pattern, op in (
            (rf"{variable} \?\? \^\^\(\){LITERAL}\^\^", "is"),
            (rf"{variable} \?\? \^\^\.\*{LITERAL}", "contains"),
            (rf"{variable} \?\? \^\^\(\){LITERAL}", "starts"),
            (rf"{variable} \?\? \^\^\.\*{LITERAL}\^\^", "ends"),
            (rf"{variable} \?\? (\.)", "exists"),
        )
    )
    + (
        (re.compile(r"\* (! )?BODY \?\? \^\^\.\* ([0-9a-f]{16})\[ \]"), "body", "contains"),
        (re.compile(r"\* (! )?> ([0-9]+)"), "size", "over"),
        (re.compile(r"\* (! )?< ([0-9]+)"), "size", "under"),
        (re.compile(r"\* (! )?ATTACHMENTS \?\? \^\^\.\* ([a-z]+)\[ \]"), "attachment", "is"),
        (re.compile(r"\* (! )?ATTACHMENTS \?\? (\.)"), "attachment", "exists"),
        (re.compile(r"\* (! )?SPAM \?\? \^\^\(sp\|h\)am \(([0-9|]+)\)\[\.\]"), "spam", "over"),
        (re.compile(r"\* (! )?SPAM \?\? \^\^\(sp\|h\)am \(-\[0-9\]\+\|\(([0-9|]+)\)\)\[\.\]"), "spam", "under"),
        (re.compile(r"\* (! )?SPAM \?\? \^\^spam()"), "spam", "exists"),
    )
)
BLANKS: Final = r"\[ \t\]\*"
IN_HEADER: Final = tuple(
    (re.compile(rf"\* (! )?\^([a-z0-9-]+){BLANKS}:{pattern}"), op)
    for pattern, op in (
        (rf"{BLANKS}{LITERAL}{BLANKS}\$", "is"),
        (rf"\.\*{LITERAL}{BLANKS}\$", "ends"),
        (rf"{BLANKS}{LITERAL}", "starts"),
        (rf"\.\*{LITERAL}", "contains"),
        ("()", "exists"),
    )
)
PLAIN: Final = {"SEEN='S'": "mark-read", "FLAGGED='F'": "flag", "DONE='yes'": "stop"}


def read_rules(text: str) -> tuple[Rule, ...]:
    """The rules of a file that is whole."""
    raw: list[tuple[str, str, list[str], list[str]]] = []
    numbers: dict[tuple[str, str], str] = {}
    at = 0
    while found := next((m for pattern in (ALL, ANY, COLLECTED) if (m := pattern.match(text, at))), None):
        at = found.end()
        if found.re is COLLECTED:
            copy, folder, forward, to = found.groups()
            numbers[("COPY", copy) if copy else ("FORWARD", forward)] = folder_of(folder) if copy else address_of(to)
        elif numbers:
            raise Misread("A rule stands behind the end of the rules.")
        else:
            match, lines = "all" if found.re is ALL else "any", re.findall(r"^\*.*", found[1], re.MULTILINE)
            raw.append((found[2], match, lines, found[3].removesuffix("\n").split("\n")))
    if text[at:] != "RULES_OK=yes\n":
        raise Misread(f"A line is none of a rule: {text[at : at + 60]!a}.")
    return tuple(
        Rule(key, "", match, tuple(map(condition, when)), actions(key, then, numbers)) for key, match, when, then in raw
    )


def word(text: str, what: str) -> str:
    """A quoted word that has to end so."""
    value = read_word(text)
    if not value.endswith(what):
        raise Misread(f"A word of a rule is cut off: {value[:60]!a}.")
    return value.removesuffix(what)


def folder_of(text: str) -> str:
    """A folder out of the list of copies."""
    return levels(word(text, "/"))


def levels(name: str) -> str:
    """A folder as people write it."""
    if not name.startswith(".") or "/" in name:
        raise Misread(f"A folder is not one of a mailbox: {name[:60]!a}.")
    return "/".join(map(from_utf7, name[1:].split(".")))


def address_of(text: str) -> str:
    """An address out of the list of forwards."""
    value = read_word(text)
    if not re.fullmatch(r" [!-~]+@[a-z0-9.-]+", value) or value.startswith(" -"):
        raise Misread(f"A rule sends letters on to what is no address: {value[:60]!a}.")
    return value[1:]


def actions(key: str, lines: list[str], numbers: Mapping[tuple[str, str], str]) -> tuple[Action, ...]:
    """What the lines of a rule do: the place of a letter last, with all that goes along with it, in this order."""
    folder = next((levels(read_word(line[9:])) for line in lines if line.startswith("  FOLDER=")), "")
    place = [line for line in lines if line.startswith("  FOLDER=")]
    copies = [f"  {kind}_{number}='no'" for (kind, number), name in numbers.items() if (kind, name) == ("COPY", folder)]
    along = [*place, *copies, "  DONE='yes'"] if place else []
    along += ["  AWAY='no'"] if key == "spam" else []
    found = [act(line.removeprefix("  "), numbers) for line in lines[: len(lines) - len(along)]]
    if len(place) > 1 or lines[len(found) :] != along:
        raise Misread(f"A rule files a letter as no rule does: {lines[-1][:60]!a}.")
    # Who files and stops files.
    found = [one for one in found if one.action != "stop"] + [Action("file", folder)] if place else found
    return tuple(sorted(set(found)))


def act(line: str, numbers: Mapping[tuple[str, str], str]) -> Action:
    """What one line does."""
    name, _equals, value = line.partition("=")
    kind, _line, number = name.partition("_")
    if line in PLAIN:
        return Action(PLAIN[line])
    if name == "TAG":
        return Action("tag", read_word(value))
    if (kind, number) in numbers and value == "'yes'":
        return Action(kind.lower(), numbers[kind, number])
    raise Misread(f"A rule does what no rule does: {line[:60]!a}.")


def condition(line: str) -> Condition:
    """What one line asks."""
    for pattern, field, op in SHAPES:
        if found := pattern.fullmatch(line):
            return Condition(field, negated(found[1], op), value_of(field, op, found[2]))
    for pattern, op in IN_HEADER:
        if found := pattern.fullmatch(line):
            return Condition(f"header:{found[2]}", negated(found[1], op), meaning(found[3]))
    raise Misread(f"A condition is of no known shape: {line[:60]!a}.")


def negated(other: str | None, op: str) -> str:
    """The operator, with its not."""
    return f"not {op}" if other else op


def value_of(field: str, op: str, text: str) -> str:
    """The value of a condition out of its pattern."""
    if op == "exists":
        return ""
    if field in ("size", "body", "attachment"):
        return text
    if field == "spam":
        return numbers_of(text, op)
    return meaning(text)


def numbers_of(text: str, op: str) -> str:
    """The limit out of the numbers on one side of it."""
    numbers = [int(one) for one in text.split("|")]
    wanted = range(numbers[0], 100) if op == "over" else range(numbers[-1] + 1)
    if text != "|".join(map(str, wanted)):
        raise Misread("A limit of spam leaves numbers out.")
    return str(numbers[0] if op == "over" else numbers[-1] + 1)


def meaning(text: str) -> str:
    """The text that a literal means; of letters that are written in two cases the first."""
    return PIECE.sub(lambda found: " " if found[2] else found[1] or found[3] or found[4], text)
