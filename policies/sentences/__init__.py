"""From decisions to words: why a letter was held, refused or delivered, and what would change that. Pure.

In: a `Case`, plain data about one letter and the entry and level that decided. Out: a `Story` of sentences: the fact,
the rule and who set it, the one thing that changes it; the row of stations. Each sentence is `Said`, English with
places to fill: whoever shows it translates it first. Nothing is touched or raised.

What no station enforces is claimed in no sentence.
"""

from policies.sentences.case import Case, Entry, Level, Said, Story
from policies.sentences.incoming import incoming
from policies.sentences.outgoing import outgoing
from policies.sentences.stations import Step, heading, stations

__all__ = ["Case", "Entry", "Level", "Said", "Step", "Story", "heading", "stations", "story"]


def story(case: Case) -> Story:
    """Why this became of the letter."""
    return incoming(case) if case.direction == "in" else outgoing(case)
