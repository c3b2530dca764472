"""Which mailboxes are nearly full, as Dovecot told the agent of the primary host.

In: the moment; keys of mailboxes. Out: percent by key. Touched: MailboxUse, a row for each mailbox with a limit. Raises
LayoutError and HelperError where the host does not tell.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from deploy.services import room
from domains.models import Mailbox
from reports.models import MailboxUse

NEARLY: Final = 90  # percent
KEPT: Final = timedelta(days=1)  # what is older says nothing of now


def follow(now: datetime) -> None:
    """Store what the host tells now, instead of what it told before."""
    found = {use.address: use for use in room.uses()}
    keys = Mailbox.objects.filter(address__in=found).values_list("address", "key")
    rows = [MailboxUse(mailbox=key, used=found[a].used, most=found[a].most, when=now) for a, key in keys]
    MailboxUse.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["mailbox"], update_fields=["used", "most", "when"]
    )
    MailboxUse.objects.filter(when__lt=now).delete()


def forget(now: datetime) -> None:
    """Drop what was told too long ago."""
    MailboxUse.objects.filter(when__lt=now - KEPT).delete()


def nearly_full(keys: Iterable[str] | None = None) -> dict[str, int]:
    """Percent used of those of these mailboxes, or of all, of which at least 90 are used; the fullest first."""
    rows = MailboxUse.objects.all() if keys is None else MailboxUse.objects.filter(mailbox__in=list(keys))
    found = {row.mailbox: row.percent for row in rows}
    return dict(sorted(((k, p) for k, p in found.items() if p >= NEARLY), key=lambda one: (-one[1], one[0])))
