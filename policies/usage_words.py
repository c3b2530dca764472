"""The rules of a community in words, as they are enforced today: for its acceptable-use policy.

In: a community, or one person's membership and a day. Out: paragraphs in the reader's language, or in every language.
Read from the database, in two queries for a community; nothing is touched or raised.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.utils.translation import gettext, override

from accounts.models import Community, Membership, User
from policies import levels, words
from policies.models import Contact
from policies.sentences.usage import TITLES, Claims, Use, of_level, usage
from policies.usage import Paragraph


@dataclass(frozen=True)
class Own:
    """What counts for one person today. `exceptions`: a switch in words and the last day. `contacts`: on her list.

    `usual`: no exception says otherwise than her level.
    """

    person: User
    paragraph: Paragraph
    exceptions: Sequence[tuple[str, date]]
    contacts: int
    usual: bool


def use_of(community: Community) -> Use:
    """What the rules of a community are made of: levels that somebody has, and whom its list blocks."""
    found = Membership.objects.filter(community=community).exclude(level="").order_by()
    blocked = Contact.objects.filter(community=community, kind=Contact.Kind.BLOCKED).order_by()
    directions = set(blocked.values_list("direction", flat=True).distinct())
    both = {"in", "out"} if "both" in directions else set()
    return Use(community.kind, set(found.values_list("level", flat=True).distinct()), directions | both)


def paragraphs(use: Use) -> list[Paragraph]:
    """The rules in the reader's language."""
    return [paragraph(about, claims) for about, claims in usage(use)]


def paragraph(about: str, claims: Claims) -> Paragraph:
    """One subject in the reader's language."""
    title = gettext(TITLES[about]) if about in TITLES else gettext("Level: %(level)s") % {"level": words.LEVELS[about]}
    return {"about": about, "title": title, "lines": {key: sentence(key, text) for key, text in claims.items()}}


def sentence(key: str, text: str) -> str:
    """A claim in the reader's language; of hours, with the hours that its key names."""
    start, dash, end = key.removeprefix("hours=").partition("-")
    said = gettext(text)
    return said % {"start": start, "end": end} if key.startswith("hours=") and dash else said


def in_every_language(use: Use) -> dict[str, list[Paragraph]]:
    """The rules in each language that the panel speaks."""
    found = {}
    for language, _name in settings.LANGUAGES:
        with override(language):
            found[language] = paragraphs(use)
    return found


def own(bond: Membership, contacts: int, today: date) -> Own:
    """What counts for one person on a day: her level, and the exceptions to switches that a station enforces."""
    found = levels.effective(bond.level, bond.overrides, today)
    claims = of_level(bond.community.kind, bond.level, found)
    switches = [switch for switch in found if any(key.startswith(f"{switch}=") for key in claims)]
    ends = [(str(words.SWITCHES[one]), levels.last_day(bond.overrides, one, today)) for one in switches]
    exceptions = [(one, day) for one, day in ends if day]
    usual = claims == of_level(bond.community.kind, bond.level, levels.TABLE[bond.level])
    return Own(bond.user, paragraph(bond.level, claims), exceptions, contacts, usual)
