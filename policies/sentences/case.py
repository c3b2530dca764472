"""What a sentence is, and what it is about. Pure: plain data; nothing is touched or raised."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from accounts.rules import gettext_noop as _

Fact: TypeAlias = "str | date | Said"
LEVELS: Final[Mapping[str, str]] = {
    "starter": _("Starter"),
    "learner": _("Learner"),
    "explorer": _("Explorer"),
    "trusted": _("Trusted"),
    "open": _("Open"),
    "standard": _("Standard"),
    "inside": _("Inside only"),
    "partners": _("Partners only"),
}


@dataclass(frozen=True)
class Said:
    """One sentence or word: English `text`, with `%(name)s` places that `facts` fill."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text % {name: str(fact) for name, fact in self.facts.items()}


@dataclass(frozen=True)
class Story:
    """Why: the fact about the letter, the rule and who set it, the one thing that changes it."""

    fact: tuple[Said, ...]
    rule: tuple[Said, ...] = ()
    remedy: Said | None = None

    @property
    def all(self) -> tuple[Said, ...]:
        """Every sentence, in the order in which they are read."""
        return (*self.fact, *self.rule, *([self.remedy] if self.remedy else []))

    def __str__(self) -> str:
        return " ".join(map(str, self.all))


@dataclass(frozen=True)
class Entry:
    """The entry of a list that spoke. `whose`: the name of the person or community; `by`: who wrote it, if known."""

    address: str
    kind: str
    assurance: str
    whose: str
    by: str = ""
    when: date | None = None


@dataclass(frozen=True)
class Level:
    """What a community says of a person. `by`: who chose it, if known; `until`: the last day of an exception to it.

    `setting`: what holds for strangers in this direction: `list`, `proven`, `tell` or `anyone`. `kind`: of the
    community. `listless`: at this level entries of a list open nothing.
    """

    token: str
    setting: str
    kind: str = "family"
    by: str = ""
    when: date | None = None
    until: date | None = None
    listless: bool = False


@dataclass(frozen=True)
class Case:
    """One letter and one person whose policy looked at it. Addresses are as people write them.

    `author`: whom it is from, `others`: whom it is to. `proof` and `how` are the From fact's. `ours`: the author has an
    address here; `guardian`: is one whom nobody can block. `through`: the mailing list. `like`: the entry that the
    author's address looks like. `answer`: what the sender is told where the letter is not taken.
    """

    direction: str
    verdict: str
    station: str
    reason: str
    person: str
    author: str = ""
    others: tuple[str, ...] = ()
    proof: str = ""
    how: str = ""
    ours: bool = False
    guardian: bool = False
    through: str = ""
    like: str = ""
    entry: Entry | None = None
    level: Level | None = None
    answer: str = ""

    def say(self, text: str, **more: Fact) -> Said:
        """A sentence about this letter: `%(name)s` the person, `%(author)s`, `%(others)s`, `%(entry)s`, `%(list)s`."""
        facts: dict[str, Fact] = {
            "name": isolated(self.person) if self.person else Said(_("this mailbox")),
            "author": isolated(self.author) if self.author else Said(_("the sender")),
            "others": ", ".join(map(isolated, self.others)),
            "entry": isolated(self.entry.address) if self.entry else "",
            "list": isolated(self.entry.whose) if self.entry else "",
        }
        return Said(text, {name: fact for name, fact in {**facts, **more}.items() if f"%({name})s" in text})


def isolated(text: str) -> str:
    """Somebody's text, so that letters that run from right to left do not turn the sentence around it (UAX 9)."""
    return text if text.isascii() else f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"


def level_name(token: str) -> Said:
    """What a level is called."""
    return Said(LEVELS.get(token, token))


def who_listed(case: Case) -> tuple[Said, ...]:
    """Who wrote the entry that spoke, and when."""
    entry = case.entry
    if not entry:
        return ()
    if not entry.by or not entry.when:
        blocked, listed = _("%(entry)s is blocked on %(list)s's list."), _("%(entry)s is on %(list)s's list.")
        return (case.say(blocked if entry.kind == "blocked" else listed),)
    blocked = _("%(by)s blocked %(entry)s on %(list)s's list on %(day)s.")
    listed = _("%(by)s put %(entry)s on %(list)s's list on %(day)s.")
    return (case.say(blocked if entry.kind == "blocked" else listed, by=isolated(entry.by), day=entry.when),)


def who_chose(case: Case) -> tuple[Said, ...]:
    """Who chose the level, and when; or until when an exception to it holds."""
    level = case.level
    if not level:
        return ()
    name = level_name(level.token)
    if level.until:
        return (
            case.say(_("An exception to ‘%(level)s’ holds for %(name)s until %(day)s."), level=name, day=level.until),
        )
    if level.by and level.when:
        text = _("%(by)s chose ‘%(level)s’ for %(name)s on %(day)s.")
        return (case.say(text, level=name, by=isolated(level.by), day=level.when),)
    return (case.say(_("%(name)s has the level ‘%(level)s’."), level=name),)


def door(case: Case) -> Story:
    """A letter that is not taken, whoever it is for: the sender is told at once, or asked to come again."""
    if case.verdict == "retry":
        waits = _("The sender would be told to try again later: the mail host cannot decide just now.")
        return Story((case.say(waits),), (), case.say(_("Try it again in a few minutes.")))
    known = {
        "unknown": (_("Refused because there is no such address."), _("Look for a slip of the pen in the address.")),
        "suspended": (_("Refused because the mailbox is suspended."), _("Whoever suspended it can resume it.")),
        "internal": (
            _("Refused because only people who are signed in may write to this address."),
            _("Who looks after the address can open it to everybody."),
        ),
        "full": (_("Refused because the mailbox is full."), _("Delete old letters, or allow the mailbox more room.")),
        "sender": (
            _("Refused because nobody from outside may write in the name of one of us."),
            _("Sign in with a mail program to write as one of us."),
        ),
    }
    if case.reason not in known:
        return Story((case.say(_("Refused. The sender is told: %(answer)s"), answer=isolated(case.answer)),))
    fact, remedy = known[case.reason]
    return Story((case.say(fact),), (case.say(_("This is the same for everybody.")),), case.say(remedy))
