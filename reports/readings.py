"""A report that somebody may see now, whichever door it leaves by: page, sheet, PDF, mail.

In: who looks, as what, at what, in which mode, why, when. Out: a `Reading`. Touched by `note` alone: AccessEntry.
Raises PermissionDenied where there is nothing for her to see.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from accounts.models import Community, User
from reports import looks, scope as scopes
from reports.scope import NAMES, PSEUDONYMS, Scope
from reports.sight import seen_mailboxes, zone_of


@dataclass(frozen=True, slots=True)
class Reading:
    """What is seen. `whose`: a name; `file`: its own, when it is saved. `purpose`: why an owner needs names."""

    whose: str
    file: str
    scope: Scope
    zone: tzinfo
    mode: str = ""
    purpose: str = ""
    community: Community | None = None

    @property
    def title(self) -> str:
        """What the report is called."""
        return _("Letters of %(name)s") % {"name": self.whose}


def of_community(actor: User, community: Community, role: str, mode: str, purpose: str, now: datetime) -> Reading:
    """A family for its guardians, a business for its owners and managers; an owner's names need a purpose."""
    mode = scopes.mode_or_refused(role, mode)
    if role == "owner" and mode == NAMES and not purpose:
        raise PermissionDenied(_("Say first, on the page, why you need names."))
    scope = scopes.family(actor, community, now) if role == "guardian" else scopes.business(community, mode)
    zone = ZoneInfo(community.timezone)
    why = purpose if role == "owner" and mode == NAMES else ""
    return Reading(community.name, f"community-{community.pk}", scope, zone, mode, why, community)


def of_person(actor: User, person: User, now: datetime) -> Reading:
    """One person, for herself and her parents."""
    mailboxes = seen_mailboxes(actor, person).prefetch_related("people")
    scope = scopes.person(actor, person, list(mailboxes), now)
    return Reading(person.name, f"person-{person.pk}", scope, zone_of(person))


def note(actor: User, reading: Reading, now: datetime) -> None:
    """Write down who looked; the line for names is written with the purpose."""
    if reading.mode == PSEUDONYMS and reading.community:
        looks.note_pseudonyms(actor, reading.community, now)
    looks.note_people(actor, reading.scope.looked, now)
