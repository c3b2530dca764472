"""procmail's log of one host -> what was decided of each letter, as rows.

In: the host's name, its log, the moment. Out: how many bytes were new. Touched: LogPosition, Decision, RuleAct,
HourlyTally. Raises OSError where the log cannot be read. Every piece of the log counts once, see `reports.position`; of
a letter that was tried several times, or came to a mailbox in two ways, the last line counts, and a rule that acted on
it counts once.
Decisions are kept for 21 days (`reports.keeping`), what rules did for 30.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from policies.models import Decision, RuleAct
from reports.hours import add_by_key
from reports.keeping import kept
from reports.logfile import MOST
from reports.position import read_log
from reports.tally import HOST, Count, hour_of
from reports.verdicts import Act, Verdict, acts, verdicts

ACTS_KEPT: Final = timedelta(days=30)
HELD: Final = "held"
CHUNK: Final = 2_000  # letters in one query


def follow(host: str, log: Path, now: datetime, *, most: int = MOST) -> int:
    """Store what is new in the log; return how many bytes that was."""
    return read_log(
        host,
        log,
        lambda lines: (list(verdicts(lines, now)), list(acts(lines, now))),
        lambda two: _keep(host, *two),
        most=most,
    )


def forget(host: str, now: datetime) -> None:
    """Drop what was decided too long ago."""
    Decision.objects.filter(host=host, when__lt=now - kept()).delete()
    RuleAct.objects.filter(host=host, when__lt=now - ACTS_KEPT).delete()


def _keep(host: str, found: Iterable[Verdict], acted: Iterable[Act]) -> None:
    """Store one piece's decisions, and what rules did."""
    rows = [RuleAct(host=host, when=at, queue_id=queue_id, key=key, rule=rule) for at, queue_id, key, rule in acted]
    RuleAct.objects.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=True)
    last = {(one.queue_id, one.key): one for one in found}
    for some in _chunks(list(last.values())):
        before = Decision.objects.filter(host=host, queue_id__in=[one.queue_id for one in some])
        known = {(row.queue_id, row.key): row.pk for row in before}
        _count_held(host, [one for one in some if one.verdict == "hold" and (one.queue_id, one.key) not in known])
        tried_again = [pk for one in some if (pk := known.get((one.queue_id, one.key)))]
        Decision.objects.filter(pk__in=tried_again).delete()
        Decision.objects.bulk_create(_row(host, one) for one in some)


def _count_held(host: str, held: Iterable[Verdict]) -> None:
    """Letters that were held: each once, however often it was tried."""
    hours = ((one.key, hour_of(one.at)) for one in held)
    counts = Counter((key, hour, HELD) for mailbox, hour in hours for key in (mailbox, HOST))
    add_by_key(host, {slot: Count(letters, 0) for slot, letters in counts.items()})


def _row(host: str, one: Verdict) -> Decision:
    """A decision as it is stored."""
    at, queue_id, key, verdict, station, reason, author, proof, entry = one
    return Decision(
        host=host, when=at, queue_id=queue_id, key=key, direction="in", verdict=verdict, station=station,
        reason=reason, author=author, proof=proof, entry=entry,
    )  # fmt: skip


def _chunks(values: list[Verdict]) -> Iterator[list[Verdict]]:
    """The values, so many at a time as one query takes."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
