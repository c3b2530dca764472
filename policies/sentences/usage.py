"""From levels and lists to the paragraphs of an acceptable-use policy. Pure.

In: the kind of a community, the levels in use, whom its list blocks; or a person's level and what is in force for her.
Out: for each rule a key and an English sentence to whom it binds; whoever shows it translates it. Nothing is touched or
raised.

A switch that no station enforces is claimed in no sentence: `policies.levels.active` decides, as for the behaviour.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from accounts.rules import LEVELS, gettext_noop as _
from policies.levels import ALWAYS, HOURS_BEFORE_SCHOOL_ONLY, TABLE, WITHOUT_LIST, Settings, active

Claims = dict[str, str]
EVERYBODY: Final = "everybody"
BOUND: Final = "bound"
TITLES: Final[Mapping[str, str]] = {EVERYBODY: _("For everybody"), BOUND: _("For everybody who has a level")}

OWN_NAME: Final = _("You write under your own addresses only: a letter in the name of somebody else is refused.")
BLOCKED: Final[Mapping[tuple[str, str], str]] = {
    ("family", "in"): _("Letters from whoever is blocked on the list of the family do not reach you."),
    ("family", "out"): _("Letters to whoever is blocked on the list of the family are refused."),
    ("business", "in"): _("Letters from whoever is blocked on the list of the business do not reach you."),
    ("business", "out"): _("Letters to whoever is blocked on the list of the business are refused."),
}
PARENTS: Final = _("You and your parents can always write to each other.")
PRETENDED: Final[Mapping[str, str]] = {
    "family": _(
        "A letter that does not say clearly who wrote it, or only claims to be from one of us or from somebody on "
        "your list, does not reach you unless a parent lets it in."
    ),
    "business": _(
        "A letter that does not say clearly who wrote it, or only claims to be from one of us or from somebody on "
        "the list, does not reach you unless the owner or a manager lets it in."
    ),
}
ANSWERS: Final = _(
    "Nor does a letter reach you whose answer would go to another address, unless its sender may always write."
)
# What each setting means to whom it binds. In a business nobody looks for proof where strangers may write.
MEANS: Final[Mapping[tuple[str, str, str], str]] = {
    ("family", "incoming", "list"): _(
        "The family and the people on your list may write to you. A letter from anybody else does not reach you unless "
        "a parent lets it in."
    ),
    ("family", "incoming", "proven"): _(
        "Anybody may write to you whose letter proves who wrote it. A letter from a stranger that proves nothing, or "
        "looks like spam, does not reach you unless a parent lets it in."
    ),
    ("family", "incoming", "anyone"): _("Anybody may write to you."),
    ("family", "outgoing", "list"): _(
        "You may write to the family and to the people on your list. A letter to anybody else waits, whole, until a "
        "parent has answered."
    ),
    ("family", "outgoing", "anyone"): _("You may write to anybody."),
    ("family", "sight", "held"): _("Of a letter that waits, your parents see with whom it is and how it begins."),
    ("family", "sight", "contacts"): _("Of a letter that waits, your parents see with whom it is, but not its text."),
    ("family", "sight", "nothing"): _("Of a letter that waits, your parents see with whom it is, but not its text."),
    ("business", "incoming", "list"): _(
        "Our own people and the partners on the list may write to you. A letter from anybody else does not reach you "
        "unless the owner or a manager lets it in."
    ),
    ("business", "incoming", "anyone"): _("Anybody may write to you."),
    ("business", "outgoing", "list"): _(
        "You may write to our own people and to the partners on the list. A letter to anybody else is refused."
    ),
    ("business", "outgoing", "anyone"): _("You may write to anybody."),
    ("business", "sight", "held"): _(
        "Of a letter that waits, the owner and the managers see with whom it is and how it begins."
    ),
    ("business", "sight", "contacts"): _(
        "Of a letter that waits, the owner and the managers see with whom it is, but not its text."
    ),
    ("business", "sight", "nothing"): _(
        "Of a letter that waits, the owner and the managers see with whom it is, but not its text."
    ),
}
# Whose hours they are, and whether only a night before a school day counts. In a business nobody is always let through
# who is not on a list.
HOURS: Final[Mapping[tuple[str, bool], str]] = {
    ("family", False): _(
        "Your mail is open from %(start)s to %(end)s. At other hours you cannot read it, and letters wait until it "
        "opens. Your parents, and whom the lists always let through, can write to you at any hour, and you to them."
    ),
    ("family", True): _(
        "On evenings before a school day your mail closes at %(end)s and opens again at %(start)s. Meanwhile you "
        "cannot read it, and letters wait. Your parents, and whom the lists always let through, can write to you at "
        "any hour, and you to them."
    ),
    ("business", False): _(
        "Your mail is open from %(start)s to %(end)s. At other hours you cannot read it, and letters wait until it "
        "opens. Whom the lists always let through can write to you at any hour, and you to them."
    ),
}
# The same where no list counts.
LISTLESS: Final[Mapping[str, str]] = {
    "incoming": _(
        "Only our own people may write to you. A letter from anybody else does not reach you unless the owner or a "
        "manager lets it in."
    ),
    "outgoing": _("You may write to our own people only. A letter to anybody else is refused."),
}


@dataclass(frozen=True)
class Use:
    """What a community's rules are made of. `blocked`: the directions in which its list blocks somebody."""

    kind: str
    levels: Collection[str]
    blocked: Collection[str] = ()


def usage(use: Use) -> Iterator[tuple[str, Claims]]:
    """The paragraphs of a whole community: what each is about, and what it claims."""
    yield EVERYBODY, {"own-name": OWN_NAME}
    if use.levels and (found := bound(use)):
        yield BOUND, found
    for level in LEVELS[use.kind]:
        if level in use.levels:
            yield level, of_level(use.kind, level, TABLE[level])


def bound(use: Use) -> Claims:
    """What binds everybody who has a level, whichever."""
    found = {"parents": PARENTS, "pretended": PRETENDED["family"]} if use.kind == "family" else {}
    return found | {f"blocked={way}": BLOCKED[use.kind, way] for way in ("in", "out") if way in use.blocked}


def of_level(kind: str, level: str, settings: Settings) -> Claims:
    """What a level says, or what is in force for one person in its stead."""
    found: Claims = {}
    for switch, setting in settings.items():
        text = means(kind, level, switch, setting)
        if text and active(switch, setting) and can_wait(kind, switch, settings):
            found[f"{switch}={setting}"] = text
        if switch == "incoming":
            found |= strict(kind, setting)
    return found


def means(kind: str, level: str, switch: str, setting: str) -> str:
    """The sentence of one switch, or nothing."""
    if switch == "hours" and setting != ALWAYS:
        return HOURS[kind, level in HOURS_BEFORE_SCHOOL_ONLY]
    listless = setting == "list" and level in WITHOUT_LIST
    return LISTLESS[switch] if listless else MEANS.get((kind, switch, setting), "")


def can_wait(kind: str, switch: str, settings: Settings) -> bool:
    """False for what others see of letters that wait, where none does: in a business without a list."""
    return switch != "sight" or kind == "family" or settings["incoming"] == "list"


def strict(kind: str, incoming: str) -> Claims:
    """What else is looked at in letters that come in where only people on a list may write."""
    if incoming != "list":
        return {}
    return {"answers": ANSWERS} if kind == "family" else {"pretended": PRETENDED["business"]}
