"""The audit log in words. In: entries as somebody may see them. Out: text in the reader's language. Nothing is touched.

Names of fields are those of the models; one that is there no more keeps the name it had.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy

from policies.auditing import Seen

LONGEST: Final = 400  # characters of a value on the page; the files have all of it
APPS: Final = ("accounts", "domains", "policies")
KINDS: Final[dict[str, Promise]] = {
    "user": gettext_lazy("a person"),
    "membership": gettext_lazy("what somebody is here"),
    "community": gettext_lazy("a family or a business"),
    "domain": gettext_lazy("a domain"),
    "mailbox": gettext_lazy("a mailbox"),
    "mailboxperson": gettext_lazy("whose a mailbox is"),
    "alias": gettext_lazy("an alias"),
    "contact": gettext_lazy("a list entry"),
    "answer": gettext_lazy("an answer to what waited"),
    "filterrule": gettext_lazy("a filter rule"),
    "vacation": gettext_lazy("an answer while away"),
    "spam": gettext_lazy("a spam setting"),
    "forwarding": gettext_lazy("a forwarding"),
    "usagepolicy": gettext_lazy("house rules"),
    "acknowledgement": gettext_lazy("who has read house rules"),
    "act": gettext_lazy("something done on the mail host"),
}
DOORS: Final[dict[str, Promise]] = {
    "page": gettext_lazy("on a page"),
    "load": gettext_lazy("with a household file"),
    "setup": gettext_lazy("on the first page"),
    "queue": gettext_lazy("in the queue"),
    "drift": gettext_lazy("among files changed by hand"),
}
# What a field without a name of its own is called, or one whose name is also a word to count with.
FIELDS: Final[dict[str, Promise]] = {
    "by": gettext_lazy("written by"),
    "choice": gettext_lazy("the answer"),
    "community": gettext_lazy("family or business"),
    "domain": gettext_lazy("the domain"),
    "key": gettext_lazy("internal name"),
    "mailbox": gettext_lazy("the mailbox"),
    "person": gettext_lazy("the person"),
    "policy": gettext_lazy("house rules"),
    "position": gettext_lazy("place in the order"),
    "question": gettext_lazy("the question"),
    "user": gettext_lazy("the person"),
    "when": gettext_lazy("at what time"),
    "written": gettext_lazy("at what time"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field: what it is called, what it was, what it became."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry on the page. `verb`: added, changed, removed or done. `whose`: where the name does not say so itself."""

    seen: Seen
    name: str
    whose: str
    verb: str
    mark: str
    kind: str
    door: str
    changes: list[Change]


def line(seen: Seen) -> Line:
    """An entry in words."""
    entry = seen.entry
    verb, mark = deed(entry.kind, seen)
    kind = str(KINDS.get(entry.kind, entry.kind))
    name = seen.what.removesuffix(f" of {entry.whose}")
    whose = entry.whose if name != seen.what else ""
    return Line(seen, name, whose, verb, mark, kind, str(DOORS.get(entry.door, entry.door)), list(changes(seen)))


def deed(kind: str, seen: Seen) -> tuple[str, str]:
    """What was done, as a word and a sign."""
    if kind == "act":
        return _("done"), "▸"
    if seen.before is None:
        return _("added"), "+"
    return (_("removed"), "−") if seen.after is None else (_("changed"), "~")


def changes(seen: Seen) -> Iterator[Change]:
    """Each field that says something."""
    before, after = seen.before or {}, seen.after or {}
    for name in {**before, **after}:
        if before.get(name) or after.get(name) or (name in before and name in after):
            yield Change(field(seen.entry.kind, name), value(before.get(name)), value(after.get(name)))


def field(kind: str, name: str) -> str:
    """What people call a field."""
    for app in APPS:
        try:
            named = str(getattr(apps.get_model(app, kind)._meta.get_field(name), "verbose_name", name))
            return str(FIELDS.get(named, named))
        except (LookupError, FieldDoesNotExist):
            continue
    return name


def value(found: Any) -> str:
    """A value, short."""
    if found is None or found == "":
        return "–"
    if isinstance(found, bool):
        return _("yes") if found else _("no")
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
