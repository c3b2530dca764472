"""The rows behind a number of a report, for as long as they are kept, the newest first.

In: what a number counts (`Wanted`). Out: lists that are read by parts: of `Way`s, each with what was counted of it and
nothing else, or of `FailedSignIn`s. Nothing is touched or raised.

Each list has as many rows as `reports.tally` counted, by the same rules: *sent*, *abroad*, *deferred* and *asked* are
letters, *received* and the like are deliveries, *held* is a letter at a mailbox, *acts* is a rule that did something.
Only when it counts may be another moment: a letter stands here by when it came, and one that waited for somebody's
leave counted as sent when it might go.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, Final, NamedTuple

from django.db.models import Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When

from domains.models import Mailbox
from policies.models import Answer, Decision, HeldLetter, RuleAct
from policies.models.held import Direction
from reports.models import Delivery, FailedSignIn, Letter, Word
from reports.tracing import Attempt, Letters, Own, Place, Traced, Way, attempt, known_of, way, ways

LETTERS: Final = ("sent", "abroad", "deferred", "asked")
DELIVERIES: Final = ("received", "home", "delivered", "quick", "slow", "bounced", "came", "went")  # the last: by domain
STATIONS: Final = ("held", "let", "kept", "waiting", "acts")
SIGN_INS: Final = ("failed",)
WHAT: Final = (*LETTERS, *DELIVERIES, *STATIONS, *SIGN_INS)
DOMAINS: Final = ("came", "went")
A_MINUTE, A_QUARTER = 60_000, 900_000  # milliseconds, see `reports.tally`
OUT = Direction.OUT.value
NEVER: Final = Q(pk__in=())
Known = tuple[Traced, list[Delivery]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a number counts: one of WHAT, of whose mailboxes, in which spans of time, with which domain outside."""

    what: str
    own: Own
    spans: tuple[tuple[datetime, datetime], ...]
    domain: str = ""

    def during(self, name: str) -> Q:
        """A moment is in one of the spans; the end of each is left out."""
        within = (Q(**{f"{name}__gte": since, f"{name}__lt": until}) for since, until in self.spans)
        return reduce(or_, within, NEVER)


class Rows:
    """A list whose parts are read when they are asked for: `found` has them, `read` makes rows of some."""

    def __init__(self, found: Any, read: Callable[[Iterable[Any]], list[Way]]) -> None:
        """Ask nothing yet."""
        self.found, self.read = found, read

    def __len__(self) -> int:
        """How many there are."""
        return self.found.count() if isinstance(self.found, QuerySet) else len(self.found)

    def __getitem__(self, part: slice) -> list[Way]:
        """Some of them."""
        return self.read(self.found[part])


def rows(wanted: Wanted) -> Rows:
    """The letters or deliveries that a number counts, as `Way`s."""
    if wanted.what in LETTERS:
        return Rows(letters(wanted), lambda places: ways(places, wanted.own))
    if wanted.what in DELIVERIES:
        return Rows(deliveries(wanted), lambda found: single(found, wanted.own))
    return Rows(at_stations(wanted), lambda found: stopped(map(Stop._make, found), wanted.own))


def sign_ins(wanted: Wanted) -> QuerySet[FailedSignIn]:
    """The sessions in which signing in failed."""
    found = FailedSignIn.objects.filter(wanted.during("when"), mailbox__in=wanted.own.keys)
    return found.select_related("client").order_by("-when", "-pk")


def letters(wanted: Wanted) -> Letters:
    """Letters that were sent by one of the logins."""
    tried, under_way = {
        "sent": (~Q(status="dropped"), Q(queued=True)),
        "abroad": (Q(abroad=True), Q(abroad=True)),
        "deferred": (Q(late=True), Q(late=True, queued=True)),
        "asked": (Q(asked=True), Q(asked=True)),
    }[wanted.what]
    during = wanted.during("opened")
    return Letters(
        Delivery.objects.filter(sent_by(wanted.own), during, tried),
        Letter.objects.filter(during, under_way, login__in=wanted.own.logins),
    )


def deliveries(wanted: Wanted) -> QuerySet[Delivery]:
    """What became of letters, at a recipient each."""
    came = Q(mailbox__in=wanted.own.keys, status="sent")
    went = sent_by(wanted.own) & Q(mailbox="", status="sent", abroad=True) & ~Q(relay__text="procmail")
    condition = {
        "received": came,
        "home": came & Q(login__isnull=False),
        "delivered": came | went,
        "quick": (came | went) & Q(milliseconds__lte=A_MINUTE),
        "slow": (came | went) & Q(milliseconds__gt=A_QUARTER),
        "bounced": sent_by(wanted.own) & Q(status="bounced"),
        "came": came & Q(login__isnull=True, sender__text__endswith=f"@{wanted.domain}"),
        "went": went & Q(recipient__text__endswith=f"@{wanted.domain}"),
    }[wanted.what]
    found = Delivery.objects.filter(condition, wanted.during("when"))
    return found.select_related("login", "sender", "recipient", "original", "relay").order_by("-when", "-pk")


def sent_by(own: Own) -> Q:
    """Whose login the letter came with."""
    return Q(login__in=Word.objects.filter(text__in=own.logins))


