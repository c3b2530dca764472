"""What people changed, in words for one reader: each sees of others' lists, levels and rules what she may see.

In: entries of the audit, and who reads. Out: `Line`s in her language; the number of queries does not grow with the
entries. Nothing is touched or raised.

Administrators see that somebody's list or rules were changed, but not what is in them; whoever keeps a list or sorts a
mailbox's letters sees that, but of nobody who had the same address before and was deleted.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from accounts.models import AuditEntry, Community, Membership, User
from domains.models import Domain, Mailbox
from policies.entries import names_of
from policies.models import HeldLetter
from policies.rights import filed_mailboxes, held_keys, kept_communities, kept_people
from policies.sentences.changes import Change, changed, discreet, owner_address
from policies.why import spoken

FILING: Final = frozenset({"filterrule", "vacation", "spam", "forwarding"})
Deleted = dict[str, int]


@dataclass(frozen=True)
class Line:
    """One change: who, when, the sentence."""

    pk: int
    who: str
    when: datetime
    text: str


@dataclass(frozen=True)
class Sight:
    """What a reader may know: of whose lists (people by address, communities by name), and of which mailboxes' rules
    and held letters.
    """

    lists: Collection[str]
    communities: Collection[str]
    filed: Collection[str]
    held: Collection[str]


def sight_of(reader: User) -> Sight:
    """What she may know now."""
    kept = kept_people(reader)
    people = User.objects.filter(pk__in=kept).values_list("address", flat=True)
    communities = kept_communities(reader)
    filed = Mailbox.objects.filter(pk__in=filed_mailboxes(reader)).values_list("address", flat=True)
    return Sight({reader.address, *people}, {one.name for one in communities}, set(filed), held_keys(kept))


@dataclass
class Reading:
    """Entries that are read together, and what is looked up for all of them."""

    entries: Sequence[AuditEntry]
    sight: Sight
    names: dict[str, str] = field(default_factory=dict)
    deleted: Deleted = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        changes = [change_of(entry) for entry in self.entries]
        owners = {owner_address(change) for change in changes} - {""}
        self.names = called(owners | {change.who for change in changes})
        self.deleted = deleted(owners, self.entries)
        self.letters = letters(change for change in changes if change.kind == "answer")

    def openly(self, entry: AuditEntry, change: Change) -> bool:
        """Whether the reader may know all of it."""
        if not discreet(change):
            return True
        if change.kind == "answer":
            return self.letters.get(change.what.rpartition(" in letter ")[2], "") in self.sight.held
        whose = owner_address(change)
        if self.deleted.get(whose, 0) > entry.pk or len(change.what) >= 320:
            return False
        if change.kind in FILING:
            return whose in self.sight.filed
        return whose in self.sight.lists or (change.kind == "contact" and whose in self.sight.communities)

    def line(self, entry: AuditEntry) -> Line:
        """One entry."""
        change = change_of(entry, self.names)
        text = spoken(changed(change, openly=self.openly(entry, change)))
        return Line(entry.pk, change.called(change.who), entry.when, text)


def called(addresses: Iterable[str]) -> dict[str, str]:
    """What people are called, and the command line."""
    return {**names_of(addresses), "command line": _("The command line")}


def change_of(entry: AuditEntry, names: dict[str, str] | None = None) -> Change:
    """An entry as plain data."""
    return Change(entry.who, entry.kind, entry.what, entry.before, entry.after, names or {})


def told(reader: User, groups: Sequence[Sequence[AuditEntry]]) -> list[list[Line]]:
    """Groups of entries in words, in their order; what reads the same in a group is said once."""
    reading = Reading([entry for group in groups for entry in group], sight_of(reader))
    said = ([reading.line(entry) for entry in group] for group in groups)
    return [list({(line.who, line.text): line for line in group}.values()) for group in said]


def lines(reader: User, entries: Sequence[AuditEntry]) -> list[Line]:
    """Entries in words."""
    return told(reader, [entries])[0]


def deleted(labels: Collection[str], entries: Sequence[AuditEntry]) -> Deleted:
    """By label, the last entry by which a person, mailbox or community was deleted, as far as that came after these."""
    first = min((entry.pk for entry in entries if entry.pk), default=0)
    gone = AuditEntry.objects.filter(kind__in=("user", "mailbox", "community"), after__isnull=True, pk__gt=first)
    return {what: pk for what, pk in gone.order_by("pk").values_list("what", "pk") if what in labels}


def letters(changes: Iterable[Change]) -> dict[str, str]:
    """By the number of a held letter, the key of the mailbox."""
    numbers = {change.what.rpartition(" in letter ")[2] for change in changes}
    wanted = [int(number) for number in numbers if number.isdecimal()]
    return {str(pk): key for pk, key in HeldLetter.objects.filter(pk__in=wanted).values_list("pk", "key")}


@dataclass(frozen=True)
class Place:
    """What belongs to a community: its name, its domains, its people."""

    name: str
    domains: Collection[str]
    people: Collection[str]

    def concerns(self, entry: AuditEntry) -> bool:
        """Whether an entry is about it, its people or their addresses."""
        change, what = change_of(entry), entry.what
        if entry.kind == "membership":
            return what.partition(" in ")[2] == self.name
        if entry.kind in ("usagepolicy", "acknowledgement"):
            return what.partition(" of ")[2] == self.name
        if entry.kind in ("mailbox", "alias", "mailboxperson", *FILING):
            return what.rpartition("@")[2] in self.domains
        if entry.kind == "domain":
            return what in self.domains
        return owner_address(change) in self.people or (
            entry.kind in ("community", "contact") and owner_address(change) == self.name
        )


def place_of(community: Community) -> Place:
    """A community as it is now."""
    people = Membership.objects.filter(community=community).values_list("user__address", flat=True)
    domains = Domain.objects.filter(community=community).values_list("name", flat=True)
    return Place(community.name, set(domains), set(people))
