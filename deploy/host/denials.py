"""What must never come back: passwords that were changed, suspensions, mailboxes that are gone, lists. Pure.

In: the snapshots before and after. Out: whose sessions end, and what an older release may still say.
"""

from collections.abc import Set as AbstractSet
from dataclasses import replace

from deploy.snapshot import Mailbox, Snapshot


def revoked(before: Snapshot, after: Snapshot, falling_asleep: AbstractSet[str] = frozenset()) -> list[str]:
    """The logins that worked before and no longer do, or no longer with the same password or into the same mailbox.

    Among them are those that worked until they fell asleep.
    """
    now = {box.address: box for box in after.mailboxes if box.active}
    return [
        box.address
        for box in before.mailboxes
        if may_sign_in(box) and (box.address in falling_asleep or not same_login(box, now.get(box.address)))
    ]


def may_sign_in(box: Mailbox) -> bool:
    """True when somebody signs in under this address."""
    return box.active and bool(box.password)


def same_login(box: Mailbox, now: Mailbox | None) -> bool:
    """True when the same password opens the same mailbox."""
    return now is not None and (box.password, box.key) == (now.password, now.key)


def other_password(before: Snapshot, after: Snapshot) -> bool:
    """True when a password that opened a mailbox opens it no more, though the mailbox is there and not suspended."""
    now = {box.address: box.password for box in after.mailboxes if box.active}
    return any(box.password != now.get(box.address, box.password) for box in before.mailboxes if may_sign_in(box))


def careful(old: Snapshot, newest: Snapshot) -> Snapshot:
    """The old snapshot, but with the newest passwords, suspensions, owners, lists and hours; who is gone stays out.

    Whose letters are looked at is the newest wish too; what still reaches a mailbox that is gone, nobody can read.
    """
    now = {box.key: box for box in newest.mailboxes}
    boxes = tuple(restrained(box, now.get(box.key)) for box in old.mailboxes)
    lists = replace(old, circles=newest.circles, senders=newest.senders, screens=newest.screens)
    return replace(lists, mailboxes=boxes, hours=newest.hours)


def restrained(box: Mailbox, now: Mailbox | None) -> Mailbox:
    """An old mailbox that opens no further than the newest wishes allow."""
    if now is None:
        return replace(box, password="", active=False, logins=())
    logins = tuple(login for login in box.logins if login in now.logins)
    return replace(box, password=now.password, active=box.active and now.active, logins=logins)
