"""When administrators get a letter about a host: decided here, sent elsewhere. Pure: what is wrong in, what to say out.

What is wrong is lines of text, each a reason; none when all is well. A reason is told once for as long as the trouble
goes on, and one letter follows another after `pause` at the earliest. When all was well for `steady`, the trouble is
over: that is told, where there is anything to tell, and a reason that comes back is news again. So something that fails
and heals in turns makes no stream of letters.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """How often at most, and after how long a trouble is over; whether that is told."""

    pause: timedelta
    steady: timedelta
    tells_end: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of the trouble, when there was a letter last, since when all is well."""

    reasons: frozenset[str] = frozenset()
    when: datetime | None = None
    well: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What to tell now: `news`, or that it is `over`, or nothing; and what will have been told then."""

    told: Told
    news: tuple[str, ...] = ()
    over: bool = False


def step(reasons: frozenset[str], told: Told, pace: Pace, now: datetime) -> Step:
    """What becomes of it at a moment."""
    if not reasons:
        return calm(told, pace, now)
    news = reasons - told.reasons
    going_on = replace(told, well=None)
    if not news or (told.when and now - told.when < pace.pause):
        return Step(going_on)
    return Step(Told(told.reasons | reasons, now, None), tuple(sorted(news)))


def calm(told: Told, pace: Pace, now: datetime) -> Step:
    """All is well just now."""
    if not told.reasons:
        return Step(replace(told, well=None))
    since = told.well or now
    if now - since < pace.steady:
        return Step(replace(told, well=since))
    return Step(Told(when=told.when), over=pace.tells_end)
