"""Who is asked what: the questions that are open, and everybody who may answer them, read from the database.

In: nothing but the database. Out: a `Keeper` for each, with his questions, and where he is told. Nothing is touched or
raised. The number of queries does not grow with the number of rows.

Asked is who may answer, as `rights.may_answer` says: the guardians of a protected person, the owners and managers above
a member, each of whom stands above everybody whose letter it is; never an administrator as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from accounts.models import Community, Membership, User
from accounts.rights import BELOW
from domains.models import Domain, Mailbox, MailboxPerson
from policies.models import HeldLetter, Question
from policies.notices import Asked, Daily
from policies.rights import bound_people
from policies.rules import SILENT

Bonds = Mapping[int, set[tuple[int, str]]]  # what a level binds each person to: communities, and her role there


@dataclass(slots=True)
class Keeper:
    """Somebody who answers: where he is told, in which language; his day is that of the first of his communities."""

    to: str
    name: str
    language: str
    zone: tzinfo
    asked: dict[int, Asked] = field(default_factory=dict)


def asked_now() -> dict[str, Keeper]:
    """Everybody who may answer an open question, by where his letters go."""
    questions = list(open_questions())
    boxes = bound_people(MailboxPerson.objects.filter(mailbox__key__in={one.letter.key for one in questions}))
    bonds = bonds_of({person.pk for people in boxes.values() for person in people})
    members = above({community for rows in bonds.values() for community, _role in rows})
    keepers = dict[str, Keeper]()
    for to, own in reached(members):
        for one in questions:
            people = boxes.get(one.letter.key, ())
            if where := answers(own, [bond for person in people for bond in bonds[person.pk]]):
                keeper = keepers.setdefault(to, keeper_of(to, own, where))
                keeper.asked[one.pk] = asked(one, tuple(person.name for person in people), daily(where.community))
    return keepers


def answers(own: Sequence[Membership], bonds: Sequence[tuple[int, str]]) -> Membership | None:
    """What somebody is by whom these bonds may be answered for, in the first community; None for who may not."""
    roles = {one.community.pk: one for one in own}
    stands_above = all(community in roles and role in BELOW[roles[community].role] for community, role in bonds)
    return roles[min(community for community, _role in bonds)] if bonds and stands_above else None


def keeper_of(to: str, own: Sequence[Membership], where: Membership) -> Keeper:
    """Somebody who answers, as far as what he is asked does not matter."""
    language = where.user.language or where.community.language
    return Keeper(to, where.user.name, language, daily(own[0].community).zone)


def daily(community: Community) -> Daily:
    """The hour of a community's digest."""
    return Daily(community.digest_hour, ZoneInfo(community.timezone))


def open_questions() -> Iterator[Question]:
    """The questions that wait, and those of the same contacts that were answered, each with its letter, in order."""
    everything = Question.objects.exclude(letter__reason__in=SILENT)
    waiting = Q(letter__state=HeldLetter.State.WAITING, answer__isnull=True)
    contacts = set(everything.filter(waiting).values_list("letter__key", "letter__direction", "address"))
    keys, addresses = {key for key, _way, _address in contacts}, {address for _key, _way, address in contacts}
    answered = Q(answer__isnull=False, letter__key__in=keys, address__in=addresses)
    for one in everything.filter(waiting | answered).select_related("letter", "answer").order_by("pk"):
        if (one.letter.key, one.letter.direction, one.address) in contacts:
            yield one


def asked(one: Question, whose: tuple[str, ...], daily: Daily) -> Asked:
    """A question, as it is told."""
    letter, answer = one.letter, getattr(one, "answer", None)
    return Asked(
        number=one.pk,
        letter=letter.pk,
        key=letter.key,
        whose=whose,
        direction=letter.direction,
        address=one.address,
        like=one.like,
        called=letter.called,
        arrived=letter.arrived,
        daily=daily,
        answered=answer.when if answer else None,
    )


def bonds_of(people: Iterable[int]) -> Bonds:
    """What binds each person."""
    found: dict[int, set[tuple[int, str]]] = defaultdict(set)
    rows = Membership.objects.filter(user__in=list(people)).exclude(level="")
    for user, community, role in rows.values_list("user", "community", "role"):
        found[user].add((community, role))
    return found


def above(communities: Iterable[int]) -> dict[User, list[Membership]]:
    """Who stands above others in these communities, and all that each of them is, in the order of communities."""
    near = Membership.objects.filter(community__in=list(communities), role__in=BELOW, user__active=True)
    rows = Membership.objects.filter(user__in=near.values("user"), role__in=BELOW)
    found: dict[User, list[Membership]] = defaultdict(list)
    for row in rows.select_related("user", "community").order_by("community", "user"):
        found[row.user].append(row)
    return found


def reached(members: Mapping[User, list[Membership]]) -> Iterator[tuple[str, list[Membership]]]:
    """Where each person is told: at the sign-in address, if its mailbox is hers alone or elsewhere; else at the first
    mailbox that is hers alone. Nobody is told where somebody else reads, or where letters are refused.
    """
    own: dict[int, list[str]] = defaultdict(list)
    alone = Mailbox.objects.annotate(readers=Count("people", distinct=True)).filter(active=True, readers=1)
    rows = MailboxPerson.objects.filter(user__in=list(members), mailbox__in=alone).order_by("mailbox__address")
    for user, address in rows.values_list("user", "mailbox__address"):
        own[user].append(address)
    here = set(Domain.objects.values_list("name", flat=True))
    for person, rows_of in members.items():
        elsewhere = person.address.rpartition("@")[2] not in here
        place = person.address if elsewhere or person.address in own[person.pk] else next(iter(own[person.pk]), "")
        if place:
            yield place, rows_of
