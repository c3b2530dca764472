"""The policy's words in templates, and strangers' text made harmless."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rules import shown_address
from policies import words
from policies.asking import Proof
from policies.differences import Piece, compared, foreign
from policies.models import HeldLetter
from policies.waiting import Ask

register = template.Library()
# What turns text around, or is no character at all; a line break and a tab are.
HIDDEN: Final = re.compile(
    "[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


@register.filter
def level(token: str) -> str:
    """What a level is called."""
    return str(words.LEVELS.get(token, token))


@register.filter
def usage_name(kind: str) -> str:
    """What the acceptable-use policy of a family or a business is called."""
    return str(words.USAGE[kind])


@register.filter
def reason(token: str) -> str:
    """Why a letter was held, in a sentence."""
    return str(words.REASONS.get(token, token))


@register.filter
def why_still(ask: Ask) -> list[str]:
    """Why a letter waits, where it is not that a stranger wrote it."""
    told = []
    if ask.letter.station == "in-3":
        told.append(_("This address is on the list, but nothing shows that the letter comes from there."))
    elif ask.letter.reason not in ("stranger", "unproven"):
        told.append(str(words.REASONS.get(ask.letter.reason, ask.letter.reason)))
    if ask.through:
        sentence = _("It came through the mailing list %(name)s, where anybody may have written it.")
        told.append(sentence % {"name": ask.through})
    return told


@register.filter
def choice(token: str, direction: str) -> str:
    """What an answer is called on its button."""
    return str((words.CHOICES_OUT if direction == "out" else words.CHOICES).get(token, token))


@register.filter
def proof(shown: Proof) -> str:
    """How a letter proves who wrote it."""
    return words.proof(shown)


@register.filter
def proof_state(shown: Proof) -> str:
    """`proven` or `claims`."""
    return words.proof_state(shown)


@register.filter
def named(people: Iterable[User]) -> str:
    """The names of people, in a row."""
    return ", ".join(person.name for person in people)


@register.filter
def of(found: Mapping[str, str], key: str) -> str:
    """What a mapping says, or the key itself."""
    return found.get(key, key)


@register.filter
def harmless(text: str) -> str:
    """Strangers' text with a sign for every character that hides or turns text around."""
    return HIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


@register.filter
def marked(text: str) -> SafeString:
    """An address in which letters of other alphabets, which can look like ours, are marked."""
    return pieces(foreign(text))


@register.simple_tag
def letter_for_letter(one: str, other: str) -> tuple[SafeString, SafeString]:
    """Two addresses, what differs marked in both."""
    first, second = compared(one, other)
    return pieces(first), pieces(second)


def pieces(found: Iterable[Piece]) -> SafeString:
    """Text whose different parts are marked."""
    return format_html_join(
        "", "{}", ((piece.text if piece.same else format_html("<mark>{}</mark>", piece.text),) for piece in found)
    )


@register.filter
def shown_as(address: str) -> str:
    """An address as people write it, without what hides or turns text around."""
    return harmless(shown_address(address))


@register.filter
def of_part(choices: Iterable[str], part: str) -> list[str]:
    """The answers that stand together: `all`, those about one `letter`, or those about the `list`."""
    letter = ("once", "no")
    return [one for one in choices if part == "all" or (one in letter) == (part == "letter")]


@register.filter
def ago(when: datetime) -> str:
    """How long ago, roughly."""
    passed = timesince(when, depth=1)
    return _("%(time)s ago") % {"time": passed}


@register.filter
def facts_in_words(letter: HeldLetter) -> list[tuple[str, str]]:
    """What the filter found in a letter."""
    return words.facts(letter.facts)
