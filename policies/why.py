"""Why did this become of a letter? For a page, in the reader's language: the template `policies/_letter_why.html`.

In: a held letter, or what was found when one was tried. Out: a `Why`. Nothing is touched or raised.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

from policies import cases, words
from policies.cases import Found
from policies.models import HeldLetter
from policies.sentences import Case, Said, Step, heading, stations, story

STATES: Final[Mapping[str, Promise]] = {
    "passed": _("passed"),
    "decided": _("this decided"),
    "waiting": _("not reached"),
}
MARKS: Final[Mapping[str, str]] = {"passed": "✓", "waiting": "–"}
DECIDED: Final[Mapping[str, str]] = {"deliver": "✓", "later": "◐", "retry": "◐"}


@dataclass(frozen=True)
class Tick:
    """One station of the row: its mark, what it asks, and what it said, as a token and in words."""

    mark: str
    label: str
    state: str
    word: Promise


@dataclass(frozen=True)
class Why:
    """All that the fragment shows. `raw`: lines of the log and of the letter's head, as they are."""

    verdict: str
    heading: str
    fact: str
    rule: str
    remedy: str
    ticks: tuple[Tick, ...]
    facts: tuple[tuple[str, str], ...]
    raw: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All of it in one paragraph."""
        return " ".join(filter(None, (self.fact, self.rule, self.remedy)))

    @property
    def mark(self) -> str:
        """The shape beside the verdict."""
        return DECIDED.get(self.verdict, "✕")


def why(letter: HeldLetter, *, readable: bool = True) -> Why:
    """Why a letter is or was held. `readable`: whoever looks may see what is written in it, as long as it waits."""
    private = frozenset() if readable and letter.subject else frozenset({"Subject"})
    facts = {name: value for name, value in letter.facts.items() if name not in private}
    return told(cases.of_letter(letter), facts, log_lines(letter))


def log_lines(letter: HeldLetter) -> list[str]:
    """What the mail host noted about a held letter."""
    noted = {
        "queue": letter.queue_id,
        "sender": letter.sender or "<>",
        "client": letter.client,
        "login": letter.login,
        "held": f"{letter.station} {letter.reason}",
    }
    return [" ".join(f"{name}={value}" for name, value in noted.items() if value)]


def tried(found: Iterable[Found], raw: Iterable[str]) -> Why:
    """Why this would become of a letter: what was found on its way out, if it comes from a login, and then in."""
    *before, last = found
    seen = told(cases.case(last), last.facts, raw)
    gone = [tick for one in before for tick in ticks(cases.case(one))[:-1]]
    return replace(seen, ticks=(*(passed(tick) for tick in gone), *(seen.ticks[1:] if gone else seen.ticks)))


def passed(tick: Tick) -> Tick:
    """A station that let the letter go on."""
    return replace(tick, mark=MARKS["passed"], state="passed", word=STATES["passed"])


def told(case: Case, facts: Mapping[str, str], raw: Iterable[str]) -> Why:
    """A case in the reader's language."""
    found = story(case)
    lines = (f"X-Mailadmin-{name}: {value}" for name, value in facts.items())
    return Why(
        verdict=case.verdict,
        heading=spoken(heading(case)),
        fact=" ".join(map(spoken, found.fact)),
        rule=" ".join(map(spoken, found.rule)),
        remedy=spoken(found.remedy) if found.remedy else "",
        ticks=ticks(case),
        facts=tuple(words.facts(facts)),
        raw=(*lines, *raw),
    )


def ticks(case: Case) -> tuple[Tick, ...]:
    """The row of stations."""
    return tuple(tick(step, case.verdict) for step in stations(case))


def tick(step: Step, verdict: str) -> Tick:
    """One station of the row."""
    mark = MARKS.get(step.state) or DECIDED.get(verdict, "✕")
    return Tick(mark, spoken(step.label), step.state, STATES[step.state])


def spoken(said: Said) -> str:
    """A sentence in the reader's language."""
    return gettext(said.text) % {name: shown(fact) for name, fact in said.facts.items()}


def shown(fact: "str | date | Said") -> str:
    """What stands in a place of a sentence."""
    if isinstance(fact, Said):
        return spoken(fact)
    return date_format(fact, "DATE_FORMAT") if isinstance(fact, date) else fact
