"""Who may see whose figures, and how far: POLICY's row "reports with names".

In: who looks, at what, in which mode, when. Out: a `Scope`, the mailboxes that are counted and which of them have a row
of their own. Nothing is touched; PermissionDenied or Http404 where there is nothing for her to see.

- An owner sees totals, pseudonyms, or names (for a purpose that she states); a manager totals.
- A guardian sees each child as far as the child's level says (`sight`), and herself; the others only together, and not
  at all where together is one person.
- Whom a family protects stands in no business's rows by herself: the least sight wins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Community, Membership, User
from accounts.rights import may_see_figures, role_in
from domains.models import Mailbox
from policies.rights import sights
from reports.pseudonyms import FIG_LEAF, pseudonyms

TOTALS, PSEUDONYMS, NAMES = MODES = ("totals", "pseudonyms", "names")
MODES_OF: Final = {"owner": MODES, "manager": (TOTALS,), "guardian": (NAMES,)}


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of its own: a person, or a mailbox that several share. `box`: the number of a mailbox of hers, its name."""

    label: str
    keys: frozenset[str]
    box: int = 0


@dataclass(frozen=True)
class Scope:
    """What is counted. `rest`: mailboxes that are shown together only; `left_out`: people of whom nothing is shown.

    `whom`: mailboxes of which every domain outside may be named; `newcomers`: of which those that are new.
    `people`: how many there are in all; `looked`: those whose figures somebody else sees one by one.
    `open`: mailboxes whose letters may be seen one by one, too.
    """

    subjects: tuple[Subject, ...] = ()
    rest: frozenset[str] = frozenset()
    whom: frozenset[str] = frozenset()
    newcomers: frozenset[str] = frozenset()
    people: int = 0
    left_out: int = 0
    looked: tuple[User, ...] = field(default=())
    open: frozenset[str] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        """Every mailbox that is counted."""
        return self.rest.union(*(subject.keys for subject in self.subjects))

    @property
    def few(self) -> bool:
        """So few people that a pseudonym hides nobody."""
        return self.people < FIG_LEAF


def role_or_refused(actor: User, community: Community) -> str:
    """What the actor is there: guardian, owner or manager."""
    role = role_in(actor, community)
    if role in MODES_OF:
        return role
    if role or actor.administrator:
        raise PermissionDenied(_("Reports are for guardians, owners and managers. Yours is on your own page."))
    raise Http404


def mode_or_refused(role: str, mode: str) -> str:
    """The mode that was asked for, or the usual one of the role."""
    if not mode:
        return MODES_OF[role][0]
    if mode not in MODES_OF[role]:
        raise PermissionDenied(_("You see totals here, without names."))
    return mode


def business(community: Community, mode: str) -> Scope:
    """A business in a mode. Of somebody who is protected in a family there is no row, nor are her domains named."""
    boxes = mailboxes_of(community)
    people = {person.pk for box in boxes for person in box.people.all()}
    guarded = set(Membership.objects.filter(role="protected", user__in=people).values_list("user", flat=True))
    others = [box for box in boxes if any(person.pk in guarded for person in box.people.all())]
    shown = [box for box in boxes if box not in others]
    alone = len({person.pk for box in others for person in box.people.all()}) == 1
    apart = frozenset(box.key for box in shown)
    rest = frozenset[str]() if alone else frozenset(box.key for box in others)
    subjects: tuple[Subject, ...] = ()
    if mode != TOTALS:
        subjects = named(shown) if mode == NAMES else hidden(shown, community)
    return Scope(
        subjects=subjects,
        rest=rest if subjects else rest | apart,
        whom=apart,
        people=len(people),
        left_out=int(alone),
        open=apart if mode == NAMES else frozenset(),
    )


def family(actor: User, community: Community, now: datetime) -> Scope:
    """A family, for one of its guardians."""
    boxes = mailboxes_of(community)
    children = list(User.objects.filter(memberships__community=community, memberships__role="protected"))
    seen = {pk: sight for pk, sight in sights(children, now).items() if sight != "nothing"}
    shown = [box for box in boxes if may_be_shown(box, actor, seen)]
    others = [box for box in boxes if box not in shown]
    people = {person.pk for box in others for person in box.people.all()} - {actor.pk}
    alone = len(people) == 1
    return Scope(
        subjects=named(shown),
        rest=frozenset() if alone else frozenset(box.key for box in others),
        whom=frozenset(box.key for box in shown if all(seen.get(p.pk, "held") == "held" for p in box.people.all())),
        newcomers=frozenset(box.key for box in shown if any(seen.get(p.pk) == "contacts" for p in box.people.all())),
        people=len({person.pk for box in boxes for person in box.people.all()}),
        left_out=len(people) if alone else 0,
        looked=tuple(child for child in children if child.pk in seen),
        open=frozenset(box.key for box in shown if may_be_read(box, actor, seen)),
    )


