"""Filter rules and settings in the reader's language: for pages, the mail host's files, and what was written down.

In: a rule's parts, its row, or an entry of the audit. Out: text in the active language. Nothing is touched or raised.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import AuditEntry
from policies import filters
from policies.models import Filing, FilterRule, Forwarding, Spam
from policies.sentences import filters as sentences
from policies.why import spoken

Row = Mapping[str, str]


def rule_sentence(match: str, when: Sequence[Row], then: Sequence[Row]) -> str:
    """A rule as one sentence, in one line."""
    return spoken(sentences.rule(match, when, then))


def sentence(rule: FilterRule) -> str:
    """A row as one sentence."""
    return rule_sentence(rule.match, rule.when, rule.then)


def done(key: str, rules: Iterable[str]) -> list[str]:
    """What rules of a mailbox, all by their keys, did with a letter: a sentence each, none for one that is gone."""
    rows: dict[str, Filing] = {row.key: row for row in FilterRule.objects.filter(mailbox__key=key)}
    once = (Spam.objects.filter(mailbox__key=key).first(), Forwarding.objects.filter(mailbox__key=key).first())
    rows |= {name: row for name, row in zip(("spam", "forward"), once, strict=True) if row}
    found = [rows[name] for name in rules if name in rows]
    return [described(str(row._meta.model_name), row.values()) for row in found]


def change(entry: AuditEntry) -> str:
    """What somebody did to a rule or a setting of a mailbox, in words."""
    said = described(entry.kind, as_it_was(entry))
    if entry.after is None:
        return _("Removed: %(what)s") % {"what": said}
    if entry.before is None:
        return _("Added: %(what)s") % {"what": said}
    if set(entry.after) == {"active"}:
        return (_("Switched on: %(what)s") if entry.after["active"] else _("Switched off: %(what)s")) % {"what": said}
    if set(entry.after) == {"position"}:
        return _("Moved: %(what)s") % {"what": said}
    return _("Changed: %(what)s") % {"what": said}


def as_it_was(entry: AuditEntry) -> dict[str, Any]:
    """Every value of a row once an entry was written: an entry of a change tells only what changed."""
    found: dict[str, Any] = {}
    for one in AuditEntry.objects.filter(kind=entry.kind, what=entry.what, pk__lte=entry.pk).order_by("pk"):
        found.update(one.after or one.before or {})
    return found


def described(kind: str, values: Mapping[str, Any]) -> str:
    """A rule, a setting or an answer in one sentence."""
    if kind == "filterrule":
        return rule_sentence(values["match"], values["when"], values["then"])
    if kind == "spam":
        return rule_sentence(*filters.spam_rule(values["over"], values["folder"], values["tag"]))
    if kind == "forwarding":
        return rule_sentence(*filters.forwarding_rule(values["to"], keep=values["keep"]))
    first, last = (date_format(date.fromisoformat(values[name]), "j M Y") for name in ("first", "last"))
    return _("letters are answered from %(first)s to %(last)s") % {"first": first, "last": last}
