"""From the database to a snapshot: the only module of the export that reads the other apps' models.

In: the host. Out: a `Snapshot` of one moment, with the generation of that moment. Nothing is written. The number of
queries does not grow with the number of rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from accounts.models import Community, Membership
from accounts.passwords import UNUSABLE
from accounts.wishes import Wishes
from deploy import snapshot
from deploy.models import MailHost
from deploy.snapshot import Snapshot
from domains.models import Alias, Domain, Mailbox, MailboxPerson
from policies import levels
from policies.filtering import Filtered, filtering
from policies.filters import size_in_bytes
from policies.incoming import Incoming, Lines, Screened, incoming
from policies.outgoing import Bond, Listed, Outgoing, memberships, outgoing

GATES: Final = {"list": "hold", "proven": "proven", "anyone": "anyone"}  # what a level says of strangers who write
Logins = Mapping[int, list[str]]  # by user


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction that sees the database as it is at one moment; inside another one, as that one sees it."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def gather(host: MailHost) -> Snapshot:
    """Everything this host is told: a backup MX learns the names it keeps mail for and nothing else."""
    primary = host.role == MailHost.Role.PRIMARY
    with one_moment():
        boxes = found_boxes() if primary else []
        own = logins(boxes)
        rows = memberships() if primary else []
        bound = outgoing(rows) if primary else Outgoing((), {})
        screened = incoming(rows) if primary else Incoming({}, {})
        return Snapshot(
            generation=Wishes.current(),
            host=host.name,
            role="primary" if primary else "backup",
            domains=tuple(domains()),
            mailboxes=tuple(mailboxes(boxes, own)),
            aliases=tuple(aliases()) if primary else (),
            circles=tuple(circles(boxes, bound, screened)),
            senders=tuple(senders(own, bound)),
            screens=tuple(screens(boxes, screened)),
            filters=tuple(map(filter_of, filtering())) if primary else (),
            hours=tuple(hours(own, bound)),
        )


def domains() -> Iterator[snapshot.Domain]:
    """Every name that receives mail, sorted."""
    rows = Domain.objects.order_by("name").values_list("name", "kind", "alias_of__name", "relay_to")
    for name, kind, alias_of, relay_to in rows:
        yield snapshot.Domain(name, kind, alias_of or relay_to)


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox and its people: user, password, active."""

    address: str
    key: str
    quota: int
    active: bool
    people: tuple[tuple[int, str, bool], ...]


def found_boxes() -> list[Box]:
    """Every mailbox, sorted, its people in the order of their addresses."""
    people = defaultdict(list)
    rows = MailboxPerson.objects.order_by("user__address")
    for mailbox, *person in rows.values_list("mailbox", "user", "user__password", "user__active"):
        people[mailbox].append(tuple(person))
    facts = Mailbox.objects.order_by("address").values_list("pk", "address", "key", "quota", "active")
    return [Box(address, key, quota, active, tuple(people[pk])) for pk, address, key, quota, active in facts]


def logins(boxes: Iterable[Box]) -> Logins:
    """What each person signs in with: the addresses of the mailboxes that are hers alone."""
    own = defaultdict(list)
    for box in boxes:
        if len(box.people) == 1:
            own[box.people[0][0]].append(box.address)
    return own


def mailboxes(boxes: list[Box], own: Logins) -> Iterator[snapshot.Mailbox]:
    """Every mailbox, with the logins that write as it."""
    for box in boxes:
        writing = sorted({login for user, _password, _active in box.people for login in own[user]})
        password, usable = sign_in(box.people)
        yield snapshot.Mailbox(box.address, box.key, tuple(writing), password, box.quota, bool(box.active and usable))


def sign_in(people: tuple[tuple[int, str, bool], ...]) -> tuple[str, bool]:
    """The hash that opens a mailbox, and whether anybody of its people is active. A shared mailbox has no hash."""
    usable = any(active for _user, _password, active in people)
    if len(people) != 1 or people[0][1] == UNUSABLE:
        return "", usable
    return people[0][1], usable


def aliases() -> Iterator[snapshot.Alias]:
    """Every alias, sorted, with the moment from which it works no more."""
    rows = Alias.objects.order_by("address")
    for address, targets, internal, last_day, timezone in rows.values_list(
        "address", "targets", "internal", "expires", "domain__community__timezone"
    ):
        yield snapshot.Alias(address, tuple(targets), internal, end_of(last_day, timezone))


def circles(boxes: list[Box], bound: Outgoing, screened: Incoming) -> Iterator[snapshot.Circle]:
    """The communities that bind somebody, sorted: whose mailboxes are inside, and whom their own lists name."""
    bonds = [bond for out in bound.people for bond in out.bonds]
    bonds += [bond for person in screened.people.values() for bond in person.bonds]
    binding = {bond.name: bond.community for bond in bonds}
    of_user = defaultdict(list)
    for box in boxes:
        for user, _password, _active in box.people:
            of_user[user].append(box)
    people: dict[int, set[int]] = defaultdict(set)
    guardians: dict[int, set[int]] = defaultdict(set)
    for community, user, role in Membership.objects.values_list("community", "user", "role"):
        people[community].add(user)
        if role == "guardian":
            guardians[community].add(user)
    for name, pk in sorted(binding.items()):
        inside, above = theirs(of_user, people[pk]), theirs(of_user, guardians[pk])
        listed = entries(bound.lists.get(pk, frozenset()))
        yield snapshot.Circle(name, inside, above, **listed, entries=lines(screened.lists.get(pk, frozenset())))


