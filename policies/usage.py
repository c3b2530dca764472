"""What a version of an acceptable-use policy may hold, and how two lists of its rules differ. Pure.

A policy is free text around paragraphs about rules. A paragraph is one subject, `about`, with its title and lines: a
sentence for each key, and the key says which rule the sentence claims. Two sentences with the same key claim the same,
whatever their words; so where a sentence is only put better, nothing differs.

In: values. Out: their normal form, or the differences. Nothing is touched. Raises `accounts.rules.Refused`.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypedDict

from accounts.rules import LANGUAGES, Refused, gettext_noop as _, line, spoken

MOST_PARAGRAPHS: Final = 40
LONGEST_LINE: Final = 600
NOT_RULES: Final = _("The rules of a version are what “dump” writes: paragraphs for each language.")


class Paragraph(TypedDict):
    """What is said of one subject. `lines`: key -> sentence."""

    about: str
    title: str
    lines: dict[str, str]


def number(value: object) -> int:
    """The number of a version: 1 and up."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 1_000_000:
        raise Refused(_("“%(value)s” is not the number of a version: write 1, 2, 3."), value=spoken(value))
    return value


def moment(value: object) -> datetime:
    """A moment that knows its time zone, in UTC."""
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise Refused(_("“%(value)s” is not a moment: write it like 2026-12-24T18:00:00Z."), value=spoken(value))
    return value.astimezone(UTC)


def generated(value: object) -> dict[str, list[Paragraph]]:
    """The paragraphs about rules in each language."""
    if not isinstance(value, dict) or not value.keys() <= set(LANGUAGES):
        raise Refused(NOT_RULES)
    return {language: paragraphs(found) for language, found in value.items()}


def paragraphs(value: object) -> list[Paragraph]:
    """The paragraphs in one language."""
    if not isinstance(value, list) or len(value) > MOST_PARAGRAPHS:
        raise Refused(NOT_RULES)
    return [paragraph(one) for one in value]


def paragraph(value: Any) -> Paragraph:
    """One paragraph."""
    if not isinstance(value, dict) or value.keys() != Paragraph.__required_keys__ or not is_lines(value["lines"]):
        raise Refused(NOT_RULES)
    lines = {line(key, 60): line(said, LONGEST_LINE) for key, said in value["lines"].items()}
    return {"about": line(value["about"], 60), "title": line(value["title"]), "lines": lines}


def is_lines(value: object) -> bool:
    """True for a table of few sentences."""
    return isinstance(value, dict) and len(value) <= MOST_PARAGRAPHS


def beyond(some: Iterable[Paragraph], others: Sequence[Paragraph]) -> list[Paragraph]:
    """What some paragraphs claim and the others do not; a paragraph with nothing left is left away."""
    known = {(one["about"], key) for one in others for key in one["lines"]}
    rest = [
        one | {"lines": {key: said for key, said in one["lines"].items() if (one["about"], key) not in known}}
        for one in some
    ]
    return [one for one in rest if one["lines"]]


def claims(found: Iterable[Paragraph]) -> set[tuple[str, str]]:
    """Everything that paragraphs claim, without words."""
    return {(one["about"], key) for one in found for key in one["lines"]}
