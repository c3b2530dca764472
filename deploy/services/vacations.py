"""Who writes to somebody who is away is told so: once in some days, and only who is a person and wrote to her.

In: the host, the moment. Out: answers, handed to this machine's mail host, and a row of `Reply` for each. Touched:
those, and the heads of letters that the dispatcher laid aside. Raises nothing that can happen on a mail host: what it
does not take is logged, and tried again the next time.

The states of a head: it waits; the row is written, and the answer is on its way; the head is gone. The row comes first:
whoever is killed in between has told somebody nothing, which is better than the same twice. A mail host that is down
takes nothing: the row goes again and the head stays, for a day. What is not answered is just taken away.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.translation import gettext as _

from deploy.host import away, replies, shadow, submission
from deploy.host.dryrun import addresses
from deploy.host.layout import Layout
from deploy.host.release import ReleaseError
from deploy.host.replies import Asked, NotAnswered, Words
from deploy.host.shadow import ShadowError
from deploy.host.submission import NotTaken
from deploy.models import MailHost
from deploy.render.book import Book
from deploy.render.quoting import Unwritable
from deploy.services import Busy, LayoutError, alone, layout
from domains.models import Mailbox
from policies.models import Reply, Vacation
from policies.reach import Reach

MOST_AT_ONCE: Final = 100  # heads in one look
MOST_A_DAY: Final = 100  # answers of one mailbox
DAY: Final = timedelta(days=1)
KEPT: Final = timedelta(days=100)  # longer than anybody waits before he answers the same again
Submit = Callable[[bytes, str], None]
logger = logging.getLogger(__name__)


def tell(host: str, now: datetime) -> None:
    """Look at what waits, on the primary host; a second worker that comes meanwhile leaves it to the first."""
    if not MailHost.objects.filter(name=host, role=MailHost.Role.PRIMARY).exists():
        return
    try:
        here = layout()
        with alone("away"):
            look(here, away.found(here)[:MOST_AT_ONCE], now, partial(submission.answer, here))
    except Busy:
        return
    except (LayoutError, NotTaken, ReleaseError, ShadowError, Unwritable, OSError) as error:
        logger.warning("Nobody was told who is away: %s", error)


def look(here: Layout, waiting: Iterable[away.Waiting], now: datetime, submit: Submit) -> None:
    """Answer each, or do not, and take it away; raise NotTaken or ShadowError while the mail host is down."""
    waiting = list(waiting)
    if not waiting:
        return
    known, gone = addresses(here, now), leaves({one.key for one in waiting}, now)
    Reply.objects.filter(when__lt=now - KEPT).delete()
    for one in waiting:
        try:
            vacation = gone.get(one.key)
            if vacation:
                reply(here, one, vacation, known, now, submit)
        except NotAnswered as reason:
            logger.info("A letter to %s is not answered: %s", one.key, reason)
        away.drop(one)


def leaves(keys: Iterable[str], now: datetime) -> Mapping[str, Vacation]:
    """Who is away now, by the key of the mailbox."""
    rows = Vacation.objects.filter(mailbox__key__in=list(keys), mailbox__active=True)
    rows = rows.select_related("mailbox__domain__community").prefetch_related("mailbox__people")
    return {row.mailbox.key: row for row in rows if is_away(row, now)}


def is_away(vacation: Vacation, now: datetime) -> bool:
    """Whether today is one of the days, where she lives; of a mailbox that nobody may use, nobody is away."""
    today = now.astimezone(zone(vacation.mailbox)).date()
    usable = any(person.active for person in vacation.mailbox.people.all())
    return vacation.first <= today <= vacation.last and usable


def zone(mailbox: Mailbox) -> ZoneInfo:
    """The time zone of the mailbox's community."""
    community = mailbox.domain.community
    return ZoneInfo(community.timezone if community else "UTC")


def reply(here: Layout, one: away.Waiting, vacation: Vacation, known: Book, now: datetime, submit: Submit) -> None:
    """Answer one letter; raise NotAnswered."""
    head = away.read(one)
    if head is None:
        raise NotAnswered("head")
    asked = replies.asked(head, now)
    refuse(asked, vacation, known, now)
    if not may_write(here, vacation.mailbox, known, asked.sender):
        raise NotAnswered("bound")
    mail = replies.written(asked, words(vacation, asked), now, message_id(one, vacation.mailbox))
    row = Reply.objects.create(key=one.key, to=asked.sender, when=now)
    try:
        submit(mail, asked.sender)
    except NotTaken as error:
        if not error.refused:
            row.delete()
            raise
        raise NotAnswered("refused") from error


def refuse(asked: Asked, vacation: Vacation, known: Book, now: datetime) -> None:
    """Raise NotAnswered for oneself, who did not write to her, who was told, and for the one that is too many."""
    mailbox, own = vacation.mailbox, {vacation.mailbox.address}
    if known.ends(asked.sender) == own:
        raise NotAnswered("oneself")
    if not any(known.ends(name) == own for name in asked.named):
        raise NotAnswered("unnamed")
    told = Reply.objects.filter(key=mailbox.key)
    begun = datetime.combine(vacation.first, time(), zone(mailbox))
    if told.filter(to=asked.sender, when__gt=max(begun, now - vacation.days * DAY)).exists():
        raise NotAnswered("told")
    if told.filter(when__gt=now - DAY).count() >= MOST_A_DAY:
        raise NotAnswered("many")


def may_write(here: Layout, mailbox: Mailbox, known: Book, to: str) -> bool:
    """Whether every one of the mailbox's people may write there: the door is asked, for each of their logins."""
    box = known.mailboxes.get(mailbox.address)
    if box is None:
        return False
    if not box.logins:
        people = list(mailbox.people.all())
        reach = Reach(people, [to])
        return not any(reach.refuses(person, to) for person in people)
    return all(opens(here, login, to) for login in box.logins)


def opens(here: Layout, login: str, to: str) -> bool:
    """What the door says to a login about a recipient; raise ShadowError where it cannot say now."""
    code, text = shadow.ask(here, to, login=login, sender=login)
    if code // 100 == 4:
        raise ShadowError(f"The door says {code} {text[:100]}")
    return code // 100 == 2


def words(vacation: Vacation, asked: Asked) -> Words:
    """What is answered, in the person's language where she has not said it herself."""
    people, community = list(vacation.mailbox.people.all()), vacation.mailbox.domain.community
    language = next((person.language for person in people if person.language), community.language if community else "")
    with translation.override(language or "en"):
        subject = vacation.subject or (f"Re: {asked.subject}" if asked.subject else _("Re: your letter"))
    return Words(people[0].name if len(people) == 1 else "", vacation.mailbox.address, subject, vacation.text)


def message_id(one: away.Waiting, mailbox: Mailbox) -> str:
    """The same for the same letter."""
    name = hashlib.sha256(f"{one.key} {one.path.name}".encode("utf-8", "surrogateescape"))
    return f"<{name.hexdigest()[:32]}@{mailbox.address.partition('@')[2]}>"
