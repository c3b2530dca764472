"""What a held letter shows, what may be answered to its question, and what an entry then asks for. Pure.

In: the values of the facts `From` and `List` (grammar: `deploy.render.facts`), and what lists say of the address. Out:
plain values. Nothing is touched or raised: a fact that cannot be read shows nothing.

What counts as shown is what the mail host counts (`deploy/setup/templates/who.awk`).
"""

from dataclasses import dataclass
from typing import Final

from accounts.rules import Refused
from policies import rules

ALWAYS: Final = "always"
BLOCKED: Final = "blocked"
LETS_IN: Final = frozenset({"once", "always"})
# Reasons that a list can answer; the others are about the letter, not about who wrote it.
BY_LIST: Final = frozenset({"stranger", "unproven"})


@dataclass(frozen=True, slots=True)
class Proof:
    """The fact `From`: `pass`, `fail`, `none`, `temp` or `malformed`; of which address; what that rests on."""

    verdict: str
    address: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: what it is about, and what the lists of the people it is for say of the address.

    `listed`: the strictest kind of entry that means the address, or nothing. `lists`: entries count at their levels.
    """

    direction: str
    station: str
    reason: str
    address: str
    proof: Proof
    list_id: str
    listed: str
    lists: bool


def proof(fact: object) -> Proof:
    """What the letter shows of who wrote it."""
    words = [*str(fact or "").split(" "), "", ""][:3]
    known = words[0] in ("pass", "fail", "none", "temp")
    return Proof(*words) if known and words[1] else Proof("malformed")


def evidence(shown: Proof) -> str:
    """By what the next letter of the same sender can be recognised, where his domain proves nothing."""
    return shown.how if shown.verdict == "none" and rules.EVIDENCE.match(shown.how) else ""


def assurance(shown: Proof) -> tuple[str, str]:
    """What an entry has to ask for, and with which evidence, so that this letter comes in: as much as it can."""
    if shown.verdict == "pass":
        return "proven", ""
    found = evidence(shown)
    return ("pinned", found) if found else ("unproven", "")


def shows(wanted: str, known: str, shown: Proof) -> bool:
    """Whether a letter shows what an entry asks for; `known` is the evidence of one that is pinned."""
    if shown.verdict == "pass":
        return True
    if wanted == "pinned":
        return bool(known) and known == evidence(shown)
    return wanted == "unproven" and not pretends(shown)


def pretends(shown: Proof) -> bool:
    """Nothing that an entry says lets such a letter in: under an own address without a sign-in, or never looked at."""
    if shown.verdict == "fail":
        return shown.how != "dmarc"
    return shown.verdict not in ("pass", "none")


def through_a_list(list_id: str, shown: Proof) -> bool:
    """True when somebody else's mailing list sent the letter on: that is who sends, not who once wrote."""
    if list_id in ("", "none") or shown.how == "login":
        return False
    name = shown.address.rpartition("@")[2]
    return list_id != name and not list_id.endswith(f".{name}")


def choices(asked: Asked) -> tuple[str, ...]:
    """What may be answered, in the order of the buttons."""
    may = {"once": True, "always": may_list(asked), "no": True, "block": may_block(asked)}
    return tuple(choice for choice in rules.ANSWERS if may[choice])


def may_list(asked: Asked) -> bool:
    """An entry of a list would let this letter go on."""
    if not asked.lists or asked.listed == BLOCKED or not listable(asked.address):
        return False
    if asked.direction == "out":
        return True
    return asked.reason in BY_LIST and not pretends(asked.proof) and not through_a_list(asked.list_id, asked.proof)


def may_block(asked: Asked) -> bool:
    """The address is not one that somebody else may only have borrowed, nor one that is always heard."""
    if asked.listed == ALWAYS or not listable(asked.address):
        return False
    borrowed = asked.station == "in-3" or (
        asked.direction == "in" and asked.proof.how == "login" and pretends(asked.proof)
    )
    return not borrowed


def listable(address: str) -> bool:
    """True for an address that a list can hold."""
    try:
        return bool(address) and rules.entry(address) == address
    except Refused:
        return False


def doubts(choice: str, shown: Proof, like: str, direction: str) -> tuple[str, ...]:
    """What has to be seen on a page of its own before this answer is given."""
    if choice not in LETS_IN:
        return ()
    found = ["like"] if like else []
    if choice == "always" and direction == "in" and assurance(shown)[0] == "unproven":
        found.append("unproven")
    return tuple(found)
