"""Parents are told: who may answer what waits gets a letter about it, from the panel's own login.

In: open questions, who may answer them, what was told, a moment. Out: letters to this machine's mail host, and a
`Notice` for each that it took. Touched: those. Raises nothing that can happen on a mail host: what it does not take is
logged, and tried again the next time.

Asked are the guardians of a protected person and the owners and managers above a member, each in his own community,
never an administrator as such. The row is written after the mail host answered 250. Whoever dies in between has sent a
letter that nobody knows of, and it is sent again: rather told twice than not at all. Both carry the same Message-ID,
which many programs show once.
"""

import hashlib
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.urls import reverse
from django.utils import translation

from deploy import services
from deploy.models import MailHost
from policies import notice_words
from policies.keepers import Keeper, asked_now
from policies.models import Notice
from policies.notices import Letter, Told, due

LONGEST_WAIT: Final = timedelta(days=60)  # no letter is held that long: what was told before matters no more
AFTER_A_REFUSAL: Final = 600  # seconds
Submit = Callable[[EmailMessage, str], None]
logger = logging.getLogger(__name__)


def tell(host: str, now: datetime) -> None:
    """Send what is due, on the primary host; a second worker that comes meanwhile leaves it to the first."""
    if not MailHost.objects.filter(name=host, role=MailHost.Role.PRIMARY, ahead=0).exists():
        return
    try:
        with services.alone("notices"):
            tell_everybody(now, services.own_address(), services.submit)
    except services.Busy:
        return
    except (services.LayoutError, services.NotTaken) as error:
        logger.warning("Nobody was told of what waits: %s", error)


def tell_everybody(now: datetime, author: str, submit: Submit) -> None:
    """The letter of each person that is due, one after the other; raises NotTaken while the mail host is down."""
    keepers = asked_now()
    told = told_before(keepers, now)
    for to, keeper in sorted(keepers.items()):
        letter = due(now, keeper.zone, [keeper.asked[number] for number in sorted(keeper.asked)], told[to])
        if letter and not cache.get(waits(to)):
            send(keeper, letter, now, author, submit)


def send(keeper: Keeper, letter: Letter, now: datetime, author: str, submit: Submit) -> None:
    """Submit one letter, then write down that it was sent. Somebody who cannot be told is left alone for a while."""
    try:
        submit(written(keeper, letter, now, author), keeper.to)
    except services.NotTaken as error:
        if not error.refused:
            raise
        logger.warning("%s", error)
        cache.set(waits(keeper.to), True, AFTER_A_REFUSAL)
    else:
        Notice.objects.create(to=keeper.to, when=now, digest=letter.digest, newest=letter.newest)


def waits(to: str) -> str:
    """Under which name it is remembered that somebody's mailbox refused."""
    return f"notice-{hashlib.sha256(to.encode()).hexdigest()}"


def written(keeper: Keeper, letter: Letter, now: datetime, author: str) -> EmailMessage:
    """The letter as it is sent, in the person's language."""
    mail = EmailMessage()
    name = f"{keeper.to} {letter.newest} {letter.digest}"
    with translation.override(keeper.language):
        mail["Subject"] = notice_words.subject(letter)
        text = notice_words.text(letter, keeper.name, settings.MAILADMIN_URL + reverse("waiting-list"))
    mail["From"] = Address("Mailadmin", addr_spec=author)
    mail["To"] = Address(keeper.name, addr_spec=keeper.to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{hashlib.sha256(name.encode()).hexdigest()[:32]}@{author.partition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail


def told_before(keepers: Iterable[str], now: datetime) -> Mapping[str, list[Told]]:
    """What each was told lately."""
    found: dict[str, list[Told]] = defaultdict(list)
    rows = Notice.objects.filter(to__in=list(keepers), when__gt=now - LONGEST_WAIT)
    for to, when, digest, newest in rows.values_list("to", "when", "digest", "newest"):
        found[to].append(Told(when, digest, newest))
    return found
