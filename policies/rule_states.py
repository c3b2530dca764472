"""What mailboxes do with their letters, in a few words each: for lists of addresses.

In: mailboxes, the moment. Out: words by mailbox, in the reader's language. No query is made beyond the one that
reads the mailboxes. Nothing is touched or raised.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from accounts.rules import shown_address
from domains.models import Mailbox
from policies.models import Forwarding, Vacation

Words = Mapping[int, list[str]]


def with_filing(mailboxes: QuerySet[Mailbox]) -> QuerySet[Mailbox]:
    """The mailboxes, read together with what `rule_states` wants to know of them."""
    on = Count("filter_rules", filter=Q(filter_rules__active=True))
    return mailboxes.select_related("domain__community", "vacation", "forwarding").annotate(rules_on=on)


def rule_states(mailboxes: Iterable[Mailbox], now: datetime) -> Words:
    """How many rules are on, whether letters are answered just now, and where they go on to."""
    return {mailbox.pk: list(said(mailbox, now)) for mailbox in mailboxes}


def said(mailbox: Mailbox, now: datetime) -> Iterator[str]:
    """What is said of one mailbox that came from `with_filing`."""
    if many := getattr(mailbox, "rules_on"):  # noqa: B009  no field: the query counted it
        yield ngettext("%(count)s rule", "%(count)s rules", many) % {"count": many}
    community = mailbox.domain.community
    today = now.astimezone(ZoneInfo(community.timezone if community else settings.TIME_ZONE)).date()
    vacation: Vacation | None = getattr(mailbox, "vacation", None)
    if vacation and answers(vacation, today):
        yield _("who writes is answered until %(day)s") % {"day": date_format(vacation.last, "j M")}
    forwarding: Forwarding | None = getattr(mailbox, "forwarding", None)
    if forwarding:
        yield _("letters go on to %(address)s") % {"address": ", ".join(map(shown_address, forwarding.to))}


def answers(vacation: Vacation, today: date) -> bool:
    """Whether letters are answered on this day."""
    return vacation.first <= today <= vacation.last
