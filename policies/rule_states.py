"""What mailboxes do with their letters, in a few words each: for lists of addresses.

In: mailboxes, the moment. Out: words by mailbox, in the reader's language, in three queries. Nothing
is touched or raised.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count
from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from accounts.rules import shown_address
from domains.models import Mailbox
from policies.models import FilterRule, Forwarding, Vacation

Words = Mapping[int, list[str]]


def rule_states(mailboxes: Iterable[Mailbox], now: datetime) -> Words:
    """How many rules are on, whether letters are answered just now, and where they go on to."""
    keys = [mailbox.pk for mailbox in mailboxes]
    found: dict[int, list[str]] = defaultdict(list)
    on = FilterRule.objects.filter(mailbox__in=keys, active=True).order_by().values_list("mailbox")
    for mailbox, many in on.annotate(many=Count("pk")):
        found[mailbox].append(ngettext("%(count)s rule", "%(count)s rules", many) % {"count": many})
    for row in Vacation.objects.filter(mailbox__in=keys).select_related("mailbox__domain__community"):
        community = row.mailbox.domain.community
        today = now.astimezone(ZoneInfo(community.timezone if community else settings.TIME_ZONE)).date()
        if row.first <= today <= row.last:
            day = date_format(row.last, "j M")
            found[row.mailbox_id].append(_("who writes is answered until %(day)s") % {"day": day})
    for row in Forwarding.objects.filter(mailbox__in=keys):
        found[row.mailbox_id].append(
            _("letters go on to %(address)s") % {"address": ", ".join(map(shown_address, row.to))}
        )
    return found
