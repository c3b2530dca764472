"""The words of the rule builder: what is chosen between, for each token of `policies.filters`. Nothing is touched."""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from policies.filters import NOT, OPERATORS, bare

Words = Mapping[str, Promise]

MATCHES: Final[Words] = {"all": _("all of these hold"), "any": _("one of these holds")}
FIELDS: Final[Words] = {
    "from": _("the sender"),
    "subject": _("the subject"),
    "to": _("the To line"),
    "cc": _("the Cc line"),
    "recipient": _("the address it was sent to"),
    "list": _("the mailing list"),
    "body": _("the text"),
    "attachment": _("an attachment"),
    "size": _("the size"),
    "spam": _("the spam filter"),
    "header": _("another line of its head"),
}
OPS: Final[Words] = {
    "contains": _("contains"),
    "is": _("is"),
    "starts": _("begins with"),
    "ends": _("ends with"),
    "domain": _("is from the domain"),
    "exists": _("is there"),
    "over": _("is over"),
    "under": _("is under"),
    "not contains": _("does not contain"),
    "not is": _("is not"),
    "not starts": _("does not begin with"),
    "not ends": _("does not end with"),
    "not domain": _("is not from the domain"),
    "not exists": _("is missing"),
    "not over": _("is not over"),
    "not under": _("is not under"),
}
# Where a part of a letter needs words of its own.
OWN_OPS: Final[Mapping[tuple[str, str], Promise]] = {
    ("to", "is"): _("names"),
    ("to", "not is"): _("does not name"),
    ("to", "domain"): _("names somebody of the domain"),
    ("to", "not domain"): _("names nobody of the domain"),
    ("to", "starts"): _("has an address that begins with"),
    ("to", "not starts"): _("has no address that begins with"),
    ("to", "ends"): _("has an address that ends with"),
    ("to", "not ends"): _("has no address that ends with"),
    ("recipient", "domain"): _("is in the domain"),
    ("recipient", "not domain"): _("is not in the domain"),
    ("attachment", "is"): _("is of the kind"),
    ("attachment", "not is"): _("is never of the kind"),
    ("spam", "exists"): _("says spam"),
    ("spam", "not exists"): _("does not say spam"),
    ("spam", "over"): _("gives more than"),
    ("spam", "under"): _("gives less than"),
    ("spam", "not over"): _("gives at most"),
    ("spam", "not under"): _("gives at least"),
}
LIKE: Final[Mapping[str, str]] = {"cc": "to"}  # speaks as the other one
ATTACHMENTS: Final[Words] = {
    "picture": _("a picture"),
    "pdf": _("a PDF"),
    "document": _("a document"),
    "text": _("plain text"),
    "calendar": _("an invitation"),
    "archive": _("an archive such as zip"),
    "message": _("another letter"),
    "program": _("a program"),
    "opaque": _("something locked, with a password"),
    "other": _("something else"),
}
ACTIONS: Final[Words] = {
    "file": _("file it in"),
    "copy": _("put a copy in"),
    "forward": _("forward it to"),
    "mark-read": _("mark it as read"),
    "flag": _("put a star on it"),
    "discard": _("move it to the Trash"),
    "stop": _("leave it in the inbox; no later rule acts"),
}
# Folders that mail programs know, and what they are called.
USUAL_FOLDERS: Final[Words] = {
    "Archive": _("Archive"),
    "Junk": _("Spam"),
    "Trash": _("Trash"),
}
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
    label: Promise
    fields: str


def said(field: str, op: str) -> Promise:
    """What an operator is called after this field."""
    return OWN_OPS.get((LIKE.get(field, field), op), OPS[op])


def tokens(field: str) -> list[str]:
    """The operators of a field, their not forms after them."""
    return [*OPERATORS[field], *(NOT + op for op in OPERATORS[field])]


def operators(chosen: str) -> list[Op]:
    """Every operator there is, those of the chosen field first, each with the fields that it goes with."""
    found: dict[tuple[str, str], tuple[Promise, list[str]]] = {}
    for field in [chosen, *(name for name in OPERATORS if name != chosen)]:
        for op in tokens(field):
            label = said(field, op)
            found.setdefault((op, str(label)), (label, []))[1].append(field)
    return [Op(op, label, " ".join(fields)) for (op, _text), (label, fields) in found.items()]


def strictness(points: int) -> str:
    """What a number of spam points is called."""
    return str(next(word for most, word in STRICTNESS if points <= most))


def fits(field: str, op: str) -> bool:
    """Whether this field is compared like that."""
    return field in OPERATORS and bare(op) in OPERATORS[field]


def strictness_steps() -> Iterator[tuple[int, str]]:
    """The same for the slider."""
    return ((most, str(word)) for most, word in STRICTNESS)
