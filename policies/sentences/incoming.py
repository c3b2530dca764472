"""Why a letter that comes in was held or delivered, station by station. Pure: a `Case` in, a `Story` out."""

from collections.abc import Callable, Mapping
from typing import Final

from accounts.rules import gettext_noop as _
from policies.sentences.case import Case, Said, Story, door, who_chose, who_listed

# What a level says of strangers who write.
MEANS: Final[Mapping[tuple[str, str], str]] = {
    ("family", "list"): _("At this level only the family and people on the list may write to %(name)s."),
    ("family", "proven"): _("At this level everybody may write to %(name)s whose letter proves who wrote it."),
    ("family", "anyone"): _("At this level everybody may write to %(name)s."),
    ("business", "list"): _("At this level only own people and people on the list may write to %(name)s."),
    ("business", "proven"): _("At this level everybody may write to %(name)s whose letter proves who wrote it."),
    ("business", "anyone"): _("At this level everybody may write to %(name)s."),
}
SAME: Final = _("This is the same for everybody whose letters are looked at: nobody chose it.")
ONCE: Final = _("If you know who wrote it, let this one letter in.")
ADD: Final = _("Add %(author)s to %(name)s's list to let such letters in.")
ADD_UNPROVEN: Final = _("Add %(author)s to %(name)s's list without asking for proof, to let such letters in.")
ADD_SURE: Final = _("Ask by telephone first: if it is somebody you know, add %(author)s to %(name)s's list.")
INSIDE: Final = _("At this level only own people may write to %(name)s.")
OTHER_LEVEL: Final = _("Choose another level for %(name)s to let such letters in.")
BLOCK: Final = _("Block %(author)s on %(name)s's list to stop such letters.")
UNPROVEN: Final[Mapping[str, str]] = {
    "fail": _("The provider says that this letter is not from there."),
    "unchecked": _("It could not be checked."),
    "none": _("The provider confirms nothing."),
    "temp": _("The provider could not be asked just then."),
}


def incoming(case: Case) -> Story:
    """Why this became of the letter."""
    if case.verdict in ("refuse", "retry"):
        return door(case)
    if case.verdict == "deliver":
        return delivered(case)
    if case.verdict == "later":
        return later(case)
    tell = HELD.get((case.station, case.reason))
    return tell(case) if tell else other(case)


def later(case: Case) -> Story:
    """Station 7: it came while the mail of whom it is to is closed."""
    fact = _("It came at an hour at which the mail of %(name)s is closed: it is delivered when it opens.")
    rule = _("Those who can always write to %(name)s do so at any hour.")
    remedy = _("Change the hours of %(name)s to let such letters in.")
    return Story((case.say(fact),), (case.say(rule),), case.say(remedy))


def other(case: Case) -> Story:
    """A station that came later than these sentences."""
    return Story(
        (case.say(_("Held at the station %(station)s: %(reason)s."), station=case.station, reason=case.reason),)
    )


def rule(case: Case) -> tuple[Said, ...]:
    """The level, who chose it, and what it means."""
    if not case.level:
        return ()
    means = INSIDE if listless(case) else MEANS.get((case.level.kind, case.level.setting))
    return (*who_chose(case), *([case.say(means)] if means else []))


def listless(case: Case) -> bool:
    """Only own people may write, whatever a list says."""
    return bool(case.level and case.level.listless and case.level.setting == "list")


def add(case: Case, text: str = ADD) -> Said:
    """What lets strangers in; whose address looks like another's is looked at twice."""
    if listless(case):
        return case.say(OTHER_LEVEL)
    return case.say(ADD_SURE if case.like else text)


def malformed(case: Case) -> Story:
    """Station 1."""
    text = _("Held because the letter does not say clearly whom it is from: its From line is not one plain address.")
    if case.proof == "unknown":
        text = _("Held because nothing is known about this letter: it came without what the filter notes about each.")
    return Story((case.say(text),), (case.say(SAME),), case.say(ONCE))


def blocked(case: Case) -> Story:
    """Station 2."""
    remedy = _("Take %(entry)s off %(list)s's list to hear from there again.")
    fact = case.say(_("Held without asking, because %(author)s is blocked."))
    return Story((fact,), who_listed(case), case.say(remedy) if case.entry else None)


def pretended(case: Case) -> Story:
    """Station 3: it says that it is from somebody who may write, and does not show it."""
    if case.ours:
        fact = _("Held because the letter says it is from %(author)s, but nobody signed in to send it.")
        remedy = _("If %(author)s wrote it: send it again from a mail program that signs in.")
        return Story((case.say(fact),), (case.say(SAME),), case.say(remedy))
    fact = _("Held because it is not proven that %(author)s wrote this letter.")
    return Story((case.say(fact), case.say(doubt(case))), (*who_listed(case), *asked(case)), case.say(way_in(case)))


