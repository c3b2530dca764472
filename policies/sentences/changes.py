"""What somebody changed, in one sentence: “Anna let nonna.rosa@gmail.com write to Emma.” Pure.

In: a `Change`, which is an entry of the audit, what people are called, and whether the reader may know what is in
lists, levels and rules of others. Out: `Said`, English with places to fill. Nothing is touched or raised.

Every model that is a wish has its own function here, by its name; what a later version wrote gets a sentence that says
little. An entry of a change tells only the fields that changed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from accounts.rules import gettext_noop as _, shown_address
from policies.sentences import filters
from policies.sentences.case import LEVELS, Fact, Said

Values = Mapping[str, Any]
TARGETS: Final = 3  # addresses in one sentence
ROLES: Final[Mapping[str, str]] = {
    "guardian": _("guardian"),
    "protected": _("protected"),
    "owner": _("owner"),
    "manager": _("manager"),
    "member": _("member"),
}


@dataclass(frozen=True)
class Change:
    """One entry of the audit. `names`: what is called how, by its address."""

    who: str
    kind: str
    what: str
    before: Values | None
    after: Values | None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def made(self) -> bool:
        """It was not there before."""
        return self.before is None

    @property
    def gone(self) -> bool:
        """It is there no longer."""
        return self.after is None

    @property
    def whole(self) -> Values:
        """What is known of it."""
        return self.after or self.before or {}

    def to(self, name: str) -> Any:
        """What a field was changed to, or None where it was not changed."""
        return (self.after or {}).get(name) if not self.made else None

    def called(self, address: str) -> str:
        """A name, or the address."""
        return self.names.get(address) or shown_address(address)

    def say(self, text: str, **facts: Fact) -> Said:
        """A sentence about whoever did it."""
        return Said(text, {"who": self.called(self.who), **facts})


def changed(change: Change, *, openly: bool) -> Said:
    """The sentence. Not `openly`: of what is private no more than whose it is."""
    if not openly and (text := discreet(change)):
        return change.say(text, name=owner(change))
    if change.kind in SENTENCES:
        return SENTENCES[change.kind](change)
    return change.say(_("%(who)s changed something: %(what)s."), what=f"{change.kind} {change.what}")


DISCREET: Final[Mapping[str, str]] = {
    "contact": _("%(who)s changed the list of %(name)s."),
    "filterrule": _("%(who)s changed what %(name)s does with its letters."),
    "vacation": _("%(who)s changed what %(name)s does with its letters."),
    "spam": _("%(who)s changed what %(name)s does with its letters."),
    "forwarding": _("%(who)s changed what %(name)s does with its letters."),
    "answer": _("%(who)s answered what was asked about a letter."),
    "acknowledgement": _("%(who)s noted that somebody has read the rules for using mail."),
}
BOUND: Final = frozenset({"level", "overrides", "protection"})


def discreet(change: Change) -> str:
    """What may be said of something private; nothing for what is not."""
    if change.kind == "membership" and not change.made and not change.gone and BOUND & set(change.whole):
        return _("%(who)s changed what counts for %(name)s.")
    return DISCREET.get(change.kind, "" if change.kind in SENTENCES else _("%(who)s changed something of %(name)s."))


def owner_address(change: Change) -> str:
    """Whose it is: the address of a person or a mailbox, or a community's name; nothing where that is not said."""
    if change.kind in ("contact", "filterrule"):
        return change.what.partition(" of ")[2]
    if change.kind in ("membership", "mailboxperson"):
        return change.what.partition(" in " if change.kind == "membership" else " at ")[0]
    if change.kind == "acknowledgement":
        return change.what.partition(" ")[0]
    return "" if change.kind in ("answer", "usagepolicy") or change.kind not in SENTENCES else change.what


def owner(change: Change) -> str:
    """Whose it is, by name."""
    found = owner_address(change)
    return change.called(found) if found else "?"


def community(change: Change) -> Said:
    """A family or a business."""
    name = change.what
    if change.made:
        return change.say(_("%(who)s added the community %(name)s."), name=name)
    if change.gone:
        return change.say(_("%(who)s deleted the community %(name)s."), name=name)
    if {"school_days", "holidays"} & set(change.whole):
        return change.say(_("%(who)s changed school days or holidays of %(name)s."), name=name)
    return change.say(_("%(who)s changed the settings of %(name)s."), name=name)


