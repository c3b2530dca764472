"""What the tokens of the policy are called on a page, and what facts say in words."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

from accounts.rules import shown_address, shown_domain
from policies import asking
from policies.asking import Proof
from policies.levels import HOURS_BEFORE_SCHOOL_ONLY

Words = dict[str, Promise]

LEVELS: Final[Words] = {
    "starter": _("Starter (6–9)"),
    "learner": _("Learner (10–12)"),
    "explorer": _("Explorer (13–15)"),
    "trusted": _("Trusted (16–17)"),
    "open": _("Open"),
    "standard": _("Standard"),
    "inside": _("Inside only"),
    "partners": _("Partners only"),
}
SWITCHES: Final[Words] = {
    "incoming": _("Who may write"),
    "outgoing": _("Who may be written to"),
    "attachments": _("Attachments"),
    "links": _("Links"),
    "words": _("Watched words"),
    "hours": _("Hours"),
    "sight": _("What those who look after see"),
    "limits": _("How many letters"),
}
SETTINGS: Final[dict[tuple[str, str], Promise]] = {
    ("incoming", "list"): _("only people on the list; others wait"),
    ("incoming", "proven"): _("everybody who proves who they are; others wait"),
    ("incoming", "anyone"): _("anyone"),
    ("outgoing", "list"): _("only people on the list; for others you are asked first"),
    ("outgoing", "tell"): _("anyone; you are told of new contacts"),
    ("outgoing", "anyone"): _("anyone"),
    ("attachments", "pictures"): _("pictures and PDF"),
    ("attachments", "documents"): _("pictures, PDF and documents"),
    ("attachments", "no-programs"): _("everything but programs"),
    ("attachments", "anything"): _("everything"),
    ("links", "hold"): _("letters with links from outside wait"),
    ("links", "anything"): _("allowed"),
    ("words", "hold"): _("letters with such words wait"),
    ("words", "tell"): _("you are told"),
    ("words", "off"): _("not looked for"),
    ("hours", "always"): _("at any hour"),
    ("sight", "held"): _("held letters, the names of contacts, and numbers"),
    ("sight", "contacts"): _("the names of new contacts, and numbers; not what is in a letter"),
    ("sight", "nothing"): _("who waits for an answer; not what is in a letter"),
}
# In a business a list means something else: at `inside` there is none, and who is not listed is refused.
IN_BUSINESS: Final[dict[tuple[str, str, str], Promise]] = {
    ("inside", "incoming", "list"): _("only your own people; others wait"),
    ("inside", "outgoing", "list"): _("only your own people; others are refused"),
    ("partners", "incoming", "list"): _("your own people and partners on the list; others wait"),
    ("partners", "outgoing", "list"): _("your own people and partners on the list; others are refused"),
}
USAGE: Final[Words] = {"family": _("House rules"), "business": _("Acceptable-use policy")}
NO_LIMIT: Final = ("9999", "999")

REASONS: Final[Words] = {
    "malformed": _("The letter does not say properly who it is from."),
    "blocked": _("The sender is blocked."),
    "stranger": _("Not on the list."),
    "unproven": _("The letter does not prove who it is from."),
    "spam": _("It looks like advertising or fraud."),
    "content": _("Something in the letter itself: an answer to it would go to another address."),
    "hours": _("It came outside the hours."),
}
CHOICES: Final[Words] = {
    "once": _("Let this one in"),
    "always": _("Always"),
    "no": _("No"),
    "block": _("Block"),
}
CHOICES_OUT: Final[Words] = {**CHOICES, "once": _("Let this one go")}
# What is told once it is answered.
DONE: Final[dict[tuple[str, str], Promise]] = {
    ("in", "once"): _("The letter goes on to %(name)s."),
    ("out", "once"): _("The letter goes on to %(address)s."),
    ("in", "always"): _("%(address)s may write to %(name)s from now on."),
    ("out", "always"): _("%(name)s may write to %(address)s from now on."),
    ("in", "no"): _("%(name)s does not get this letter."),
    ("out", "no"): _("The letter to %(address)s is not sent."),
    ("in", "block"): _("%(address)s is blocked: letters to %(name)s are kept back, and you are not asked."),
    ("out", "block"): _("%(address)s is blocked: %(name)s can no longer write there."),
}


def setting(switch: str, value: str, level: str = "") -> str:
    """What a switch stands at."""
    if switch == "hours" and value != "always":
        start, end = value.split("-")
        said = gettext("from %(start)s to %(end)s") % {"start": start, "end": end}
        return gettext("%(hours)s, before a school day") % {"hours": said} if before_school(level) else said
    if switch == "limits":
        return limits(*value.split("/"))
    return str(IN_BUSINESS.get((level, switch, value)) or SETTINGS.get((switch, value)) or value)


def before_school(level: str) -> bool:
    """Whether the hours of a level are those of the evenings before a school day alone."""
    return level in HOURS_BEFORE_SCHOOL_ONLY


def limits(letters: str, recipients: str) -> str:
    """Letters a day, and people in one letter."""
    facts = {"letters": letters, "recipients": recipients}
    if (letters, recipients) == NO_LIMIT:
        return gettext("no limit")
    if letters == NO_LIMIT[0]:
        return gettext("at most %(recipients)s people in one letter") % facts
    return gettext("%(letters)s letters a day, to at most %(recipients)s people each") % facts


def proof_state(shown: Proof, known: str = "") -> str:
    """`proven`, `same` or `claims`: the shape beside the words."""
    if shown.verdict == "pass":
        return "proven"
    return "same" if known and known == asking.evidence(shown) else "claims"


def proof(shown: Proof, known: str = "") -> str:
    """How a letter proves who wrote it. `known`: the evidence of the entry, where it is recognised by that."""
    facts = {"domain": shown_domain(shown.address.rpartition("@")[2]), "address": shown_address(shown.address)}
    if shown.verdict == "pass":
        if shown.how == "login":
            return gettext("Really %(address)s: signed in here") % facts
        return gettext("Really %(domain)s: the provider confirms it") % facts
    if known and known == asking.evidence(shown):
        return gettext("Same as before: it came the way the letter came that was accepted")
    if shown.verdict == "fail" and shown.how == "dmarc":
        return gettext("Only claims to be: %(domain)s says that it did not send this letter") % facts
    if shown.verdict == "fail" and shown.how == "login":
        return gettext("Only claims to be: nobody signed in here has written it")
    if shown.verdict == "none":
        return gettext("Only claims to be: %(domain)s confirms nothing") % facts
    if shown.verdict == "malformed":
        return gettext("Nobody can say who wrote it")
    return gettext("Only claims to be: nothing could be checked")


FACTS: Final[dict[tuple[str, str], Promise]] = {
    ("Reply-To", "other"): _("go to another address"),
    ("Reply-To", "malformed"): _("go to something that is no address"),
    ("Auto", "yes"): _("a program, not a person"),
}
ATTACHMENTS: Final[Words] = {
    "archive": _("an archive"),
    "calendar": _("an invitation"),
    "document": _("a document"),
    "message": _("another letter"),
    "opaque": _("something that cannot be looked into"),
    "other": _("something else"),
    "pdf": _("a PDF"),
    "picture": _("a picture"),
    "program": _("a program"),
    "text": _("a text"),
}


def facts(found: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the filter found, each with a label; what is usual is left away."""
    told = [(gettext("Who it is from"), proof(asking.proof(found["From"])))] if "From" in found else []
    if answers := FACTS.get(("Reply-To", found.get("Reply-To", ""))):
        told.append((gettext("Answers"), str(answers)))
    if writer := FACTS.get(("Auto", found.get("Auto", ""))):
        told.append((gettext("Written by"), str(writer)))
    if found.get("List", "none") != "none":
        told.append((gettext("Mailing list"), found["List"]))
    if found.get("Links", "0") != "0":
        told.append((gettext("Links"), found["Links"]))
    kinds = found.get("Attachments", "none").split(" ")
    if kinds != ["none"]:
        told.append((gettext("Attachments"), ", ".join(str(ATTACHMENTS.get(kind, kind)) for kind in kinds)))
    if found.get("Spam", "").startswith("spam"):
        told.append((gettext("Looks like"), gettext("advertising or fraud")))
    return told