def doubt(case: Case) -> str:
    """Why it is not proven."""
    return UNPROVEN.get("unchecked" if case.how == "unchecked" else case.proof, UNPROVEN["unchecked"])


def asked(case: Case) -> tuple[Said, ...]:
    """What the entry wants to see."""
    texts = {
        "proven": _("Letters from %(entry)s must be proven."),
        "pinned": _("Letters from %(entry)s must be proven, or come the way the first one came."),
        "unproven": _("Letters from %(entry)s are accepted without proof."),
    }
    return (case.say(texts[case.entry.assurance]),) if case.entry and case.entry.assurance in texts else ()


def way_in(case: Case) -> str:
    """What lets it in: a word with the sender where the provider denies it, else the entry."""
    if case.proof == "none" and case.entry:
        return _("Change what letters from %(entry)s must show on %(list)s's list.")
    return _("Ask %(author)s, but not by answering: if the letter is real, let this one in.")


def stranger(case: Case) -> Story:
    """Station 5: nobody knows who it is, or only knows him from a mailing list."""
    if case.through and case.entry and case.entry.kind != "blocked":
        fact = case.say(
            _("Held because the letter comes through the mailing list %(through)s, not straight from %(author)s."),
            through=case.through,
        )
        return Story((fact,), who_listed(case), case.say(_("Ask %(author)s to write without the mailing list.")))
    text = _("Held because nobody on %(name)s's list has the address %(author)s.")
    if listless(case):
        text = _("Held because %(author)s is not one of us.")
    return Story((case.say(text), *likeness(case)), rule(case), add(case))


def likeness(case: Case) -> tuple[Said, ...]:
    """A warning about an address that could be taken for another."""
    if not case.like:
        return ()
    return (case.say(_("Careful: it looks like %(like)s, which is on the list, and is another."), like=case.like),)


def unproven(case: Case) -> Story:
    """Station 5: strangers may write, but must prove who they are."""
    fact = case.say(_("Held because it is not proven that %(author)s wrote this letter."))
    return Story((fact, case.say(doubt(case)), *likeness(case)), rule(case), add(case, ADD_UNPROVEN))


def spam(case: Case) -> Story:
    """Station 5: nobody is asked."""
    fact = _(
        "Held without asking, because it looks like spam and nobody on %(name)s's list has the address %(author)s."
    )
    return Story((case.say(fact), *likeness(case)), rule(case), add(case))


def answers(case: Case) -> Story:
    """Station 6: an answer would go elsewhere."""
    fact = case.say(_("Held because an answer would not go to %(author)s but to another address."))
    remedy = _("Mark %(author)s as ‘always’ on %(name)s's list to let in such letters.")
    means = case.say(_("At this level such letters are held, unless the sender may ‘always’ write."))
    return Story((fact,), (*who_chose(case), means), case.say(remedy))


def delivered(case: Case) -> Story:
    """Station 8."""
    if not case.level:
        free = _("Delivered because nothing limits who may write to %(name)s.")
        return Story((case.say(free),), (case.say(_("%(name)s has no level.")),))
    if case.entry:
        remedy = _("Take %(entry)s off %(list)s's list to stop such letters.")
        fact = case.say(_("Delivered because %(author)s is on %(list)s's list."))
        without = asked(case) if case.entry.assurance == "unproven" else ()
        return Story((fact, *proof(case)), (*who_listed(case), *without), case.say(remedy))
    if case.ours:
        last = _("Nobody can block a guardian.") if case.guardian else BLOCK
        fact = case.say(_("Delivered because %(author)s is one of us, and signed in."))
        return Story(
            (fact,), (case.say(_("People of one family or business may write to each other.")),), case.say(last)
        )
    return Story(
        (case.say(_("Delivered because strangers may write to %(name)s.")), *proof(case)), rule(case), case.say(BLOCK)
    )


def proof(case: Case) -> tuple[Said, ...]:
    """That it is really from there, where that is known."""
    return (case.say(_("The letter proves that it is from there.")),) if case.proof == "pass" else ()


HELD: Final[Mapping[tuple[str, str], Callable[[Case], Story]]] = {
    ("in-1", "malformed"): malformed,
    ("in-2", "blocked"): blocked,
    ("in-3", "unproven"): pretended,
    ("in-5", "stranger"): stranger,
    ("in-5", "unproven"): unproven,
    ("in-5", "spam"): spam,
    ("in-6", "content"): answers,
}