def user(change: Change) -> Said:
    """A person."""
    name = change.called(change.what)
    if change.made:
        return change.say(_("%(who)s added %(name)s."), name=name)
    if change.gone:
        return change.say(_("%(who)s deleted %(name)s."), name=name)
    if (active := change.to("active")) is not None:
        return change.say(
            _("%(who)s let %(name)s in again.") if active else _("%(who)s closed the account of %(name)s."), name=name
        )
    if (runs := change.to("administrator")) is not None:
        return change.say(
            _("%(who)s made %(name)s an administrator.")
            if runs
            else _("%(who)s took from %(name)s the rights of an administrator."),
            name=name,
        )
    if "password" in change.whole:
        return password(change, name)
    return change.say(_("%(who)s changed the name or the details of %(name)s."), name=name)


def password(change: Change, name: str) -> Said:
    """A new password."""
    if change.who == change.what:
        return change.say(_("%(who)s chose a new password."))
    return change.say(_("%(who)s changed the password of %(name)s."), name=name)


def membership(change: Change) -> Said:
    """What somebody is in a community."""
    person, _in, place = change.what.partition(" in ")
    facts: dict[str, Fact] = {"name": change.called(person), "community": place}
    role = ROLES.get(change.whole.get("role", ""), "")
    if change.gone:
        return change.say(_("%(who)s took %(name)s out of %(community)s."), **facts)
    if role:
        text = (
            _("%(who)s added %(name)s to %(community)s: %(role)s.")
            if change.made
            else _("%(who)s changed what %(name)s is in %(community)s: %(role)s.")
        )
        return change.say(text, **facts, role=Said(role))
    if level := change.to("level"):
        return change.say(
            _("%(who)s set the level of %(name)s: %(level)s."), **facts, level=Said(LEVELS.get(level, level))
        )
    if "overrides" in change.whole:
        return change.say(_("%(who)s changed the exceptions of %(name)s."), **facts)
    return change.say(_("%(who)s changed what counts for %(name)s."), **facts)


def mailbox(change: Change) -> Said:
    """A mailbox."""
    facts: dict[str, Fact] = {"address": shown_address(change.what)}
    if change.made:
        return change.say(_("%(who)s added the mailbox %(address)s."), **facts)
    if change.gone:
        return change.say(_("%(who)s deleted the mailbox %(address)s."), **facts)
    if (active := change.to("active")) is not None:
        return change.say(
            _("%(who)s opened the mailbox %(address)s again.")
            if active
            else _("%(who)s suspended the mailbox %(address)s."),
            **facts,
        )
    if "key" in change.whole:
        return change.say(_("%(who)s gave the mailbox %(address)s another folder of letters."), **facts)
    return change.say(_("%(who)s changed the settings of the mailbox %(address)s."), **facts)


def mailboxperson(change: Change) -> Said:
    """Whose a mailbox is."""
    person, _at, address = change.what.partition(" at ")
    text = (
        _("%(who)s took the mailbox %(address)s from %(name)s.")
        if change.gone
        else _("%(who)s gave %(name)s the mailbox %(address)s.")
    )
    return change.say(text, name=change.called(person), address=shown_address(address))


def domain(change: Change) -> Said:
    """A name that receives mail."""
    if change.made:
        return change.say(_("%(who)s added the domain %(name)s."), name=change.what)
    text = _("%(who)s deleted the domain %(name)s.") if change.gone else _("%(who)s changed the domain %(name)s.")
    return change.say(text, name=change.what)


def alias(change: Change) -> Said:
    """An address that leads to others."""
    facts: dict[str, Fact] = {"address": shown_address(change.what)}
    if change.gone:
        return change.say(_("%(who)s deleted the alias %(address)s."), **facts)
    if targets := change.whole.get("targets"):
        return change.say(_("%(who)s made the alias %(address)s lead to %(targets)s."), **facts, targets=some(targets))
    return change.say(_("%(who)s changed the alias %(address)s."), **facts)


def some(addresses: list[str]) -> str:
    """The first of them."""
    more = ["…"] if len(addresses) > TARGETS else []
    return ", ".join([*map(shown_address, addresses[:TARGETS]), *more])


WRITE: Final[Mapping[tuple[str, str], str]] = {
    ("allowed", "both"): _("%(who)s let %(address)s and %(name)s write to each other."),
    ("allowed", "in"): _("%(who)s let %(address)s write to %(name)s."),
    ("allowed", "out"): _("%(who)s let %(name)s write to %(address)s."),
    ("always", "both"): _("%(who)s let %(address)s and %(name)s write to each other at any hour."),
    ("always", "in"): _("%(who)s let %(address)s write to %(name)s at any hour."),
    ("always", "out"): _("%(who)s let %(name)s write to %(address)s at any hour."),
    ("blocked", "both"): _("%(who)s blocked %(address)s for %(name)s."),
    ("blocked", "in"): _("%(who)s blocked letters from %(address)s to %(name)s."),
    ("blocked", "out"): _("%(who)s blocked letters from %(name)s to %(address)s."),
}


