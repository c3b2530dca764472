"""What the tokens of the policy are called on a page, and what facts say in words."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy as lazy

from accounts.rules import shown_address, shown_domain
from policies import asking
from policies.asking import Proof

Words = dict[str, Promise]

LEVELS: Final[Words] = {
    "starter": lazy("Starter (6–9)"),
    "learner": lazy("Learner (10–12)"),
    "explorer": lazy("Explorer (13–15)"),
    "trusted": lazy("Trusted (16–17)"),
    "open": lazy("Open"),
    "standard": lazy("Standard"),
    "inside": lazy("Inside only"),
    "partners": lazy("Partners only"),
}
SWITCHES: Final[Words] = {
    "incoming": lazy("Who may write"),
    "outgoing": lazy("Who may be written to"),
    "attachments": lazy("Attachments"),
    "links": lazy("Links"),
    "words": lazy("Watched words"),
    "hours": lazy("Hours"),
    "sight": lazy("What those who look after see"),
    "limits": lazy("How many letters"),
}
SETTINGS: Final[dict[tuple[str, str], Promise]] = {
    ("incoming", "list"): lazy("only people on the list; others wait"),
    ("incoming", "proven"): lazy("everybody who proves who they are; others wait"),
    ("incoming", "anyone"): lazy("anyone"),
    ("outgoing", "list"): lazy("only people on the list; for others you are asked first"),
    ("outgoing", "tell"): lazy("anyone; you are told of new contacts"),
    ("outgoing", "anyone"): lazy("anyone"),
    ("attachments", "pictures"): lazy("pictures and PDF"),
    ("attachments", "documents"): lazy("pictures, PDF and documents"),
    ("attachments", "no-programs"): lazy("everything but programs"),
    ("attachments", "anything"): lazy("everything"),
    ("links", "hold"): lazy("letters with links from outside wait"),
    ("links", "anything"): lazy("allowed"),
    ("words", "hold"): lazy("letters with such words wait"),
    ("words", "tell"): lazy("you are told"),
    ("words", "off"): lazy("not looked for"),
    ("hours", "always"): lazy("at any hour"),
    ("sight", "held"): lazy("held letters, the names of contacts, and numbers"),
    ("sight", "contacts"): lazy("the names of new contacts, and numbers; not what is in a letter"),
    ("sight", "nothing"): lazy("who waits for an answer; not what is in a letter"),
}
# In a business a list means something else: at `inside` there is none, and who is not listed is refused.
IN_BUSINESS: Final[dict[tuple[str, str, str], Promise]] = {
    ("inside", "incoming", "list"): lazy("only your own people; others wait"),
    ("inside", "outgoing", "list"): lazy("only your own people; others are refused"),
    ("partners", "incoming", "list"): lazy("your own people and partners on the list; others wait"),
    ("partners", "outgoing", "list"): lazy("your own people and partners on the list; others are refused"),
}
NO_LIMIT: Final = ("9999", "999")

REASONS: Final[Words] = {
    "malformed": lazy("The letter does not say properly who it is from."),
    "blocked": lazy("The sender is blocked."),
    "stranger": lazy("Not on the list."),
    "unproven": lazy("The letter does not prove who it is from."),
    "spam": lazy("It looks like advertising or fraud."),
    "content": lazy("Something in the letter itself: an answer to it would go to another address."),
    "hours": lazy("It came outside the hours."),
}
CHOICES: Final[Words] = {
    "once": lazy("Let this one in"),
    "always": lazy("Always"),
    "no": lazy("No"),
    "block": lazy("Block"),
}
CHOICES_OUT: Final[Words] = {**CHOICES, "once": lazy("Let this one go")}
# What is told once it is answered.
DONE: Final[dict[tuple[str, str], Promise]] = {
    ("in", "once"): lazy("The letter goes on to %(name)s."),
    ("out", "once"): lazy("The letter goes on to %(address)s."),
    ("in", "always"): lazy("%(address)s may write to %(name)s from now on."),
    ("out", "always"): lazy("%(name)s may write to %(address)s from now on."),
    ("in", "no"): lazy("%(name)s does not get this letter."),
    ("out", "no"): lazy("The letter to %(address)s is not sent."),
    ("in", "block"): lazy("%(address)s is blocked: letters to %(name)s are kept back, and you are not asked."),
    ("out", "block"): lazy("%(address)s is blocked: %(name)s can no longer write there."),
}


def setting(switch: str, value: str, level: str = "") -> str:
    """What a switch stands at."""
    if switch == "hours" and value != "always":
        start, end = value.split("-")
        return _("from %(start)s to %(end)s") % {"start": start, "end": end}
    if switch == "limits":
        return limits(*value.split("/"))
    return str(IN_BUSINESS.get((level, switch, value)) or SETTINGS.get((switch, value)) or value)


def limits(letters: str, recipients: str) -> str:
    """Letters a day, and people in one letter."""
    facts = {"letters": letters, "recipients": recipients}
    if (letters, recipients) == NO_LIMIT:
        return _("no limit")
    if letters == NO_LIMIT[0]:
        return _("at most %(recipients)s people in one letter") % facts
    return _("%(letters)s letters a day, to at most %(recipients)s people each") % facts


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
            return _("Really %(address)s: signed in here") % facts
        return _("Really %(domain)s: the provider confirms it") % facts
    if known and known == asking.evidence(shown):
        return _("Same as before: it came the way the letter came that was accepted")
    if shown.verdict == "fail" and shown.how == "dmarc":
        return _("Only claims to be: %(domain)s says that it did not send this letter") % facts
    if shown.verdict == "fail" and shown.how == "login":
        return _("Only claims to be: nobody signed in here has written it")
    if shown.verdict == "none":
        return _("Only claims to be: %(domain)s confirms nothing") % facts
    if shown.verdict == "malformed":
        return _("Nobody can say who wrote it")
    return _("Only claims to be: nothing could be checked")


FACTS: Final[dict[tuple[str, str], Promise]] = {
    ("Reply-To", "other"): lazy("go to another address"),
    ("Reply-To", "malformed"): lazy("go to something that is no address"),
    ("Auto", "yes"): lazy("a program, not a person"),
}
ATTACHMENTS: Final[Words] = {
    "archive": lazy("an archive"),
    "calendar": lazy("an invitation"),
    "document": lazy("a document"),
    "message": lazy("another letter"),
    "opaque": lazy("something that cannot be looked into"),
    "other": lazy("something else"),
    "pdf": lazy("a PDF"),
    "picture": lazy("a picture"),
    "program": lazy("a program"),
    "text": lazy("a text"),
}


def facts(found: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the filter found, each with a label; what is usual is left away."""
    told = [(_("Who it is from"), proof(asking.proof(found["From"])))] if "From" in found else []
    if answers := FACTS.get(("Reply-To", found.get("Reply-To", ""))):
        told.append((_("Answers"), str(answers)))
    if writer := FACTS.get(("Auto", found.get("Auto", ""))):
        told.append((_("Written by"), str(writer)))
    if found.get("List", "none") != "none":
        told.append((_("Mailing list"), found["List"]))
    if found.get("Links", "0") != "0":
        told.append((_("Links"), found["Links"]))
    kinds = found.get("Attachments", "none").split(" ")
    if kinds != ["none"]:
        told.append((_("Attachments"), ", ".join(str(ATTACHMENTS.get(kind, kind)) for kind in kinds)))
    if found.get("Spam", "").startswith("spam"):
        told.append((_("Looks like"), _("advertising or fraud")))
    return told
