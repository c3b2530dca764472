"""Which entry, whose level, chosen by whom: what a sentence about a letter has to name, read from the database.

In: a held letter, or what was found when a letter was tried. Out: a `Case` for `policies.sentences`. Nothing is touched
or raised: what cannot be found any more is left out of the sentence.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import AuditEntry, Membership, User
from accounts.rules import shown_address
from domains.models import Domain, Mailbox
from policies import levels, lookalike
from policies.lists import domain_of, spelled
from policies.models import Contact, Decision, HeldLetter, is_always
from policies.sentences import Case, Entry, Level

STRICTEST: Final = ("list", "proven", "tell", "anyone")
OTHER_WAY: Final = {"in": Contact.Direction.OUT, "out": Contact.Direction.IN}
SWITCH: Final = {"in": "incoming", "out": "outgoing"}


@dataclass(frozen=True)
class Found:
    """What a station said of a letter. `entry`: the line of the list that spoke; empty where that is not known.

    `people`: whose mailbox it is for, or who sent it. `others`: whom it is to, as far as they decided.
    """

    direction: str
    verdict: str
    station: str
    reason: str
    people: Sequence[User]
    at: datetime
    facts: Mapping[str, str] = field(default_factory=dict)
    entry: str = ""
    others: tuple[str, ...] = ()
    like: str = ""
    answer: str = ""

    @property
    def proof(self) -> tuple[str, str, str]:
        """The From fact: verdict, address, how."""
        verdict, address, how = [*self.facts.get("From", "unknown").split(" "), "", ""][:3]
        return verdict, address, how

    @property
    def other(self) -> str:
        """Whom the list was asked about."""
        return self.proof[1] if self.direction == "in" else (self.others[0] if self.others else "")


@dataclass(frozen=True)
class Bound:
    """The person whose policy is the strictest, and what a community says of her there."""

    person: User
    membership: Membership | None = None
    level: Level | None = None


def of_letter(letter: HeldLetter) -> Case:
    """The case of a letter that is or was held."""
    decision = Decision.objects.filter(host=letter.host, queue_id=letter.queue_id, key=letter.key).first()
    likes = [question.like for question in letter.questions.all() if question.like]
    strangers = tuple(question.address for question in letter.questions.all() if question.address)
    return case(
        Found(
            direction=letter.direction,
            verdict="hold",
            station=letter.station,
            reason=letter.reason,
            people=people_of(key=letter.key),
            at=letter.arrived,
            facts=letter.facts or ({"From": f"unknown {letter.author}"} if letter.author else {}),
            entry=decision.entry if decision else "",
            others=strangers or tuple(letter.recipients),
            like=next(iter(likes), ""),
        )
    )


def of_trial(outcome: Mapping[str, str], login: str, to: str, facts: Mapping[str, str], at: datetime) -> list[Found]:
    """What was found when a letter was tried: where it comes from a login on its way out, and then on its way in."""
    at_all = {"facts": facts, "at": at, "answer": outcome["answer"]}
    said = (outcome["verdict"], outcome["station"], outcome["reason"])
    inside = Found("in", *said, people_of(key=outcome["key"]), entry=outcome["entry"] or "*", **at_all)  # type: ignore[arg-type]
    if not login:
        return [inside]
    enters = outcome["station"].startswith("in-")
    gone = ("deliver", "out-2", "") if enters else said
    outside = Found("out", *gone, people_of(address=login), others=(to,), **at_all)  # type: ignore[arg-type]
    return [outside, inside] if enters else [outside]


def people_of(**mailbox: str) -> list[User]:
    """The people of a mailbox, by `key` or `address`."""
    return list(User.objects.filter(mailboxes__in=Mailbox.objects.filter(**mailbox)).order_by("address"))


def case(found: Found) -> Case:
    """Everything that a sentence names."""
    verdict, author, how = found.proof
    bound = strictest(found)
    row = spoke(found, bound)
    through = found.facts.get("List", "none")
    ours = is_ours(found.other)
    return Case(
        direction=found.direction,
        verdict=found.verdict,
        station=found.station,
        reason=found.reason,
        person=bound.person.name if bound else "",
        author=shown_address(author),
        others=tuple(map(shown_address, found.others)),
        proof=verdict,
        how=how,
        ours=ours,
        guardian=bool(ours and bound and is_always(bound.person, author)),
        through="" if through == "none" else through,
        like=shown_address(found.like or looks_like(found, bound)),
        entry=entry_of(row) if row else None,
        level=bound.level if bound else None,
        answer=found.answer,
    )


def is_ours(address: str) -> bool:
    """True for an address in a domain of this host."""
    return Domain.objects.filter(name=address.rpartition("@")[2]).exclude(kind=Domain.Kind.BACKUP).exists()


def strictest(found: Found) -> Bound | None:
    """Whose level decided: of several people, and of several communities, the strictest."""
    rows = Membership.objects.filter(user__in=found.people).exclude(level="").select_related("user", "community")
    bounds = [Bound(row.user, row, level_of(row, SWITCH[found.direction], found.at)) for row in rows]
    bounds.sort(key=lambda one: STRICTEST.index(one.level.setting) if one.level else len(STRICTEST))
    return next(iter([*bounds, *map(Bound, found.people)]), None)


def level_of(row: Membership, switch: str, at: datetime) -> Level:
    """A person's level at a moment, who chose it, and what it says of strangers."""
    zone = ZoneInfo(row.community.timezone)
    today = at.astimezone(zone).date()
    token, by, when = chosen(row, at)
    ends = [one["until"] for one in row.overrides if switch in one and one["until"] >= today.isoformat()]
    return Level(
        token=token,
        setting=levels.effective(token, row.overrides, today)[switch],
        kind=row.community.kind,
        by=name_of(by),
        when=when.astimezone(zone).date() if when else None,
        until=date.fromisoformat(min(ends)) if ends else None,
        listless=token in levels.WITHOUT_LIST,
    )