def contact(change: Change) -> Said:
    """An entry of a list."""
    facts: dict[str, Fact] = {"address": shown_address(change.what.partition(" of ")[0]), "name": owner(change)}
    kind, direction = change.whole.get("kind"), change.whole.get("direction")
    if change.gone:
        text = (
            _("%(who)s no longer blocks %(address)s for %(name)s.")
            if kind == "blocked"
            else _("%(who)s took %(address)s off the list of %(name)s.")
        )
        return change.say(text, **facts)
    if kind == "blocked" and not change.made:
        return change.say(WRITE["blocked", "both"], **facts)
    text = WRITE.get((str(kind), str(direction)), _("%(who)s changed what %(address)s may on the list of %(name)s."))
    return change.say(text, **facts)


def filterrule(change: Change) -> Said:
    """A rule of a mailbox."""
    facts: dict[str, Fact] = {"name": owner(change)}
    if change.made or change.gone:
        values = change.whole
        rule = filters.rule(values["match"], values["when"], values["then"])
        text = (
            _("%(who)s removed a rule of %(name)s: %(rule)s")
            if change.gone
            else _("%(who)s gave %(name)s a rule: %(rule)s")
        )
        return change.say(text, **facts, rule=rule)
    if (active := change.to("active")) is not None:
        return change.say(
            _("%(who)s switched a rule of %(name)s on.") if active else _("%(who)s switched a rule of %(name)s off."),
            **facts,
        )
    if set(change.whole) == {"position"}:
        return change.say(_("%(who)s moved a rule of %(name)s."), **facts)
    return change.say(_("%(who)s changed a rule of %(name)s."), **facts)


def vacation(change: Change) -> Said:
    """An answer while somebody is away."""
    if change.gone:
        return change.say(_("%(who)s removed the answer that %(name)s gives while away."), name=owner(change))
    return change.say(_("%(who)s wrote the answer that %(name)s gives while away."), name=owner(change))


def spam(change: Change) -> Said:
    """Where spam goes."""
    return change.say(_("%(who)s changed what %(name)s does with spam."), name=owner(change))


def forwarding(change: Change) -> Said:
    """Where letters go on to."""
    if targets := (change.after or {}).get("to"):
        return change.say(
            _("%(who)s has the letters to %(name)s sent on to %(targets)s."), name=owner(change), targets=some(targets)
        )
    return change.say(_("%(who)s changed where letters to %(name)s are sent on to."), name=owner(change))


ANSWERS: Final[Mapping[str, str]] = {
    "once": _("%(who)s let one letter with %(address)s through."),
    "always": _("%(who)s answered that %(address)s is always let through."),
    "no": _("%(who)s did not let a letter with %(address)s through."),
    "block": _("%(who)s answered that %(address)s is blocked."),
}


def answer(change: Change) -> Said:
    """What somebody said to a question."""
    address = change.what.rpartition(" in letter ")[0]
    text = ANSWERS.get(change.whole.get("choice", ""), DISCREET["answer"])
    return change.say(text, address=shown_address(address) if "@" in address else "?")


def usagepolicy(change: Change) -> Said:
    """A version of the rules for using mail."""
    number, _of, name = change.what.removeprefix("version ").partition(" of ")
    if change.gone:
        return change.say(
            _("%(who)s deleted version %(number)s of the rules for using mail of %(name)s."), number=number, name=name
        )
    return change.say(
        _("%(who)s published version %(number)s of the rules for using mail of %(name)s."), number=number, name=name
    )


def acknowledgement(change: Change) -> Said:
    """Somebody has read a version."""
    if change.who == owner_address(change):
        return change.say(_("%(who)s has read the rules for using mail."))
    return change.say(_("%(who)s noted that %(name)s has read the rules for using mail."), name=owner(change))


SENTENCES: Final[Mapping[str, Callable[[Change], Said]]] = {
    "acknowledgement": acknowledgement,
    "alias": alias,
    "answer": answer,
    "community": community,
    "contact": contact,
    "domain": domain,
    "filterrule": filterrule,
    "forwarding": forwarding,
    "mailbox": mailbox,
    "mailboxperson": mailboxperson,
    "membership": membership,
    "spam": spam,
    "usagepolicy": usagepolicy,
    "user": user,
    "vacation": vacation,
}
