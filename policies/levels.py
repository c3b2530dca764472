"""What each level means: POLICY's table as data, and what is in force for one person on one day. Pure.

In: level, exceptions, a day. Out: a setting for each switch of `accounts.rules.SWITCHES`. Nothing is touched or raised:
levels and exceptions were accepted by `accounts.rules`.

A switch is *active* when some station enforces it. What no station enforces yet stands here, is shown as not yet
active, and is claimed in no sentence.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from accounts.rules import SWITCHES

Settings = Mapping[str, str]

# One row a level, in the order of SWITCHES: incoming outgoing attachments links words hours sight limits.
# Letters a day / recipients of one letter; 9999 and 999 are no limit.
TABLE: Final[Mapping[str, Settings]] = {
    level: dict(zip(SWITCHES, row.split(), strict=True))
    for level, row in {
        "starter": "list list pictures hold tell 07:00-20:00 held 20/5",
        "learner": "list list documents anything tell 07:00-21:00 held 40/10",
        "explorer": "proven tell no-programs anything off 07:00-22:30 contacts 150/20",
        "trusted": "anyone anyone no-programs anything off always nothing 300/50",
        "open": "anyone anyone anything anything off always nothing 9999/999",
        "standard": "anyone anyone no-programs anything tell always nothing 9999/25",
        "inside": "list list no-programs anything tell always nothing 9999/25",
        "partners": "list list no-programs anything tell always nothing 9999/25",
    }.items()
}
ALWAYS: Final = "always"  # hours without an end
NO_LEVEL: Final = TABLE["open"]  # guardians, owners, and managers without a level
HOURS_BEFORE_SCHOOL_ONLY: Final = frozenset({"explorer"})  # their hours hold on evenings before a school day
RESTRICTING: Final = frozenset({"list", "proven"})  # settings of incoming and outgoing at which a station says no
# At these levels a list names who may be written to beside one's own people; at `inside` there is nobody beside them.
WITHOUT_LIST: Final = frozenset({"inside"})
ACTIVE: Final[Mapping[str, frozenset[str]]] = {
    "incoming": frozenset({"list", "proven", "anyone"}),
    "outgoing": frozenset({"list", "anyone"}),
    "hours": frozenset({"07:00-20:00", "07:00-21:00", "07:00-22:30"}),  # and any others: see FREE
    "sight": frozenset({"held", "contacts", "nothing"}),  # what the pages show of a held letter
}
FREE: Final = frozenset({"hours"})  # switches of which every setting is enforced, once one is
# What the mail host answers, in English as all its answers, where a level that restricts refuses and does not ask.
REFUSALS: Final[Mapping[str, str]] = {
    "inside": "You may write to your own people only: ask the owner of your business.",
    "": "You may write to your own people and to listed partners only: ask the owner of your business to add this one.",
}


def refusal(level: str) -> str:
    """The sentence to who writes to a stranger at this level."""
    return REFUSALS.get(level, REFUSALS[""])


def active(switch: str, setting: str) -> bool:
    """True when what this setting promises is enforced today."""
    settings = ACTIVE.get(switch, frozenset())
    return setting in settings or (switch in FREE and bool(settings))


def effective(level: str, overrides: Iterable[Settings], on: date) -> Settings:
    """What is in force on a day: the level, and over it every exception until its last day.

    Of two exceptions to one switch the one that ends first wins: a short one lies inside a longer one.
    """
    living = sorted((one for one in overrides if on.isoformat() <= one["until"]), key=_end, reverse=True)
    settings = dict(TABLE.get(level, NO_LEVEL))
    for one in living:
        settings.update({switch: setting for switch, setting in one.items() if switch != "until"})
    return settings


def course(level: str, overrides: Iterable[Settings], switch: str) -> list[tuple[date | None, str]]:
    """How a switch stands from long ago on: its setting up to and with each last day; the end is `(None, setting)`."""
    rows = list(overrides)
    if not rows:  # nearly everybody
        return [(None, TABLE.get(level, NO_LEVEL)[switch])]
    days = sorted({date.fromisoformat(one["until"]) for one in rows if switch in one})
    steps: list[tuple[date | None, str]] = [(day, effective(level, rows, day)[switch]) for day in days]
    return [*steps, (None, TABLE.get(level, NO_LEVEL)[switch])]


def last_day(overrides: Iterable[Settings], switch: str, today: date) -> date | None:
    """The last day of the exception to a switch that is in force."""
    days = [date.fromisoformat(one["until"]) for one in overrides if switch in one]
    return min((one for one in days if one >= today), default=None)


def _end(override: Settings) -> str:
    return override["until"]
