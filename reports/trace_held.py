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
OUT = Direction.OUT.value


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept back: `waits`, `silent` (nobody is asked), `freed` or `gone`; `pk`: of the page about it, if it may
    be seen.
    """

    state: str
    ended: datetime | None = None
    pk: int | None = None


KeptLetters = Mapping[tuple[str, str], Kept]  # queue id, and the mailbox's key or OUT


def kept_letters(ways: Iterable[Way], viewer: User) -> KeptLetters:
    """Everything about these ways that may be known, in a few queries."""
    ways = list(ways)
    ids, keys = {way.letter.queue_id for way in ways}, {key for way in ways for key in way.keys}
    if not ids:
        return {}
    decided = Decision.objects.filter(queue_id__in=ids, key__in=keys, verdict="hold")
    found = {(row.queue_id, row.key): of_decision(row) for row in decided}
    answers = held_mailboxes(viewer)
    rows = HeldLetter.objects.filter(Q(queue_id__in=ids, key__in=keys) | Q(name__in=ids, direction=OUT))
    for row in rows.order_by("arrived"):
        name = (row.name, OUT) if row.direction == OUT else (row.queue_id, row.key)
        found[name] = of_row(row, may_see=row.key in answers)
    return found


def of_decision(row: Decision) -> Kept:
    """A letter that the stations kept back, of which there is no row (any more)."""
    return Kept("silent" if row.reason in SILENT else "waits")


def of_row(row: HeldLetter, *, may_see: bool) -> Kept:
    """A letter that waits or waited."""
    if row.state == State.WAITING:
        state = "silent" if row.silent else "waits"
    else:
        state = "freed" if row.outcome in (DELIVERED, SENT) else "gone"
    return Kept(state, row.ended, row.pk if may_see else None)


def in_mailbox(kept: KeptLetters, way: Way, key: str) -> Kept | None:
    """What was kept back before one of the mailboxes that the way is told of."""
    return kept.get((way.letter.queue_id, key)) if key in way.keys else None


def on_its_way_out(kept: KeptLetters, way: Way) -> Kept | None:
    """What was kept back when it was sent."""
    return kept.get((way.letter.queue_id, OUT)) if way.sent else None
