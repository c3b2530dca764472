"""Letters that our own stations kept back, on their way.

In: `Way`s, who looks. Out: what became of each, by queue id and mailbox. Nothing is touched or raised. That a letter is
held is told of the mailboxes that a way is told of, and of what their people sent: what another's rules do with it is
nothing to its sender.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import User
from deploy.answers import DELIVERED, SENT
from policies.models import Decision, HeldLetter
from policies.models.held import Direction
from policies.rights import held_mailboxes
from policies.rules import SILENT
from reports.tracing import Way

State = HeldLetter.State


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept back: `waits`, `silent` (nobody is asked), `freed` or `gone`; `pk`: of the page about it, if it may
    be seen.
    """

    state: str
    direction: str
    when: datetime
    ended: datetime | None = None
    pk: int | None = None


KeptLetters = Mapping[tuple[str, str], Kept]


def kept_letters(ways: Iterable[Way], viewer: User) -> KeptLetters:
    """Everything about these ways that may be known, in three queries."""
    named = [way for way in ways if way.named]
    ids, keys = {way.letter.queue_id for way in named}, {key for way in named for key in way.keys}
    if not ids or not keys:
        return {}
    decided = Decision.objects.filter(queue_id__in=ids, key__in=keys, verdict="hold")
    found = {(row.queue_id, row.key): of_decision(row) for row in decided}
    answers = held_mailboxes(viewer)
    rows = HeldLetter.objects.filter(Q(queue_id__in=ids) | Q(name__in=ids, direction=Direction.OUT), key__in=keys)
    for row in rows.order_by("arrived"):
        queue_id = row.name if row.direction == Direction.OUT else row.queue_id
        found[queue_id, row.key] = of_row(row, may_see=row.key in answers)
    return found


def of_decision(row: Decision) -> Kept:
    """A letter that the stations kept back, of which there is no row (any more)."""
    return Kept("silent" if row.reason in SILENT else "waits", row.direction, row.when)


def of_row(row: HeldLetter, *, may_see: bool) -> Kept:
    """A letter that waits or waited."""
    if row.state == State.WAITING:
        state = "silent" if row.silent else "waits"
    else:
        state = "freed" if row.outcome in (DELIVERED, SENT) else "gone"
    return Kept(state, row.direction, row.arrived, row.ended, row.pk if may_see else None)


def in_mailbox(kept: KeptLetters, way: Way, key: str) -> Kept | None:
    """What was kept back before one of the mailboxes that the way is told of."""
    found = kept.get((way.letter.queue_id, key)) if key in way.keys else None
    return found if found and found.direction == Direction.IN else None


def on_its_way_out(kept: KeptLetters, way: Way) -> Kept | None:
    """What was kept back when it was sent."""
    found = (kept.get((way.letter.queue_id, key)) for key in way.keys)
    return next((one for one in found if one and one.direction == Direction.OUT), None) if way.sent else None
