"""Why a letter of one of our people was held, refused or sent. Pure: a `Case` in, a `Story` out."""

from collections.abc import Mapping
from typing import Final

from accounts.rules import gettext_noop as _
from policies.sentences.case import Case, Said, Story, door, who_chose, who_listed

# What a level says of whom no list names; `tell` is not yet told to anybody, so such letters just go.
MEANS: Final[Mapping[tuple[str, str], str]] = {
    ("family", "list"): _("At this level a letter to anybody who is not on the list waits for an answer, whole."),
    ("family", "anyone"): _("At this level %(name)s may write to everybody."),
    ("business", "list"): _("At this level %(name)s may write to own people and to listed partners only."),
    ("business", "anyone"): _("At this level %(name)s may write to everybody."),
}
INSIDE: Final = _("At this level %(name)s may write to own people only.")


def outgoing(case: Case) -> Story:
    """Why this became of the letter."""
    if case.verdict == "deliver":
        return sent(case)
    if case.verdict == "retry" or not case.station:
        return door(case)
    if case.station == "out-1":
        return not_own(case)
    if case.station == "out-4":
        return asleep(case)
    return refused(case) if case.reason == "blocked" else stranger(case)


def rule(case: Case) -> tuple[Said, ...]:
    """The level, who chose it, and what it means."""
    if not case.level:
        return ()
    setting = "anyone" if case.level.setting == "tell" else case.level.setting
    means = INSIDE if case.level.listless and setting == "list" else MEANS.get((case.level.kind, setting))
    return (*who_chose(case), *([case.say(means)] if means else []))


def not_own(case: Case) -> Story:
    """Station 1: it is in somebody else's name."""
    fact = _("Refused because the letter is in the name of another than %(name)s.")
    if case.reason == "malformed":
        fact = _("Refused because the From line of the letter is not one plain address.")
    remedy = _("Choose one of the own addresses of %(name)s as the sender.")
    return Story((case.say(fact),), (case.say(_("Whoever signs in writes under their own name.")),), case.say(remedy))


def asleep(case: Case) -> Story:
    """Station 4: it is written while the mail of whom it is from is closed."""
    fact = _("Refused because the mail of %(name)s is closed at this hour.")
    rule = _("Then %(name)s can write only to those whom the lists always let through.")
    remedy = _("Change the hours of %(name)s to let such letters go.")
    return Story((case.say(fact),), (case.say(rule),), case.say(remedy))


def stranger(case: Case) -> Story:
    """Station 2: one of those it is to is on no list."""
    if case.verdict == "refuse":
        fact = case.say(_("Refused because %(name)s may not write to %(others)s."))
    else:
        fact = case.say(_("Held because it is to somebody who is not on %(name)s's list: %(others)s."))
    add = _("Add %(others)s to the list to let such letters go.")
    if case.level and case.level.listless:
        add = _("Choose another level for %(name)s to let such letters go.")
    return Story((fact,), rule(case), case.say(add))


def refused(case: Case) -> Story:
    """Station 2: one of those it is to is blocked."""
    fact = case.say(_("Refused because %(others)s is blocked for %(name)s."))
    remedy = _("Take %(entry)s off %(list)s's list to let such letters go.")
    return Story((fact,), who_listed(case), case.say(remedy) if case.entry else None)


def sent(case: Case) -> Story:
    """It goes."""
    if case.entry:
        fact = case.say(_("Sent because %(others)s is on %(list)s's list."))
        return Story((fact,), who_listed(case), case.say(_("Take %(entry)s off %(list)s's list to stop such letters.")))
    if not case.level:
        free = _("Sent because nothing limits whom %(name)s may write to.")
        return Story((case.say(free),), (case.say(_("%(name)s has no level.")),))
    if case.level.setting == "list":
        fact = case.say(_("Sent because %(others)s is one of us."))
        return Story((fact,), (case.say(_("People of one family or business may write to each other.")),))
    block = _("Block %(others)s on %(name)s's list to stop such letters.")
    return Story((case.say(_("Sent because %(name)s may write to strangers.")),), rule(case), case.say(block))