def chosen(row: Membership, at: datetime) -> tuple[str, str, datetime | None]:
    """The level that a person had at a moment, who gave it to her, and when."""
    entries = AuditEntry.objects.filter(kind="membership", what=row.label()[:320], when__lte=at).order_by("-pk")
    for entry in entries[:100]:
        after = entry.after or {}
        if "level" in after:
            return str(after["level"]) or row.level, entry.who, entry.when
    return row.level, "", None


def name_of(author: str) -> str:
    """What the author of a wish is called; nothing for a command."""
    if "@" not in author:
        return ""
    return User.objects.filter(address=author).values_list("name", flat=True).first() or author


def spoke(found: Found, bound: Bound | None) -> Contact | None:
    """The entry that decided: of one form her own before her community's."""
    forms = [found.entry.replace("+@", "@")] if found.entry else [*spelled(found.other), *domain_of(found.other)]
    rows = contacts(found.people, found.direction).filter(address__in=forms)
    blocks = found.reason == "blocked"
    rows = rows.filter(kind=Contact.Kind.BLOCKED) if blocks else rows.exclude(kind=Contact.Kind.BLOCKED)
    if bound and bound.level and bound.level.listless:
        rows = rows.exclude(kind=Contact.Kind.ALLOWED)
    ordered = sorted(rows, key=lambda row: (forms.index(row.address), row.person is None))
    return next(iter(ordered), None)


def contacts(people: Iterable[User], direction: str) -> QuerySet[Contact]:
    """The entries for one direction that count for these people."""
    communities = Membership.objects.filter(user__in=people).exclude(level="").values("community")
    mine = Q(person__in=people) | Q(community__in=communities)
    return Contact.objects.filter(mine).exclude(direction=OTHER_WAY[direction]).select_related("person", "community")


def entry_of(row: Contact) -> Entry:
    """An entry as a sentence names it."""
    zone = ZoneInfo(row.community.timezone if row.community else home_zone(row.person))
    when = row.when.astimezone(zone).date() if row.when else None
    owner = row.person or row.community
    return Entry(row.shown, row.kind, row.assurance, owner.name if owner else "", name_of(row.by), when)


def home_zone(person: User | None) -> str:
    """The time zone of a person's first community."""
    found = Membership.objects.filter(user=person).values_list("community__timezone", flat=True).first()
    return found or "UTC"


def looks_like(found: Found, bound: Bound | None) -> str:
    """The entry that a stranger's address could be taken for."""
    if found.direction == "out" or found.verdict != "hold" or not bound or not found.other:
        return ""
    listed = contacts(found.people, found.direction).exclude(kind=Contact.Kind.BLOCKED)
    return lookalike.like(found.other, listed.values_list("address", flat=True))
