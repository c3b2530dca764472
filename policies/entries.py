"""The entries of a list in words: how each proves who it is, who wrote it and when.

In: entries, a time zone. Out: `Entry`s in the reader's language, with one query for the names. Nothing is touched or
raised.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Community, User
from domains.models import Domain
from policies.cautions import Owner, memberships
from policies.models import Contact


@dataclass(frozen=True)
class Entry:
    """An entry and its words. `state`: proven, same, claims, blocked, or nothing where no letter comes in by it."""

    contact: Contact
    by: str
    day: str
    state: str
    proof: str


def entries(contacts: Iterable[Contact], zone: tzinfo) -> list[Entry]:
    """The entries, in words."""
    found = list(contacts)
    names = names_of({row.by for row in found})
    here = set(Domain.objects.filter(name__in={domain(row) for row in found}).values_list("name", flat=True))
    return [entry(row, names.get(row.by, row.by), day(row.when, zone), own=domain(row) in here) for row in found]


def entry(row: Contact, by: str, when: str, *, own: bool) -> Entry:
    """One entry, in words."""
    facts = {"name": row.name or row.shown, "by": by, "day": when}
    state, proof = proved(row, own=own)
    return Entry(row, by, when, state, proof % facts if proof else "")


def proved(row: Contact, *, own: bool) -> tuple[str, str]:
    """A state, and a sentence with name, by and day."""
    if row.kind == Contact.Kind.BLOCKED:
        return "blocked", _("Letters are kept back, and nobody is asked")
    if row.direction == Contact.Direction.OUT:
        return "", ""
    if own:
        return "proven", _("Really %(name)s: signs in here")
    if row.assurance == Contact.Assurance.PROVEN:
        return "proven", _("Really %(name)s: the provider confirms it")
    if row.assurance == Contact.Assurance.UNPROVEN:
        return "claims", _("Anyone can write this name; %(by)s accepted it on %(day)s")
    if row.evidence:
        return "same", _("Same as when %(by)s allowed it on %(day)s")
    return "same", _("Not recognised yet: the first letter asks you")


def names_of(addresses: Iterable[str]) -> Mapping[str, str]:
    """What people are called who sign in with these addresses."""
    return dict(User.objects.filter(address__in=list(addresses)).values_list("address", "name"))


def domain(row: Contact) -> str:
    """The domain of an entry."""
    return row.address.rpartition("@")[2]


def day(when: datetime | None, zone: tzinfo) -> str:
    """A day as people write it."""
    return date_format(when.astimezone(zone), "j M Y") if when else ""


def zone_of(owner: Owner) -> tzinfo:
    """The time zone of a list: of the community, or of the first one that binds the person."""
    if isinstance(owner, Community):
        return ZoneInfo(owner.timezone)
    bound = memberships(owner).select_related("community").first()
    return ZoneInfo(bound.community.timezone if bound else settings.TIME_ZONE)
