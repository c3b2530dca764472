"""Answers to held letters are carried out: on the host where they wait, once the wish is live there.

In: the host's name, the moment. Out: rows of `HeldLetter` that are done, or wait with a sentence that says why.
Touched: the letters on the mail host of this machine, and these rows. Raises nothing that can happen on a mail host.

An answer is a wish of some generation, and `always` is worth nothing before the list with the new entry is live: so
nothing is done until the host has applied that generation. The states of a letter, and what a killed worker leaves:
1. it waits: nothing has been asked of the host
2. it waits, `UNDER_WAY`: the host was asked, and may have done it. If the letter is gone then, it was
3. it is done. What the host says it cannot do just now is state 1 with a sentence, and tried again after each apply
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from django.db.models import Q
from django.utils.translation import gettext_noop as _

from accounts.wishes import AuditEntry, Wishes
from deploy import services
from deploy.host import files, held, queue, shadow
from deploy.host.helper import HelperError, NoAnswer
from deploy.host.layout import Layout, LayoutError
from deploy.host.release import ReleaseError
from deploy.host.shadow import ShadowError
from deploy.models import MailHost
from deploy.services import older
from deploy.services.held import index
from deploy.services.questions import answer_to, ask, normal
from policies.models import Answer, HeldLetter

Choice, State = Answer.Choice, HeldLetter.State
PASSES: Final = frozenset({"in-1", "in-3", "in-5", "in-6"})  # stations that let a letter through once
# What became of a letter, for people to read: stored in English, translated where it is shown.
UNDER_WAY: Final = _("It is on its way.")
DELIVERED: Final = _("It was delivered.")
IN_THE_MORNING: Final = _("It was let through, and is delivered in the morning.")
SENT: Final = _("It was sent.")
REFUSED: Final = _("It was not let through.")
HELD_AGAIN: Final = _("It was looked at again, and is still held.")
ONE_MORE: Final = _("It is for somebody else, too, about whom nobody has been asked yet.")
NO_LONGER: Final = _("Somebody whom it is for cannot be written to just now; it is tried again.")
NOT_NOW: Final = _("The mail host cannot do it just now; it is tried again.")
logger = logging.getLogger(__name__)


class NotNow(Exception):
    """The host does not let the letter go; the text is one sentence for people."""


def attend(name: str, *, again: bool = False) -> None:
    """Make rows of what waits on a host, and carry out what is answered; `again`: also what failed before."""
    try:
        here = services.layout()
        with files.locked(here.root / ".held", patience=0):
            now, host = datetime.now(UTC), MailHost.objects.get(name=name)
            if host.ahead or not older.known(host, here):
                return  # an older database: what it says was answered may be answered otherwise by now
            index(host, now)
            carry_out(host, here, now, again=again)
    except files.Busy:
        return  # somebody else is at it, and will be here again in a moment
    except (LayoutError, ReleaseError, OSError) as error:
        logger.error("%s", error)


def carry_out(host: MailHost, here: Layout, now: datetime, *, again: bool) -> None:
    """Every letter whose questions are all answered, by answers that are live."""
    for letter in list(answered(host, again=again)):
        if live(letter, host):
            step(letter, here, now)


def answered(host: MailHost, *, again: bool) -> Iterator[HeldLetter]:
    """Letters that wait and have no open question; those of a list that has changed since have none at all."""
    waiting = HeldLetter.objects.filter(host=host.name, state=State.WAITING)
    fresh = waiting if again else waiting.filter(outcome__in=("", UNDER_WAY))
    some = fresh.filter(Q(questions__answer__isnull=False) | Q(direction="out", questions__isnull=True)).distinct()
    for letter in some.order_by("arrived", "pk").prefetch_related("questions__answer"):
        if all(answer_to(question) for question in letter.questions.all()):
            yield letter


def live(letter: HeldLetter, host: MailHost) -> bool:
    """True when every answer belongs to a generation that the host has applied."""
    if host.applied >= Wishes.current():
        return True
    labels = [answer.label() for answer in answers(letter)]
    entries = AuditEntry.objects.filter(kind="answer", what__in=labels, generation__gt=host.applied)
    return not entries.exists()


def answers(letter: HeldLetter) -> list[Answer]:
    """What was answered, question by question."""
    return [answer for question in letter.questions.all() if (answer := answer_to(question))]


def step(letter: HeldLetter, here: Layout, now: datetime) -> None:
    """Do what is answered, or note why not."""
    choices = {answer.choice for answer in answers(letter)}
    if choices & {Choice.NO, Choice.BLOCK}:
        return letter.end(State.DONE, now, REFUSED)
    try:
        let_in(letter, here, now, choices) if letter.direction == "in" else let_out(letter, here, now)
    except NotNow as reason:
        note(letter, str(reason))
    except NoAnswer as error:
        logger.error("Held letter %d: %s", letter.pk, error)
    except (HelperError, ShadowError) as error:
        logger.error("Held letter %d: %s", letter.pk, error)
        note(letter, NOT_NOW)
    return None


def let_in(letter: HeldLetter, here: Layout, now: datetime, choices: set[str]) -> None:
    """Run a letter that came in through the dispatcher again."""
    passes = letter.station if Choice.ONCE in choices and letter.station in PASSES else "-"
    asked_before = under_way(letter)
    said = held.deliver(here, letter.key, letter.name, passes)
    if said == held.GONE and not asked_before:
        return letter.end(State.GONE, now)
    outcome = {"held": HELD_AGAIN, "later": IN_THE_MORNING}.get(said.partition(" ")[0], DELIVERED)
    return letter.end(State.DONE, now, outcome)


def let_out(letter: HeldLetter, here: Layout, now: datetime) -> None:
    """Let a letter out of the hold queue, if each of its recipients passes now."""
    said = {question.address: answer.choice for question in letter.questions.all() if (answer := answer_to(question))}
    more = [one for one in letter.recipients if not passes(letter, here, one, said.get(normal(one), ""))]
    if more:
        ask(letter, more, [])
        raise NotNow(ONE_MORE)
    asked_before = under_way(letter)
    if queue.release(here, letter.name, letter.arrived, letter.login) == queue.GONE and not asked_before:
        return letter.end(State.GONE, now)
    return letter.end(State.DONE, now, SENT)


def passes(letter: HeldLetter, here: Layout, recipient: str, choice: str) -> bool:
    """Whether a recipient passes; False for one who has to be asked about. Raises NotNow for one who may not."""
    code, text = shadow.ask(here, recipient, login=letter.login, sender=letter.sender, client=letter.client)
    waits = shadow.would_be_held(code, text)
    if code // 100 == 2 or (waits and choice == Choice.ONCE):
        return True
    if waits and not choice:
        return False
    logger.warning("Held letter %d: to %a the door says %d %s", letter.pk, recipient, code, text)
    raise NotNow(NO_LONGER)


def under_way(letter: HeldLetter) -> bool:
    """Note that the host is asked; True when it may have been before."""
    before = letter.outcome == UNDER_WAY
    note(letter, UNDER_WAY)
    return before


def note(letter: HeldLetter, sentence: str) -> None:
    """It still waits, and this is why."""
    letter.outcome = sentence[:300]
    letter.save(update_fields=["outcome"])
