"""What a person should know before an entry is saved, and what changes by it.

In: whose list, the entries somebody wrote. Out: `Draft`s with sentences in the reader's language. Nothing is touched
or raised. The number of queries does not grow with the number of entries.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _, ngettext

from accounts.models import Community, Membership, User
from accounts.rules import shown_address
from domains.models import Domain, Mailbox
from policies import levels, rules
from policies.lists import spelled
from policies.lookalike import like
from policies.models import Contact

Owner = User | Community
# At these levels nobody is a stranger.
FREE = {level for level, row in levels.TABLE.items() if row["incoming"] == row["outgoing"] == "anyone"}


@dataclass
class Draft:
    """An entry before it is saved. `line`: where it was written. `told`: what to know. `like`: what it looks like.

    `error`: why it cannot be saved. `there`: it stands in the list already. `again`: it has to be typed once more.
    `idle`: nobody may do more by it than before. `wrong`: it was typed once more, and otherwise.
    """

    row: Contact
    line: int = 1
    error: str = ""
    there: bool = False
    again: bool = False
    like: str = ""
    told: list[str] = field(default_factory=list)
    idle: bool = False
    wrong: bool = False

    @property
    def new(self) -> bool:
        """It can be saved."""
        return not (self.error or self.there)

    def rehearsed(self) -> Contact:
        """The row for a rehearsal, as if it had been typed once more."""
        row = copy(self.row)
        row.confirmed = self.again
        return row

    @property
    def counts(self) -> bool:
        """Something is otherwise once it is saved."""
        return self.new and not self.idle

    @property
    def doubted(self) -> bool:
        """Needs a second look."""
        return self.again or bool(self.like)


class Known:
    """What the drafts of one list are compared with."""

    def __init__(self, owner: Owner) -> None:
        bound = memberships(owner)
        communities = {one.community_id for one in bound}
        own = Q(community=owner) if isinstance(owner, Community) else Q(person=owner)
        self.owner = owner
        self.levels = {one.level for one in bound}
        self.own = {row.address: row for row in Contact.objects.filter(own)}
        above = Contact.objects.filter(community__in=communities).exclude(own)
        self.above = {row.address: row for row in above}
        people = Mailbox.objects.filter(people__memberships__community__in=communities)
        self.family = set(people.values_list("address", flat=True))
        self.domains = set(Domain.objects.values_list("name", flat=True))
        self.named = {*self.own, *self.above, *self.family}

    def rows(self) -> Iterable[Contact]:
        """Every entry that counts here."""
        return (*self.own.values(), *self.above.values())


def memberships(owner: Owner) -> QuerySet[Membership]:
    """What binds whom a list is for."""
    rows = owner.memberships.exclude(level="")
    found: QuerySet[Membership] = rows
    return found


def draft(known: Known, row: Contact, line: int = 1) -> Draft:
    """One entry, and what to know about it."""
    found = Draft(row, line, there=row.address in known.own and row.pk is None)
    if found.there:
        return found
    found.again = bool(rules.danger(row.address, row.kind, known.domains))
    found.like = "" if row.kind == Contact.Kind.BLOCKED else like(row.address, known.named - {row.address})
    idle = [sentence for sentence in (never(known, row), covered(known, row), without_effect(known, row)) if sentence]
    found.idle, found.told = bool(idle), [*filter(None, [danger(known, row)]), *idle]
    if found.like:
        facts = {"like": shown_address(found.like)}
        found.told.append(_("It looks like %(like)s, which is listed, and is another address.") % facts)
    return found


def danger(known: Known, row: Contact) -> str:
    """It lets in people nobody thought of."""
    sentence = rules.danger(row.address, row.kind, known.domains)
    if not sentence:
        return ""
    if sentence == rules.PROVIDER:
        told = _("This lets in anyone in the world with an address at %(entry)s.")
    elif sentence == rules.SUFFIX:
        told = _("This lets in everyone who owns a name that ends in %(entry)s.")
    else:
        told = _("%(entry)s is a domain of this host: this lists everyone who has an address in it.")
    return told % {"entry": row.shown}


def never(known: Known, row: Contact) -> str:
    """It can never act: of the same address, or the same without its extension, something stricter says no."""
    forms = [row.address] if row.address.startswith("@") else spelled(row.address)
    others = [
        known.above.get(row.address),
        *(rows.get(form) for form in forms[1:] for rows in (known.own, known.above)),
    ]
    blocking = next((other for other in others if other and other.kind == Contact.Kind.BLOCKED), None)
    if row.kind != Contact.Kind.ALLOWED or blocking is None:
        return ""
    return _("It can never act: %(entry)s is blocked, which counts for more.") % {"entry": blocking.shown}


def covered(known: Known, row: Contact) -> str:
    """Somebody else's entry says the same already."""
    if row.kind == Contact.Kind.BLOCKED:
        return ""
    if row.address in known.family:
        return _("No entry is needed: family and colleagues write to each other anyway.")
    covering = next((other for other in known.rows() if covers(other, row)), None)
    return _("It is covered already: the list has %(entry)s.") % {"entry": covering.shown} if covering else ""


