"""What was changed, release by release, for who runs the hosts; and for a community, change by change.

In: who reads, releases, a community. Out: rows for a page; the number of queries does not grow with mailboxes. Nothing
is touched or raised.

A release that nobody wished (the hour made it, or a new version of the product) is folded into one line between those
that somebody did.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import BooleanField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from accounts.models import AuditEntry, Community, User, Wishes
from deploy.models import MailHost, Release
from policies.change_words import Line, called, lines, place_of, told
from policies.household.undo import DOOR

SHORT: Final = 5  # changes of a release in the list
LONG: Final = 200  # on its own page
SCANNED: Final = 2000  # entries that are looked at for one page of a community


@dataclass(frozen=True)
class Row:
    """A release. `more`: not every change is said; `took`: from the first wish to live; `ticks`: unwished ones before.

    `state`: live, past, undone or failed.
    """

    release: Any
    authors: str
    words: Sequence[Line]
    more: bool
    took: timedelta | None
    state: str
    ticks: int = 0


def wished() -> QuerySet[Any]:
    """The releases that somebody wished, and those that failed, the newest first."""
    return every().exclude(author="", status=Release.Status.LIVE).defer("dump", "log")


def every() -> QuerySet[Any]:
    """Every release, with the generation of the one before it and whether its wishes are kept."""
    before = Release.objects.filter(host=OuterRef("host"), pk__lt=OuterRef("pk"), status=Release.Status.LIVE)
    kept = ExpressionWrapper(Q(dump__isnull=False), output_field=BooleanField())
    found = Release.objects.select_related("host").defer("dump")
    return found.annotate(since=Subquery(before.values("generation")[:1]), kept=kept)


def rows(reader: User, releases: Sequence[Any], *, most: int = SHORT, first: bool = False) -> list[Row]:
    """The releases in words. `first`: there is none newer among those that somebody wished."""
    groups = [entries_of(one, most + 1) for one in releases]
    said, names = told(reader, [group[:most] for group in groups]), authors_of(releases)
    states, ticks = states_of(releases), ticks_before(releases, first=first)
    return [
        Row(one, names[one.pk], words, len(group) > most, took(one, group), states[one.pk], ticks[one.pk])
        for one, group, words in zip(releases, groups, said, strict=True)
    ]


def entries_of(one: Any, most: int) -> list[AuditEntry]:
    """What was wished from the release before to this one."""
    return list(wishes_between(one.since or 0, one.generation)[:most])


def wishes_between(after: int, until: int) -> QuerySet[AuditEntry]:
    """What was wished after one generation up to another, in the order in which it was."""
    found = AuditEntry.objects.filter(generation__gt=after, generation__lte=until)
    return found.exclude(kind="act").order_by("pk")


def took(one: Any, entries: Sequence[AuditEntry]) -> timedelta | None:
    """From the first wish of a release to its being live."""
    return one.ended - entries[0].when if entries and one.status == Release.Status.LIVE else None


def authors_of(releases: Iterable[Any]) -> dict[int, str]:
    """Who wished each, by name."""
    addresses = {one.pk: one.author.split(", ") for one in releases}
    names = called({address for found in addresses.values() for address in found})
    return {pk: ", ".join(names.get(address, address) for address in found) for pk, found in addresses.items()}


def states_of(releases: Iterable[Any]) -> dict[int, str]:
    """How each stands."""
    taken = taken_back()
    newest = {host: newest_wished(host) for host in {one.host_id for one in releases}}
    return {one.pk: state_of(one, newest[one.host_id], taken) for one in releases}


def newest_wished(host: int) -> int | None:
    """The newest live release of a host that somebody wished: what came after it by the hour changed no wish."""
    found = Release.objects.filter(host=host, status=Release.Status.LIVE).exclude(author="")
    return found.values_list("pk", flat=True).first()


def state_of(one: Any, current: int | None, taken: Sequence[tuple[int, int]]) -> str:
    """How one stands."""
    if one.status == Release.Status.FAILED:
        return "failed"
    if one.pk == current:
        return "live"
    return "undone" if any(after < one.generation < until for after, until in taken) else "past"


def taken_back() -> list[tuple[int, int]]:
    """Each undo that still holds: the generation it went back to, and the one it made."""
    holding: list[tuple[int, int]] = []
    acts = AuditEntry.objects.filter(kind="act", door=DOOR).order_by("-pk").values_list("after", flat=True)
    for facts in filter(None, acts):
        to, made = facts["to"], facts["made"]
        if not any(start < made < end for start, end in holding):
            holding.append((to, made))
    return holding


def ticks_before(releases: Sequence[Any], *, first: bool) -> dict[int, int]:
    """How many releases that nobody wished came after each and before the next one that somebody did."""
    if not releases:
        return {}
    numbers = sorted(one.pk for one in releases)
    unwished = Release.objects.filter(author="", status=Release.Status.LIVE, pk__gt=numbers[0])
    found = unwished if first else unwished.filter(pk__lt=numbers[-1])
    count = dict.fromkeys(numbers, 0)
    for number in found.values_list("pk", flat=True):
        count[max(one for one in numbers if one < number)] += 1
    return count


@dataclass(frozen=True)
class Pending:
    """What is wished and not live: the first changes, and how many more entries there are."""

    words: Sequence[Line]
    more: int


def pending(reader: User, hosts: Iterable[MailHost]) -> Pending:
    """What waits to go out, on the host that is furthest behind."""
    after, newest = min((host.applied for host in hosts), default=0), Wishes.current()
    found = wishes_between(after, newest)
    first = list(found[:LONG])
    return Pending(lines(reader, first), found.count() - len(first) if len(first) == LONG else 0)


def of_community(reader: User, community: Community, before: int | None, most: int) -> tuple[list[Line], int | None]:
    """The newest changes of a community before an entry, and where the next page begins."""
    place, found = place_of(community), list[AuditEntry]()
    entries = AuditEntry.objects.exclude(kind="act").order_by("-pk")
    looked = list((entries.filter(pk__lt=before) if before else entries)[:SCANNED])
    for entry in looked:
        if place.concerns(entry):
            found.append(entry)
        if len(found) == most:
            break
    end = found[-1].pk if len(found) == most else looked[-1].pk if len(looked) == SCANNED else None
    return lines(reader, found), end
