"""What mailboxes do with their letters, in the order in which it happens: read from the database, put in order.

In: nothing but the database. Out: plain data, for the mail host. Nothing is touched or raised. The number of queries
does not grow with the number of rows.

Spam comes first, then the rules that are on, then the forwarding. A sentence is in the language of the mailbox's first
person, or else of the community.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.translation import override

from domains.models import MailboxPerson
from policies import filters
from policies.filter_words import rule_sentence
from policies.models import FilterRule, Forwarding, Spam, Vacation

Parts = tuple[str, Sequence[filters.Made], Sequence[filters.Made]]


@dataclass(frozen=True, slots=True)
class Ruled:
    """One rule: its key, or `spam` and `forward`; see `policies.filters` for the rest."""

    key: str
    sentence: str
    match: str
    when: Sequence[filters.Made]
    then: Sequence[filters.Made]


@dataclass(slots=True)
class Filtered:
    """What one mailbox does. `away`: first and last day, in the time zone of its community."""

    mailbox: str
    timezone: str
    language: str
    rules: list[Ruled] = field(default_factory=list)
    away: list[tuple[date, date]] = field(default_factory=list)


def filtering() -> list[Filtered]:
    """Every mailbox that does anything, sorted."""
    wanted = wishes()
    away = dict(vacations())
    found = {pk: one for pk, one in mailboxes().items() if pk in wanted or pk in away}
    for pk, one in found.items():
        one.away = [away[pk]] if pk in away else []
        with override(one.language):
            one.rules = [Ruled(key, rule_sentence(*parts), *parts) for key, parts in wanted.get(pk, ())]
    return sorted(found.values(), key=lambda one: one.mailbox)


def wishes() -> dict[int, list[tuple[str, Parts]]]:
    """The rules of each mailbox, in order."""
    found: dict[int, list[tuple[str, Parts]]] = defaultdict(list)
    for pk, *setting in Spam.objects.order_by().values_list("mailbox", "over", "folder", "tag"):
        found[pk].append(("spam", filters.spam_rule(*setting)))
    rows = FilterRule.objects.filter(active=True).order_by("position", "pk")
    for pk, key, match, when, then in rows.values_list("mailbox", "key", "match", "when", "then"):
        found[pk].append((key, (match, when, then)))
    for pk, to, keep in Forwarding.objects.order_by().values_list("mailbox", "to", "keep"):
        found[pk].append(("forward", filters.forwarding_rule(to, keep=keep)))
    return found


def vacations() -> Iterator[tuple[int, tuple[date, date]]]:
    """The days on which letters are answered, by mailbox."""
    for pk, first, last in Vacation.objects.order_by().values_list("mailbox", "first", "last"):
        yield pk, (first, last)


def mailboxes() -> dict[int, Filtered]:
    """Every mailbox, with its time zone and the language of its first person."""
    found: dict[int, Filtered] = {}
    home = "mailbox__domain__community"
    rows = MailboxPerson.objects.order_by("user__address")
    for pk, address, language, common, timezone in rows.values_list(
        "mailbox", "mailbox__address", "user__language", f"{home}__language", f"{home}__timezone"
    ):
        found.setdefault(pk, Filtered(address, timezone or "UTC", language or common or "en"))
    return found
