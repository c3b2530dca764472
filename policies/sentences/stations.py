"""The row of stations that a letter goes through, with what each said. Pure: a `Case` in, `Step`s out.

Only what is enforced stands in the row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from accounts.rules import gettext_noop as _
from policies.sentences.case import Case, Said

DOOR: Final = "door"
IN: Final[Mapping[str, str]] = {
    DOOR: _("Taken at the door"),
    "in-1": _("Says clearly whom it is from"),
    "in-2": _("Not from somebody who is blocked"),
    "in-3": _("Does not pretend to be somebody on the list"),
    "in-5": _("From somebody who may write to %(name)s"),
    "in-6": _("Answers go back to the sender"),
    "in-7": _("Within the hours of %(name)s"),
    "in-8": _("Delivered to %(name)s"),
}
OUT: Final[Mapping[str, str]] = {
    "out-1": _("Written in the name of %(name)s"),
    DOOR: _("To an address that there is"),
    "out-2": _("To people whom %(name)s may write to"),
    "out-4": _("Within the hours of %(name)s"),
    "sent": _("Sent off"),
}
HEADINGS: Final[Mapping[tuple[str, str], str]] = {
    ("in", "deliver"): _("Delivered"),
    ("out", "deliver"): _("Sent off"),
    ("in", "later"): _("Delivered later"),
    ("in", "hold"): _("Held"),
    ("out", "hold"): _("Held"),
    ("in", "refuse"): _("Refused"),
    ("out", "refuse"): _("Refused"),
    ("in", "retry"): _("To be tried again"),
    ("out", "retry"): _("To be tried again"),
}


@dataclass(frozen=True)
class Step:
    """One station: what it asks, and `passed`, `decided` or `waiting` (never reached)."""

    station: str
    label: Said
    state: str


def heading(case: Case) -> Said:
    """The verdict in a word or two."""
    return Said(HEADINGS.get((case.direction, case.verdict), case.verdict))


def stations(case: Case) -> tuple[Step, ...]:
    """The whole row."""
    row = IN if case.direction == "in" else OUT
    names = list(row)
    here = names.index(deciding(case))
    states = ["passed"] * here + ["decided"] + ["waiting"] * (len(names) - here - 1)
    return tuple(Step(name, case.say(row[name]), state) for name, state in zip(names, states, strict=True))


def deciding(case: Case) -> str:
    """The station of the row that spoke last."""
    if case.verdict == "deliver":
        return "in-8" if case.direction == "in" else "sent"
    row = IN if case.direction == "in" else OUT
    at_door = case.verdict == "retry" or (case.verdict == "refuse" and case.direction == "in")
    return DOOR if at_door or case.station not in row else case.station
