"""Who is asked what: the questions that are open, and everybody who may answer them, read from the database.

In: nothing but the database. Out: a `Keeper` for each, with his questions, and where he is told. Nothing is touched or
raised. The number of queries does not grow with the number of rows.

Asked are the guardians of a protected person, and the owners and managers above a member, each in his own community,
never an administrator as such.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from accounts.models import Membership, User
from accounts.rights import BELOW
from domains.models import Domain, Mailbox, MailboxPerson
from policies.models import HeldLetter, Question
from policies.notices import Asked, Daily
from policies.rules import SILENT

People = Mapping[int, str]
Bonds = Mapping[int, set[tuple[int, str]]]


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
    boxes = people_of({one.letter.key for one in questions})
    bound = bonds({person for box in boxes.values() for person in box})
    keepers: dict[str, Keeper] = {}
    for member, to in answering({community for rows in bound.values() for community, _role in rows}):
        daily = Daily(member.community.digest_hour, ZoneInfo(member.community.timezone))
        language = member.user.language or member.community.language
        keeper = keepers.setdefault(to, Keeper(to, member.user.name, language, daily.zone))
        for one in questions:
            if whose := below(member, boxes.get(one.letter.key, {}), bound):
                keeper.asked.setdefault(one.pk, asked(one, whose, daily))
    return keepers


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


def people_of(keys: Iterable[str]) -> Mapping[str, People]:
    """The people of each mailbox, by number, with their names."""
    found: dict[str, dict[int, str]] = defaultdict(dict)
    rows = MailboxPerson.objects.filter(mailbox__key__in=list(keys)).order_by("user__name")
    for key, user, name in rows.values_list("mailbox__key", "user", "user__name"):
        found[key][user] = name
    return found


def bonds(people: Iterable[int]) -> Bonds:
    """What each person is, in the communities that bind her."""
    found: dict[int, set[tuple[int, str]]] = defaultdict(set)
    rows = Membership.objects.filter(user__in=list(people)).exclude(level="")
    for user, community, role in rows.values_list("user", "community", "role"):
        found[user].add((community, role))
    return found


def answering(communities: Iterable[int]) -> Iterator[tuple[Membership, str]]:
    """Who stands above others in these communities and is reached by mail, and where."""
    rows = Membership.objects.filter(community__in=list(communities), role__in=BELOW, user__active=True)
    members = list(rows.select_related("user", "community").order_by("community", "user"))
    places = reached({member.user for member in members})
    yield from ((member, places[member.user.pk]) for member in members if places.get(member.user.pk))


def below(member: Membership, people: People, bound: Bonds) -> tuple[str, ...]:
    """The names of those people of a mailbox above whom somebody stands."""
    mine = {(member.community.pk, role) for role in BELOW[member.role]}
    return tuple(name for person, name in people.items() if mine & bound.get(person, set()))


def reached(people: Iterable[User]) -> dict[int, str]:
    """Where each person is told: at the sign-in address, if its mailbox is hers alone or elsewhere; else at the first
    mailbox that is hers alone. Nobody is told where somebody else reads, or where letters are refused.
    """
    own: dict[int, list[str]] = defaultdict(list)
    alone = Mailbox.objects.annotate(readers=Count("people", distinct=True)).filter(active=True, readers=1)
    rows = MailboxPerson.objects.filter(user__in=list(people), mailbox__in=alone).order_by("mailbox__address")
    for user, address in rows.values_list("user", "mailbox__address"):
        own[user].append(address)
    here = set(Domain.objects.values_list("name", flat=True))
    elsewhere = {one.pk for one in people if one.address.rpartition("@")[2] not in here}
    return {
        one.pk: one.address if one.pk in elsewhere or one.address in own[one.pk] else next(iter(own[one.pk]), "")
        for one in people
    }
