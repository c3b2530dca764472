"""What waits on a mail host, as rows: each held letter once, with the questions that it asks.

In: the host and the moment. Out: rows of `HeldLetter` and `Question`, for every letter in the mail folders and in
Postfix's hold queue. Touched: these rows; a letter that has waited for 30 days is dropped. What the host does not
answer just now is one line in the log, and looked at again the next time.

The states of a letter: it lies on the host without a row; it has one and waits; it is gone, too old or done, and the
row ends with what is no longer private. Each step is a transaction of its own and can be repeated. The number of
queries grows with the letters that are new, not with those that wait or waited.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from deploy.host import held, queue, shadow
from deploy.host.helper import HelperError
from deploy.host.hold import Waiting
from deploy.host.layout import Layout
from deploy.host.shadow import ShadowError
from deploy.models import MailHost
from deploy.services import layout
from deploy.services.questions import add, entries, goes_on, shown
from domains.models import Mailbox
from policies.models import Contact, HeldLetter

KEPT: Final = timedelta(days=30)
MOST_NEW: Final = 200  # letters in one look: more wait for the next
CHUNK: Final = 5_000  # values in one query
BY_HAND: Final = _("Somebody put this letter on hold by hand.")
State, Direction = HeldLetter.State, Contact.Direction
logger = logging.getLogger(__name__)


def index(host: MailHost, now: datetime) -> None:
    """Make the rows equal to what lies on the host."""
    here = layout()
    with in_peace("the mail folders"):
        index_folders(host, here, now)
    with in_peace("the hold queue"):
        index_queue(host, here, now)


@contextmanager
def in_peace(what: str) -> Iterator[None]:
    """What cannot be looked at just now keeps nobody from the rest; the next look comes soon."""
    try:
        yield
    except (HelperError, ShadowError, OSError, ValueError) as error:
        logger.error("Held letters, %s: %s", what, error)


def index_folders(host: MailHost, here: Layout, now: datetime) -> None:
    """Letters that came in."""
    rows, lying = of_host(host, Direction.IN), {(one.key, one.name): one for one in held.found(here)}
    known = set(named(rows, [name for _key, name in lying]))
    for place in [place for place in lying if place not in known][:MOST_NEW]:
        with in_peace(place[1]):
            add_incoming(host, here, lying[place])
    end_vanished(rows, lambda key, name: (key, name) in lying, now)
    for one in lying.values():
        if one.arrived < now - KEPT:
            expire(rows.filter(key=one.key, name=one.name), now, held.drop, here, one.key, one.name)


def index_queue(host: MailHost, here: Layout, now: datetime) -> None:
    """Letters that want to go out."""
    rows, ids = of_host(host, Direction.OUT), queue.waiting(here)
    known, waiting = {name for _key, name in named(rows, ids)}, set(ids)
    for queue_id in [one for one in ids if one not in known][:MOST_NEW]:
        with in_peace(queue_id):
            add_outgoing(host, here, queue_id)
    end_vanished(rows, lambda _key, name: name in waiting, now)
    for row in rows.filter(arrived__lt=now - KEPT, name__in=ids[:CHUNK]).exclude(key=""):
        expire(rows.filter(pk=row.pk), now, queue.drop, here, row.name, row.arrived, row.login)


def of_host(host: MailHost, direction: str) -> QuerySet[HeldLetter]:
    """The rows of a host."""
    return HeldLetter.objects.filter(host=host.name, direction=direction)


def named(rows: QuerySet[HeldLetter], names: list[str]) -> Iterator[tuple[str, str]]:
    """Key and name of those that have one of these names."""
    for start in range(0, len(names), CHUNK):
        yield from rows.filter(name__in=names[start : start + CHUNK]).order_by().values_list("key", "name")


def add_incoming(host: MailHost, here: Layout, one: held.Held) -> None:
    """A new row, and its question: may this author write?"""
    found = held.read(here, one)
    if found is None:
        return
    envelope, letter = found
    row = HeldLetter(
        host=host.name, direction=Direction.IN, key=one.key, name=one.name, arrived=one.arrived, size=one.size,
        station=one.station, reason=one.reason, sender=shown(envelope.sender), recipients=[shown(envelope.recipient)],
    )  # fmt: skip
    box = Mailbox.objects.filter(key=one.key).first()
    add(row, letter, [] if row.silent else [letter.author], entries(box, Direction.OUT))


def add_outgoing(host: MailHost, here: Layout, queue_id: str) -> None:
    """A new row, and a question for each recipient for whom the door would hold the letter now.

    Only the letters of the protected are held by a list. Another is somebody else's business: its row only says so.
    """
    waiting, letter = queue.show(here, queue_id)
    box = Mailbox.objects.filter(address=waiting.login, people__memberships__role="protected").first()
    row = HeldLetter(
        host=host.name, direction=Direction.OUT, key=box.key if box else "", name=queue_id, size=waiting.size,
        arrived=datetime.fromtimestamp(waiting.arrived, UTC), station="out-2", reason="stranger",
        login=waiting.login[:254], client=waiting.client[:60], sender=shown(waiting.sender),
        recipients=list(map(shown, waiting.recipients)),
    )  # fmt: skip
    if box is None:
        return row.end(State.DONE, datetime.now(UTC), BY_HAND)
    strangers = [one for one in waiting.recipients if asks(here, waiting, one)]
    return add(row, letter, strangers, entries(box, Direction.IN))


def asks(here: Layout, waiting: Waiting, recipient: str) -> bool:
    """True when the door would hold a letter to this recipient."""
    said = shadow.ask(here, recipient, login=waiting.login, sender=waiting.sender, client=waiting.client)
    return shadow.would_be_held(*said)


def end_vanished(rows: QuerySet[HeldLetter], lies: Callable[[str, str], bool], now: datetime) -> None:
    """What waits no longer where it lay is gone, unless an answer lets it go on: whoever carries that out says so."""
    waiting = rows.filter(state=State.WAITING)
    vanished = [pk for pk, key, name in waiting.order_by().values_list("pk", "key", "name") if not lies(key, name)]
    for row in rows.filter(pk__in=vanished[:CHUNK]).prefetch_related("questions__answer") if vanished else ():
        if not goes_on(row):
            row.end(State.EXPIRED if row.arrived < now - KEPT else State.GONE, now)


def expire(rows: Iterable[HeldLetter], now: datetime, drop: Callable[..., str], *words: Any) -> None:
    """Drop a letter on the host; its row, if it still waits, ends too."""
    with in_peace("too old"):
        drop(*words)
        for row in rows:
            if row.state == State.WAITING:
                row.end(State.EXPIRED, now)
