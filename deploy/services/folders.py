"""Which folders a mailbox has: a page asks, the host's agent answers.

In: who asks, a mailbox. Out: the request, and later names as people write them, such as `Scuola/Compiti`. Touched:
HostRequest rows, forgotten after ten minutes. Nothing is raised: a host that does not answer has no folders to offer.

Only folders are told into which a letter can be filed, and only to the mailbox's people, and to those who may see what
is in their held letters: the name of a folder can say as much as a subject.
"""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from accounts.models import User
from accounts.rules import Refused
from deploy import services
from deploy.host import helper
from deploy.host.helper import HelperError
from deploy.host.layout import LayoutError
from deploy.models import HostRequest, MailHost
from deploy.services.requests import answer_each
from domains.models import Mailbox
from policies import filters
from policies.rights import may_file, readable

VERB: Final = "folders"
KEPT: Final = timedelta(minutes=10)
MOST: Final = 500
logger = logging.getLogger(__name__)


def ask(author: User, mailbox: Mailbox, now: datetime) -> HostRequest | None:
    """Ask the primary host, unless it is about to answer; None where nothing may be told, or there is no host."""
    host = MailHost.objects.filter(role=MailHost.Role.PRIMARY).first()
    if not host or not may_know(author, mailbox, now):
        return None
    waiting = asked_by(author, mailbox, now).filter(answer__isnull=True).last()
    return waiting or HostRequest.objects.create(
        host=host, verb=VERB, arguments={"key": mailbox.key}, author=author.address, asked=now, expires=now + KEPT
    )


def asked_by(author: User, mailbox: Mailbox, now: datetime) -> QuerySet[HostRequest]:
    """What this person has asked of this mailbox and is not over."""
    own = HostRequest.objects.filter(verb=VERB, author=author.address, expires__gt=now)
    return own.filter(arguments__key=mailbox.key).select_related("host")


def may_know(author: User, mailbox: Mailbox, now: datetime) -> bool:
    """The mailbox's people, and who sorts its letters and may see what is in those that are held."""
    people = list(mailbox.people.all())
    if author in people:
        return True
    return may_file(author, mailbox) and readable(people, now) == {person.pk for person in people}


def names(asked: HostRequest | None) -> list[str]:
    """The folders that a host found, so far."""
    return (asked.answer or {}).get("names", []) if asked else []


def answer_asked(name: str) -> None:
    """Answer every request that this host was asked."""
    answer_each(name, [VERB], {"names": []}, answer)


def answer(request: HostRequest, now: datetime) -> dict[str, Any]:
    """What the host says, as far as the author may know."""
    author = User.objects.filter(address=request.author, active=True).first()
    mailbox = Mailbox.objects.filter(key=request.arguments["key"]).first()
    if not author or not mailbox or not may_know(author, mailbox, now):
        return {"names": []}
    try:
        text = helper.fetch(services.layout(), VERB, mailbox.address).decode("utf-8", "replace")
    except (HelperError, LayoutError) as error:
        logger.warning("%s", error)
        return {"names": []}
    return {"names": [name for name in text.splitlines() if usable(name)][:MOST]}


def usable(name: str) -> bool:
    """Whether a rule may name this folder, letter for letter."""
    try:
        return filters.folder(name) == name
    except Refused:
        return False
