"""The words of the rule builder: what is chosen between, for each token of `policies.filters`.

In: tokens. Out: labels in the reader's language. Nothing is touched. Most are the words of the sentences; where the one
that is chosen last would not fit the one before it, they are this page's own.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

from policies.filters import ACTIONS, ATTACHMENTS, NOT, OPERATORS, bare
from policies.sentences import filters as sentences

Words = Mapping[str, Promise]
Choices = list[tuple[str, str]]

MATCHES: Final[Words] = {"all": _("all of these hold"), "any": _("one of these holds")}
OWN_FIELDS: Final[Words] = {
    "attachment": _("an attachment"),
    "size": _("the size"),
    "spam": _("the spam filter"),
    "header": _("a line of its head"),
}
OWN_VERBS: Final[Mapping[str, Words]] = {
    "attachment": {
        "exists": _("is there"),
        "not exists": _("is missing"),
        "is": _("is of the kind"),
        "not is": _("is never of the kind"),
    },
    "size": {
        "over": _("is over"),
        "under": _("is under"),
        "not over": _("is not over"),
        "not under": _("is not under"),
    },
    "spam": {
        "exists": _("says spam"),
        "not exists": _("does not say spam"),
        "over": _("gives more than"),
        "under": _("gives less than"),
        "not over": _("gives at most"),
        "not under": _("gives at least"),
    },
}
USUAL_FOLDERS: Final = ("Archive", "Junk", "Trash")  # that mail programs know
# How many spam points, up to which they are called so.
STRICTNESS: Final = (
    (3, _("very strict: letters that somebody wants may go there, too")),
    (5, _("strict")),
    (8, _("usual")),
    (14, _("lenient")),
    (50, _("very lenient: only what is certainly spam")),
)


class Op(NamedTuple):
    """A word between field and value. `fields`: where it is said like that, in a row."""

    token: str
    label: str
    fields: str


def fields() -> Choices:
    """What can be looked at, the most usual first."""
    return [(name, str(OWN_FIELDS.get(name) or gettext(sentences.FIELDS[name]))) for name in OPERATORS]


def attachments() -> Choices:
    """The kinds of attachments."""
    return [(name, gettext(sentences.KINDS[name])) for name in ATTACHMENTS]


def actions() -> Choices:
    """What can happen to a letter."""
    return [(name, gettext(sentences.ACTIONS[name])) for name in ACTIONS]


def said(field: str, op: str) -> str:
    """What an operator is called after this field."""
    own = OWN_VERBS.get(field)
    return str(own[op]) if own else gettext(sentences.verb(field, op))


def tokens(field: str) -> list[str]:
    """The operators of a field, their not forms after them."""
    return [*OPERATORS[field], *(NOT + op for op in OPERATORS[field])]


def operators(chosen: str) -> list[Op]:
    """Every operator there is, those of the chosen field first, each with the fields that it goes with."""
    found: dict[tuple[str, str], list[str]] = {}
    for field in sorted(OPERATORS, key=lambda name: name != chosen):
        for op in tokens(field):
            found.setdefault((op, said(field, op)), []).append(field)
    return [Op(op, label, " ".join(names)) for (op, label), names in found.items()]


def fits(field: str, op: str) -> bool:
    """Whether this field is compared like that."""
    return field in OPERATORS and bare(op) in OPERATORS[field]


def strictness(points: int) -> str:
    """What a number of spam points is called."""
    return str(next(word for most, word in STRICTNESS if points <= most))


def strictness_steps() -> Iterator[tuple[int, str]]:
    """The same for the slider."""
    return ((most, str(word)) for most, word in STRICTNESS)