def covers(other: Contact, row: Contact) -> bool:
    """An entry lets in whom another one would let in, and asks for no more."""
    wide = other.direction in (Contact.Direction.BOTH, row.direction)
    asks = other.assurance == Contact.Assurance.UNPROVEN or row.assurance != Contact.Assurance.UNPROVEN
    lets = other.kind != Contact.Kind.BLOCKED and other.pk != row.pk
    return lets and wide and asks and rules.matches(other.address, row.address)


def without_effect(known: Known, row: Contact) -> str:
    """At the level of whom the list is for this changes nothing."""
    if row.kind != Contact.Kind.ALLOWED or not known.levels:
        return ""
    if known.levels <= levels.WITHOUT_LIST:
        return _("It has no effect at this level: only your own people may write and be written to.")
    if known.levels <= FREE:
        return _("At this level anyone may write anyway: this entry only asks this sender for proof.")
    return ""


def difference(drafts: Iterable[Draft], name: str, letters: int) -> list[str]:
    """What changes when these are saved, in sentences."""
    rows = [one.row for one in drafts if one.counts]
    blocked = [row for row in rows if row.kind == Contact.Kind.BLOCKED]
    let = [row for row in rows if row not in blocked]
    told = more([row for row in let if not row.address.startswith("@")], name)
    told += everybody([row for row in let if row.address.startswith("@")], name)
    if blocked:
        sentence = ngettext("%(count)s more is blocked.", "%(count)s more are blocked.", len(blocked))
        told.append(sentence % {"count": len(blocked)})
    return [*told, moved(letters)] if letters else told


def more(rows: Sequence[Contact], name: str) -> list[str]:
    """How many more people may write, and be written to."""
    told = []
    ways = {way: sum(row.direction == way for row in rows) for way in ("both", "in", "out")}
    if both := ways["both"]:
        sentence = ngettext(
            "%(count)s more person may write to %(name)s, and be written to.",
            "%(count)s more people may write to %(name)s, and be written to.",
            both,
        )
        told.append(sentence % {"count": both, "name": name})
    if writing := ways["in"]:
        sentence = ngettext(
            "%(count)s more person may write to %(name)s.", "%(count)s more people may write to %(name)s.", writing
        )
        told.append(sentence % {"count": writing, "name": name})
    if written := ways["out"]:
        sentence = ngettext(
            "%(name)s may write to %(count)s more person.", "%(name)s may write to %(count)s more people.", written
        )
        told.append(sentence % {"count": written, "name": name})
    return told


def everybody(rows: Iterable[Contact], name: str) -> list[str]:
    """Who of a whole domain may do what."""
    sentences = {
        "both": _("Everybody at %(domain)s may write to %(name)s, and be written to."),
        "in": _("Everybody at %(domain)s may write to %(name)s."),
        "out": _("%(name)s may write to everybody at %(domain)s."),
    }
    return [sentences[row.direction] % {"domain": row.shown[1:], "name": name} for row in rows]


def moved(letters: int) -> str:
    """What becomes of letters that wait."""
    sentence = ngettext(
        "%(count)s waiting letter will be delivered now.", "%(count)s waiting letters will be delivered now.", letters
    )
    return sentence % {"count": letters}
