"""What would become of a letter? A page or a command asks, the host's agent answers: the story of a `HostRequest`.

In: who asks, a `Trial`. Out: the request, and later its answer: `{"outcomes": [...], "facts": {...}}`, or
`{"error": sentence}`. Touched: HostRequest rows, and a scratch folder of the agent. Raises `Refused` for a letter that
is too large, and for who asks too often.

The letter itself is forgotten as soon as there is an answer, the answer after an hour.
"""

import base64
import binascii
import logging
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.utils import parseaddr
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.rules import Refused, address, gettext_noop as _
from deploy import services
from deploy.host.dryrun import LONGEST, DryRunError, Outcome, Trial, Tried, try_letter
from deploy.host.layout import LayoutError
from deploy.models import HostRequest, MailHost
from deploy.services.requests import answer_each
from domains.models import Mailbox
from policies.rights import held_keys, kept_people

__all__ = ["COMMAND", "LONGEST", "Trial", "answer_asked", "ask", "author_of", "keeps", "may_try"]
VERB: Final = "explain"
COMMAND: Final = "command line"  # whoever may run manage.py sees everything
KEPT: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
MOST_A_MINUTE: Final = 5
Answer = dict[str, Any]
logger = logging.getLogger(__name__)


def ask(author: "User | str", trial: Trial) -> HostRequest:
    """Ask the primary host; whoever asks pokes it as well. A person may ask a few times a minute."""
    if len(trial.letter) > LONGEST:
        raise Refused(_("The letter is larger than 1 MB: leave its attachments out."))
    now, host = timezone.now(), MailHost.objects.filter(role=MailHost.Role.PRIMARY).first()
    if not host:
        raise Refused(_("There is no mail host yet: start it, and try again."))
    arguments = {**asdict(trial), "letter": base64.b64encode(trial.letter).decode("ascii")}
    with transaction.atomic():
        if isinstance(author, User):
            keep_pace(author, now)
        return HostRequest.objects.create(
            host=host, verb=VERB, arguments=arguments, author=str(author), asked=now, expires=now + KEPT
        )


def keep_pace(author: User, now: datetime) -> None:
    """Refuse who has asked often enough this minute; two at once are counted one after the other."""
    User.objects.select_for_update().get(pk=author.pk)
    recent = HostRequest.objects.filter(verb=VERB, author=author.address, asked__gt=now - MINUTE)
    if recent.count() >= MOST_A_MINUTE:
        raise Refused(_("You have tried %(count)d letters in a minute: wait a moment."), count=MOST_A_MINUTE)


def author_of(letter: bytes) -> str:
    """The address of the From line, as most mail programs put it on the envelope; nothing where it is none."""
    head = letter.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    try:
        return address(parseaddr(str(message_from_bytes(head + b"\n\n")["From"] or ""))[1])
    except Refused:
        return ""


def answer_asked(name: str) -> None:
    """Answer every request that this host was asked."""
    stopped = {"error": _("The mail host stopped before it had an answer: ask again.")}
    answer_each(
        name,
        [VERB],
        stopped,
        lambda request, _now: answer(request),
        lambda request, _state, found: finish(request, found),
    )


def finish(request: HostRequest, found: Answer) -> None:
    """Write the answer down, and forget the letter."""
    arguments = {name: value for name, value in request.arguments.items() if name != "letter"}
    state = HostRequest.State.FAILED if "error" in found else HostRequest.State.DONE
    HostRequest.objects.filter(pk=request.pk).update(state=state, answer=found, arguments=arguments)


def answer(request: HostRequest) -> Answer:
    """What would become of the letter, as far as its author may know."""
    try:
        trial = trial_of(request.arguments)
        if request.author == COMMAND:
            return tried(trial).as_json()
        author = User.objects.filter(address=request.author, active=True).first()
        if not author or not may_try(author, trial.login, trial.to):
            return {"error": _("You may try letters from and to the people whose lists you keep.")}
        found = tried(trial)
        return replace(found, outcomes=tuple(shown(author, one) for one in found.outcomes)).as_json()
    except (DryRunError, LayoutError) as error:
        logger.warning("%s", error)
        return {"error": str(error)}


def tried(trial: Trial) -> Tried:
    """Ask the host of this machine."""
    return try_letter(services.layout(), trial, timezone.now())


def trial_of(arguments: Mapping[str, Any]) -> Trial:
    """The trial of a request."""
    try:
        return Trial(**{**arguments, "letter": base64.b64decode(arguments["letter"], validate=True)})
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise DryRunError("The request cannot be read: ask again.") from error


def may_try(author: User, login: str, to: str) -> bool:
    """Her people's letters to anybody; letters to them from herself, from each other and from outside."""
    if login and keeps(author, address=login):
        return True
    return keeps(author, address=to) and (not login or author.mailboxes.filter(address=login).exists())


def keeps(author: User, **mailbox: str) -> bool:
    """Whether the author keeps the lists of all those whom a level binds of a mailbox's people."""
    key = Mailbox.objects.filter(**mailbox).values_list("key", flat=True).first()
    return key in held_keys(kept_people(author))


def shown(author: User, outcome: Outcome) -> Outcome:
    """What somebody else's policy says of a letter is nothing to the author: it goes to him, and that is all."""
    if not outcome.station.startswith("in-") or not outcome.key or keeps(author, key=outcome.key):
        return outcome
    return Outcome(outcome.address, "", "deliver", "out-2")
