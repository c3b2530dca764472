"""What a person should know before a filter rule or a forwarding is saved.

In: a mailbox, a rule as it would be saved, the folders that exist where they are known. Out: sentences in the reader's
language. Nothing is touched or raised.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from django.utils.translation import gettext as _

from accounts.rules import shown_address
from domains.models import Mailbox
from policies import filters
from policies.filter_words import sentence
from policies.forwards import Book, misfits
from policies.models import FilterRule, Forwarding
from policies.sentences.filters import negated

ALWAYS_THERE: Final = frozenset({"Drafts", "Junk", "Sent", "Trash"})
Row = Mapping[str, str]


def cautions(mailbox: Mailbox, rule: FilterRule, folders: Collection[str] | None = None) -> list[str]:
    """What to know of a rule; `folders`: those of the mailbox, where the mail host has told."""
    rule.mailbox = mailbox
    return [
        *never(mailbox, rule),
        *everything(rule),
        *outside(filters.forwards(rule.then)),
        *new_folders(rule.then, folders),
        *left_out(rule),
    ]


def forwarding_cautions(row: Forwarding) -> list[str]:
    """What to know of a forwarding."""
    return [*outside(row.to), *left_out(row)]


def never(mailbox: Mailbox, rule: FilterRule) -> list[str]:
    """It can never act: it contradicts itself, or a rule before it ends the rules for each such letter."""
    if rule.match == "all" and any({**row, "op": negated(row["op"])} in rule.when for row in rule.when):
        return [_("It can never act: it asks for something and for its contrary.")]
    before = FilterRule.objects.filter(mailbox=mailbox, active=True).exclude(pk=rule.pk).select_related("mailbox")
    before = before.filter(position__lt=rule.position) if rule.pk else before
    ending = next((other for other in before if ends(other) and covers(other, rule)), None)
    if ending is None:
        return []
    said = _("It can never act: a rule before it ends the rules for each such letter: “%(rule)s”")
    return [said % {"rule": sentence(ending)}]


def ends(rule: FilterRule) -> bool:
    """No rule after it acts on the same letter."""
    return any(row["action"] in filters.ENDING for row in rule.then)


def covers(other: FilterRule, rule: FilterRule) -> bool:
    """Whenever a rule acts, the other one does too; conditions are compared as they are written."""
    if not other.when:
        return True
    ways = [[row] for row in rule.when] if rule.match == "any" else [rule.when]
    holds = all if other.match == "all" else any
    return bool(rule.when) and all(holds(row in way for row in other.when) for way in ways)


def everything(rule: FilterRule) -> list[str]:
    """It takes every letter out of the inbox."""
    if rule.when or not any(row["action"] in ("file", "discard") for row in rule.then):
        return []
    return [_("This acts on every letter: none will stay in the inbox.")]


def outside(targets: Iterable[str]) -> list[str]:
    """Who receives it elsewhere may refuse it."""
    book = Book()
    sentence_ = _(
        "%(address)s is an address outside: its provider may refuse letters that are forwarded, "
        "for they come from here and not from their sender (SPF, DMARC)."
    )
    there = [target for target in targets if target.rpartition("@")[2] not in book.homes]
    return [sentence_ % {"address": shown_address(target)} for target in there]


def new_folders(then: Iterable[Row], folders: Collection[str] | None) -> list[str]:
    """A folder that is not there yet."""
    if folders is None:
        return []
    named = [row["folder"] for row in then if "folder" in row]
    said = _("The folder “%(folder)s” is new: it is made for you.")
    return [said % {"folder": name} for name in named if name not in folders and name not in ALWAYS_THERE]


def left_out(row: FilterRule | Forwarding) -> list[str]:
    """It forwards to where it may not, or no more: the mail host leaves that out."""
    return [said for _row, said in misfits([row])]