def theirs(of_user: Mapping[int, list[Box]], people: AbstractSet[int]) -> tuple[str, ...]:
    """The mailboxes that are nobody's but these people's, sorted."""
    found = {box for user in people for box in of_user.get(user, ())}
    return tuple(sorted(box.address for box in found if all(user in people for user, *_rest in box.people)))


def entries(listed: Listed) -> dict[str, tuple[str, ...]]:
    """A list's entries by kind, sorted."""
    return {
        kind: tuple(sorted(entry for entry, of in listed if of == kind)) for kind in ("always", "allowed", "blocked")
    }


def senders(own: Logins, bound: Outgoing) -> Iterator[snapshot.Sender]:
    """Everybody who may not write to everybody, and signs in."""
    for person in bound.people:
        if own[person.person]:
            bonds = tuple(bond_of(bond) for bond in person.bonds)
            yield snapshot.Sender(tuple(own[person.person]), bonds, **entries(person.listed))


def screens(boxes: list[Box], screened: Incoming) -> Iterator[snapshot.Screen]:
    """Every mailbox whose letters are looked at: what is said of each of its people counts."""
    for box in boxes:
        people = [screened.people[user] for user, _password, _active in box.people if user in screened.people]
        gates = [gate_of(bond, person) for person in people for bond in person.bonds]
        if gates:
            yield snapshot.Screen(box.address, tuple(gates))


def hours(own: Logins, bound: Outgoing) -> Iterator[snapshot.Hours]:
    """Whose mailboxes sleep: each person, as each of her communities says. A mailbox of several people never does."""
    calendars = {pk: days for pk, *days in Community.objects.values_list("pk", "school_days", "holidays")}
    for person in bound.people:
        for bond in person.bonds if own[person.person] else ():
            if bond.sleeps:
                yield hours_of(bond, tuple(own[person.person]), *calendars[bond.community])


def hours_of(bond: Bond, mailboxes: tuple[str, ...], days: list[str], free: list[list[str]]) -> snapshot.Hours:
    """What a community says of a person's hours; its calendar only where a night depends on it."""
    steps = tuple((end_of(day, bond.timezone), setting) for day, setting in bond.hours)
    if bond.level not in levels.HOURS_BEFORE_SCHOOL_ONLY:
        return snapshot.Hours(bond.name, mailboxes, bond.timezone, steps)
    holidays = tuple(sorted((first, last) for first, last in free))
    return snapshot.Hours(bond.name, mailboxes, bond.timezone, steps, True, tuple(days), holidays)


def gate_of(bond: Bond, person: Screened) -> snapshot.Gate:
    """What a community says of the letters to a person."""
    steps = tuple((end_of(day, bond.timezone), GATES[setting]) for day, setting in bond.course)
    listed = bond.level not in levels.WITHOUT_LIST
    return snapshot.Gate(bond.name, steps, listed, bond.kind == Community.Kind.FAMILY, lines(person.lines))


def lines(listed: Lines) -> tuple[snapshot.Entry, ...]:
    """A list's entries, sorted."""
    return tuple(sorted(snapshot.Entry(*line) for line in listed))


def bond_of(bond: Bond) -> snapshot.Bond:
    """What a community says of a person, each step until the end of its last day there."""
    steps = tuple((end_of(day, bond.timezone), strangers(bond.kind, setting)) for day, setting in bond.course)
    sentence = levels.refusal(bond.level) if any(step == "refuse" for _end, step in steps) else ""
    return snapshot.Bond(bond.name, steps, bond.level not in levels.WITHOUT_LIST, sentence)


def strangers(kind: str, setting: str) -> str:
    """What happens to a letter to somebody whom no list names: a family asks, a business refuses."""
    if setting != "list":
        return "anyone"
    return "ask" if kind == Community.Kind.FAMILY else "refuse"


def filter_of(found: Filtered) -> snapshot.Filter:
    """What one mailbox does with its letters."""
    rules = (
        snapshot.Rule(
            one.key, one.sentence, one.match, tuple(map(condition_of, one.when)), tuple(map(action_of, one.then))
        )
        for one in found.rules
    )
    zone = found.timezone
    away = tuple((end_of(first - timedelta(days=1), zone), end_of(last, zone)) for first, last in found.away)
    return snapshot.Filter(found.mailbox, tuple(rules), away)


def condition_of(row: Mapping[str, str]) -> snapshot.Condition:
    """One condition; a size in bytes."""
    value = str(size_in_bytes(row["value"])) if row["field"] == "size" else row["value"]
    return snapshot.Condition(row["field"], row["op"], value)


def action_of(row: Mapping[str, str]) -> snapshot.Action:
    """One action, and where to."""
    return snapshot.Action(row["action"], row.get("folder") or row.get("to") or row.get("tag") or "")


def end_of(last_day: date | None, timezone: str | None) -> str:
    """The end of a day in the community's time zone, as ISO 8601 in UTC; nothing for no day."""
    if not last_day:
        return ""
    midnight = datetime.combine(last_day + timedelta(days=1), time(), ZoneInfo(timezone or "UTC"))
    return midnight.astimezone(UTC).isoformat()
