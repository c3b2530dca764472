"""Who may read what of the audit log, and what is looked for in it.

In: who reads, what was typed. Out: a query; each entry as this person may see it. Nothing is touched or raised.

Administrators see that everything happened. Guardians and owners see what concerns the people and addresses of their
own community, as it was when the entry was written; one that concerns nobody's community is the administrator's alone.

Lists, rules, levels, answers of somebody are for her and for who keeps her list (`policies.rights`); those of a whole
community for its guardians and owners. Everybody else, an administrator too, sees that something changed, when, by whom
and whose it is, and no more: neither in the entry, nor by looking for words that are in it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final

from django.db.models import OuterRef, Q, QuerySet, Subquery

from accounts.hidden import SIGN
from accounts.models import AuditEntry, Membership, User
from accounts.wishes import numbers
from policies.rights import KEEPERS, kept_people

OPEN: Final = frozenset(
    {"act", "acknowledgement", "alias", "community", "domain", "mailbox", "mailboxperson", "membership", "user"}
)
# What is one's own; a kind that is not named anywhere here is that too.
PRIVATE: Final = frozenset({"answer", "contact", "filterrule", "forwarding", "spam", "usagepolicy", "vacation"})
OF_COMMUNITIES: Final = frozenset({"contact", "usagepolicy"})  # without a person: the community's own
HIDDEN: Final[Mapping[str, frozenset[str]]] = {"membership": frozenset({"level", "overrides", "protection"})}
AFTER: Final = {"contact": " of ", "answer": " in letter "}  # what stands before this is a stranger's address
MASK: Final = "•••"
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; what is empty matters not. `since` and `until`: days, both included."""

    text: str = ""
    who: str = ""
    kind: str = ""
    door: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry as somebody may see it. `hidden`: something of it is not for her."""

    entry: AuditEntry
    what: str
    before: Values | None
    after: Values | None
    hidden: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads. `communities`: those whose guardian or owner she is; `kept`: the people whose lists she keeps."""

    administrator: bool
    communities: frozenset[int]
    kept: frozenset[int]

    @classmethod
    def of(cls, person: User) -> "Reader":
        """What somebody may read, just now."""
        roles = Membership.objects.filter(user=person, role__in=KEEPERS)
        communities = frozenset(roles.order_by().values_list("community", flat=True))
        return cls(person.administrator, communities, frozenset({person.pk, *kept_people(person)}))

    @staticmethod
    def is_one(person: User) -> bool:
        """Somebody for whom there is anything to read: the same as `reads`, in one query at most."""
        return person.administrator or Membership.objects.filter(user=person, role__in=KEEPERS).exists()

    @property
    def reads(self) -> bool:
        """There is anything for her to read."""
        return self.administrator or bool(self.communities)

    def entries(self) -> QuerySet[AuditEntry]:
        """Every entry of which she may know, the newest first."""
        found = AuditEntry.objects.order_by("-pk")
        return found if self.administrator else found.filter(self._in_hers())

    def sought(self, asked: Asked, zone: tzinfo) -> QuerySet[AuditEntry]:
        """Those of them that were asked for. What is hidden from her cannot be looked for either."""
        found = self.entries()
        if asked.text:
            opened = self._opened()
            found = found.filter(opened & Q(what__icontains=asked.text) | ~opened & Q(whose__icontains=asked.text))
        if asked.who:
            found = found.filter(who__icontains=asked.who)
        if asked.kind:
            found = found.filter(kind=asked.kind)
        if asked.door:
            found = found.filter(door=asked.door)
        if asked.since:
            found = found.filter(when__gte=datetime.combine(asked.since, time(), zone))
        if asked.until:
            found = found.filter(when__lt=datetime.combine(asked.until + timedelta(days=1), time(), zone))
        return found

    def seen(self, entry: AuditEntry) -> Seen:
        """An entry without what is not for her."""
        if entry.kind in OPEN:
            hidden = frozenset() if self._keeps(entry) else HIDDEN.get(entry.kind, frozenset())
            touched = hidden.intersection({**(entry.before or {}), **(entry.after or {})})
            return Seen(entry, entry.what, masked(entry.before, hidden), masked(entry.after, hidden), bool(touched))
        if self._keeps(entry):
            return Seen(entry, entry.what, entry.before, entry.after, hidden=False)
        return Seen(entry, without_address(entry), emptied(entry.before), emptied(entry.after), hidden=True)

    def _keeps(self, entry: AuditEntry) -> bool:
        if entry.person is not None:
            return entry.person in self.kept
        own = any(f" {community} " in entry.communities for community in self.communities)
        return own and entry.kind in OF_COMMUNITIES

    def _opened(self) -> Q:
        """The entries of which `seen` shows the whole name: the same as `_keeps` says of each."""
        own = Q(kind__in=OF_COMMUNITIES, person=None) & self._in_hers()
        return Q(kind__in=OPEN) | Q(person__in=self.kept) | own

    def _in_hers(self) -> Q:
        found = Q(pk__in=[])
        for community in sorted(self.communities):
            found |= Q(communities__contains=numbers([community]))
        return found


def masked(values: Values | None, hidden: frozenset[str]) -> Values | None:
    """The same without what these fields hold."""
    return None if values is None else {name: MASK if name in hidden else value for name, value in values.items()}


def emptied(values: Values | None) -> Values | None:
    """Whether there was something, and nothing of it."""
    return None if values is None else {}


def without_address(entry: AuditEntry) -> str:
    """What it was about, without a stranger's address; of a kind that is not known nothing but whose it is."""
    if entry.kind not in PRIVATE:
        return f"{SIGN} {entry.whose}".strip()
    if word := AFTER.get(entry.kind):
        return f"{SIGN}{word}{entry.what.partition(word)[2]}"
    return entry.what


def exported(reader: Reader, found: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    """Each entry as data, the newest first, with the digest of the one before it in the whole log."""
    before = AuditEntry.objects.filter(pk__lt=OuterRef("pk")).order_by("-pk").values("digest")[:1]
    for entry in found.annotate(previous=Subquery(before)).iterator(chunk_size=1000):
        seen = reader.seen(entry)
        yield {
            "number": entry.pk,
            "when": entry.when.isoformat(),
            "generation": entry.generation,
            "who": entry.who,
            "door": entry.door,
            "kind": entry.kind,
            "what": seen.what,
            "before": seen.before,
            "after": seen.after,
            "person": entry.person,
            "communities": entry.communities,
            "whose": entry.whose,
            "salt": "" if seen.hidden else entry.salt,
            "hidden": seen.hidden,
            "previous": entry.previous or "",
            "digest": entry.digest,
        }