def single(found: Iterable[Delivery], own: Own) -> list[Way]:
    """A way for each delivery, with nothing of the others."""
    found = list(found)
    known = {place(letter): letter for letter, _rows in known_of({(r.host, r.queue_id, r.opened) for r in found})}
    return [one_way(known[row.host, row.queue_id, row.opened], attempt(row), own) for row in found]


def one_way(letter: Traced, one: Attempt, own: Own) -> Way:
    """A letter with what became of it at one recipient."""
    return Way(letter, bool(letter.login) and letter.login in own.logins, (one,), own.keys)


def place(letter: Traced) -> Place:
    """Which letter it is."""
    return letter.host, letter.queue_id, letter.opened


class Stop(NamedTuple):
    """A letter at one of the stations before a mailbox, or on its way out. `key`: of the mailbox. `way`: in, out."""

    host: str
    queue_id: str
    key: str
    when: datetime
    author: str
    way: str


def at_stations(wanted: Wanted) -> QuerySet[Any, Any]:
    """`Stop`s as plain values. What was held and let in has the decision of the second time; its first is the row's."""
    if wanted.what == "acts":
        acts = RuleAct.objects.filter(wanted.during("when"), key__in=wanted.own.keys)
        return stops(acts, "queue_id", "when", text(""), text("in")).order_by("-at", "queued_as")
    rows = HeldLetter.objects.filter(wanted.during("arrived"), key__in=wanted.own.keys)
    name = Case(When(direction=OUT, then=F("name")), default=F("queue_id"))
    if wanted.what != "held":
        return stops(answered(rows, wanted.what), name, "arrived", F("author"), F("direction")).order_by(
            "-at", "queued_as"
        )
    decided = Decision.objects.filter(wanted.during("when"), key__in=wanted.own.keys, verdict="hold")
    known = decided.filter(host=OuterRef("host"), queue_id=OuterRef("queue_id"), key=OuterRef("key"))
    others = rows.filter(~Exists(known), direction=Direction.IN)
    first, second = (
        stops(found, "queue_id", when, F("author"), text("in"))
        for found, when in ((decided, "when"), (others, "arrived"))
    )
    return first.union(second, all=True).order_by("-at", "queued_as")


def answered(rows: QuerySet[HeldLetter], what: str) -> QuerySet[HeldLetter]:
    """Those that were let in, kept out, or wait, as `reports.figures.held` counts them."""
    if what == "waiting":
        return rows.filter(state=HeldLetter.State.WAITING)
    said = {"let": ("ONCE", "ALWAYS"), "kept": ("NO", "BLOCK")}[what]
    answers = Answer.objects.filter(choice__in=[Answer.Choice[name] for name in said])
    return rows.filter(pk__in=answers.values("question__letter"))


def stops(found: QuerySet[Any], name: Any, when: str, author: Any, way: Any) -> QuerySet[Any, Any]:
    """The columns of a `Stop`, under names that no table has; two of one row are told apart."""
    name = F(name) if isinstance(name, str) else name
    columns = {"queued_as": name, "mailbox_key": F("key"), "at": F(when), "from_whom": author, "direct": way}
    named: QuerySet[Any, Any] = found.order_by().annotate(**columns).values_list("host", *columns)
    return named


def text(value: str) -> Value:
    """A text that all rows have."""
    return Value(value, output_field=CharField())


def stopped(found: Iterable[Stop], own: Own) -> list[Way]:
    """A way for each stop: the whole of a letter on its way out, else what became of it at that mailbox."""
    found = list(found)
    ids = {stop.queue_id for stop in found}
    tried = Delivery.objects.filter(queue_id__in=ids).values_list("host", "queue_id", "opened")
    under_way = Letter.objects.filter(queue_id__in=ids).values_list("host", "queue_id", "opened")
    known: dict[tuple[str, str], list[Known]] = defaultdict(list)
    for letter, deliveries in known_of({*tried, *under_way}):
        known[letter.host, letter.queue_id].append((letter, deliveries))
    addresses = dict(Mailbox.objects.filter(key__in={stop.key for stop in found}).values_list("key", "address"))
    return [stopped_way(stop, nearest(stop, known), own, addresses.get(stop.key, "")) for stop in found]


def nearest(stop: Stop, known: Mapping[tuple[str, str], list[Known]]) -> Known:
    """The letter that stopped: an id may be given anew. What the mail log does not tell of, the station does."""
    found = known.get((stop.host, stop.queue_id), [])
    unknown = Traced(stop.host, stop.queue_id, stop.when, "", stop.author, 0, queued=stop.way != OUT), list[Delivery]()
    return min(found, key=lambda one: abs(one[0].opened - stop.when), default=unknown)


def stopped_way(stop: Stop, known: Known, own: Own, address: str) -> Way:
    """All of a letter that goes out; of one that came in, what became of it at the mailbox."""
    letter, found = known
    if stop.way == OUT:
        return way(letter, found, own)
    here = tuple(attempt(row) for row in found if row.mailbox == stop.key)
    sent = bool(letter.login) and letter.login in own.logins
    return Way(letter, sent, here or (Attempt(address, "", stop.key, stop.when, "sent"),), own.keys)
