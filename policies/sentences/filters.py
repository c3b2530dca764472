"""A filter rule as one sentence: “When the subject contains “compiti”, file it in “Scuola”.” Pure.

In: `match`, `when` and `then` as `policies.filters` has them, or an action `tag`, which only the spam setting has. Out:
`Said`: each condition is a noun (`FIELDS`), a verb (`VERBS`) and a value, each action a verb (`ACTIONS`) and a value,
in this order, so that a page can make each of them a control. Nothing is touched or raised.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from accounts.rules import gettext_noop as _, shown_address, shown_domain
from policies.filters import ADDRESSES, NOT, bare
from policies.sentences.case import Said

Row = Mapping[str, str]

FIELDS: Final[Mapping[str, str]] = {
    "from": _("the sender"),
    "to": _("the To line"),
    "cc": _("the Cc line"),
    "recipient": _("the address it was sent to"),
    "subject": _("the subject"),
    "list": _("the mailing list"),
    "body": _("the text"),
    "attachment": _("the letter"),
    "size": _("the letter"),
    "spam": _("the letter"),
    "header": _("the line %(name)s"),
}
# In a list of fields to choose from, where these three would all be the letter.
CHOSEN: Final[Mapping[str, str]] = {"attachment": _("an attachment"), "size": _("the size"), "spam": _("spam")}
_TEXT: Final[Mapping[str, str]] = {
    "is": _("is"),
    "not is": _("is not"),
    "contains": _("contains"),
    "not contains": _("does not contain"),
    "starts": _("starts with"),
    "not starts": _("does not start with"),
    "ends": _("ends with"),
    "not ends": _("does not end with"),
    "domain": _("has an address at"),
    "not domain": _("has no address at"),
    "exists": _("is there"),
    "not exists": _("is missing"),
}
_SEVERAL: Final[Mapping[str, str]] = {
    "is": _("names"),
    "not is": _("does not name"),
    "contains": _("has an address that contains"),
    "not contains": _("has no address that contains"),
    "starts": _("has an address that starts with"),
    "not starts": _("has no address that starts with"),
    "ends": _("has an address that ends with"),
    "not ends": _("has no address that ends with"),
    "domain": _("has an address at"),
    "not domain": _("has no address at"),
    "exists": _("is there"),
    "not exists": _("is missing"),
}
VERBS: Final[Mapping[str, Mapping[str, str]]] = {
    "to": _SEVERAL,
    "cc": _SEVERAL,
    "recipient": {**_TEXT, "domain": _("is at"), "not domain": _("is not at")},
    "attachment": {
        "is": _("brings"),
        "not is": _("does not bring"),
        "exists": _("brings an attachment"),
        "not exists": _("brings no attachment"),
    },
    "size": {
        "over": _("is larger than"),
        "not over": _("is not larger than"),
        "under": _("is smaller than"),
        "not under": _("is not smaller than"),
    },
    "spam": {
        "over": _("has a spam score of at least"),
        "not over": _("does not have a spam score of at least"),
        "under": _("has a spam score below"),
        "not under": _("does not have a spam score below"),
        "exists": _("looks like spam"),
        "not exists": _("does not look like spam"),
    },
}
KINDS: Final[Mapping[str, str]] = {
    "archive": _("an archive"),
    "calendar": _("a date for the calendar"),
    "document": _("a document"),
    "message": _("another letter"),
    "opaque": _("an archive that is locked"),
    "other": _("a file of another kind"),
    "pdf": _("a PDF"),
    "picture": _("a picture"),
    "program": _("a program"),
    "text": _("a file of plain text"),
}
ACTIONS: Final[Mapping[str, str]] = {
    "file": _("file it in"),
    "copy": _("put a copy in"),
    "forward": _("forward it to"),
    "mark-read": _("mark it as read"),
    "flag": _("flag it"),
    "discard": _("put it in the Trash"),
    "stop": _("leave it in the inbox and skip the other rules"),
    "tag": _("put before its subject"),
}
SIZES: Final[Mapping[str, str]] = {"": _("%(size)s bytes"), "K": "%(size)s KB", "M": "%(size)s MB", "G": "%(size)s GB"}


def rule(match: str, when: Sequence[Row], then: Sequence[Row]) -> Said:
    """The whole rule."""
    actions = joined([action(row) for row in then], _("%(one)s and %(other)s"))
    if not when:
        return Said(_("With every letter: %(actions)s."), {"actions": actions})
    word = _("%(one)s or %(other)s") if match == "any" else _("%(one)s and %(other)s")
    conditions = joined([condition(row) for row in when], word)
    return Said(_("When %(conditions)s, %(actions)s."), {"conditions": conditions, "actions": actions})


def joined(parts: Sequence[Said], last: str) -> Said:
    """One, two or more of them: a, b and c."""
    found = parts[0]
    for part in parts[1:-1]:
        found = Said(_("%(one)s, %(other)s"), {"one": found, "other": part})
    return Said(last, {"one": found, "other": parts[-1]}) if len(parts) > 1 else found


def condition(row: Row) -> Said:
    """One condition: what is looked at, how, and what for."""
    facts: dict[str, Said | str] = {"field": field(row["field"]), "op": Said(verb(row["field"], row["op"]))}
    said = value(row)
    if said is None:
        return Said(_("%(field)s %(op)s"), facts)
    return Said(_("%(field)s %(op)s %(value)s"), {**facts, "value": said})


def field(name: str) -> Said:
    """What is looked at; a line of the letter's head by its name."""
    kind, _colon, header = name.partition(":")
    return Said(FIELDS[kind], {"name": header.title()} if header else {})


def verb(name: str, op: str) -> str:
    """How it is compared."""
    return VERBS.get(name.partition(":")[0], _TEXT)[op]


def value(row: Row) -> Said | None:
    """What it is compared with; nothing where the verb says all."""
    op, text = bare(row["op"]), row["value"]
    if op == "exists":
        return None
    if row["field"] == "size":
        return Said(SIZES[text.lstrip("0123456789")], {"size": text.rstrip("KMG")})
    if row["field"] == "attachment":
        return Said(KINDS[text])
    if row["field"] == "spam":
        return Said("%(points)s", {"points": text})
    return address(op, text) if row["field"] in ADDRESSES else quoted(text)


def address(op: str, text: str) -> Said:
    """An address or a domain as people write it; a piece of one stands between quotes."""
    if op == "is":
        return Said("%(address)s", {"address": shown_address(text)})
    return Said("%(domain)s", {"domain": shown_domain(text)}) if op == "domain" else quoted(text)


def quoted(text: str) -> Said:
    """Somebody's words."""
    return Said(_("“%(words)s”"), {"words": text})


def action(row: Row) -> Said:
    """One thing that happens: what, and where to."""
    said = Said(ACTIONS[row["action"]])
    if row["action"] == "forward":
        return Said("%(action)s %(to)s", {"action": said, "to": shown_address(row["to"])})
    words = row.get("folder") or row.get("tag")
    return Said("%(action)s %(words)s", {"action": said, "words": quoted(words)}) if words else said


def negated(op: str) -> str:
    """The contrary of an operator."""
    return bare(op) if op.startswith(NOT) else f"{NOT}{op}"