def may_be_shown(box: Mailbox, actor: User, seen: dict[int, str]) -> bool:
    """Her own mailbox, and one whose people are all children of whom parents see figures."""
    people = [person.pk for person in box.people.all()]
    return actor.pk in people or all(person in seen for person in people)


def may_be_read(box: Mailbox, actor: User, seen: Mapping[int, str]) -> bool:
    """The same of its letters, one by one: of children whose level lets parents see with whom they write."""
    people = [person.pk for person in box.people.all()]
    return actor.pk in people or all(seen.get(person) == "held" for person in people)


def person(actor: User, someone: User, boxes: list[Mailbox], now: datetime) -> Scope:
    """One person, for herself and her parents; a row for each of her mailboxes, which come with their people."""
    sight = sight_or_refused(actor, someone, now)
    keys = frozenset(box.key for box in boxes)
    subjects = tuple(Subject(box.shown, frozenset({box.key}), box.pk) for box in boxes)
    whom, newcomers = (frozenset[str](), keys) if sight == "contacts" else (keys, frozenset[str]())
    seen = sights({one for box in boxes for one in box.people.all()}, now)
    return Scope(
        subjects,
        whom=whom,
        newcomers=newcomers,
        people=1,
        looked=() if actor == someone else (someone,),
        open=frozenset(box.key for box in boxes if may_be_read(box, actor, seen)),
    )


def sight_or_refused(actor: User, someone: User, now: datetime) -> str:
    """How far somebody's figures are to be seen: `held` is all of them, `contacts` names new people only."""
    if not may_see_figures(actor, someone):
        raise PermissionDenied(_("How many letters somebody gets is for her and for her parents to see."))
    sight = "held" if actor == someone else sights([someone], now).get(someone.pk, "nothing")
    if sight == "nothing":
        raise PermissionDenied(_("At this level parents see no figures."))
    return sight


def mailboxes_of(community: Community) -> list[Mailbox]:
    """Its mailboxes with their people."""
    found = Mailbox.objects.filter(domain__community=community).prefetch_related("people")
    return list(found.order_by("address"))


def named(boxes: Iterable[Mailbox]) -> tuple[Subject, ...]:
    """A row for each person by name, and for each shared mailbox by its address; in the order of these."""
    groups = grouped(boxes).values()
    found = [Subject(label(group), frozenset(box.key for box in group), group[0].pk) for group in groups]
    return tuple(sorted(found, key=lambda subject: (subject.label.casefold(), sorted(subject.keys))))


def hidden(boxes: Iterable[Mailbox], community: Community) -> tuple[Subject, ...]:
    """The same under numbers, in the order of these."""
    groups = grouped(boxes)
    numbers = pseudonyms(settings.SECRET_KEY, community.pk, groups)
    return tuple(
        Subject(pseudonym(thing, number), frozenset(box.key for box in groups[thing]))
        for thing, number in numbers.items()
    )


def pseudonym(thing: str, number: int) -> str:
    """A number with what it is."""
    if thing.startswith("person"):
        return _("Person %(number)s") % {"number": number}
    return _("Shared mailbox %(number)s") % {"number": number}


def grouped(boxes: Iterable[Mailbox]) -> dict[str, list[Mailbox]]:
    """The mailboxes of each person; one that several share is for itself."""
    found: dict[str, list[Mailbox]] = {}
    for box in boxes:
        people = list(box.people.all())
        thing = f"person {people[0].pk}" if len(people) == 1 else f"mailbox {box.key}"
        found.setdefault(thing, []).append(box)
    return found


def label(group: list[Mailbox]) -> str:
    """The person's name, or the address of what several share."""
    people = list(group[0].people.all())
    return people[0].name if len(people) == 1 else group[0].shown
