"""A letter's way through the mail host in words, for its page. In: a `Way`. Out: `Step`s in the order they happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.rules import shown_address
from reports.models import Delivery
from reports.tracing import Way


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: its mark, the sentence, what can be done, and what a program said, word for word."""

    when: datetime
    state: str  # passed, waiting, failed
    sentence: str
    remedy: str = ""
    said: str = ""

    @property
    def mark(self) -> str:
        """The shape beside the sentence."""
        return {"passed": "✓", "waiting": "◐", "failed": "✕"}[self.state]


def steps(way: Way) -> list[Step]:
    """The whole way."""
    return sorted([came(way), *waits(way), *map(tried, way.deliveries)], key=lambda step: step.when)


def came(way: Way) -> Step:
    """How it came in."""
    letter = way.letter
    if way.sent:
        return Step(letter.opened, "passed", _("You handed it over to the mail host."))
    if letter.sender:
        sentence = _("It came in from %(address)s.") % {"address": shown_address(letter.sender)}
    else:
        sentence = _("It came in without a sender, as reports do.")
    return Step(letter.opened, "passed", sentence)


def waits(way: Way) -> Iterator[Step]:
    """A letter that is held until somebody says that it may go, or was."""
    letter = way.letter
    if letter.late and not letter.queued and not letter.over:
        yield Step(letter.opened, "waiting", _("It waits for an answer."), _("Somebody who looks after you is asked."))
    elif letter.over and not letter.queued:
        yield Step(letter.opened, "failed", _("It was not let go, and is gone."))


def tried(one: Delivery) -> Step:
    """What became of it at one recipient."""
    values = {"address": shown_address(one.recipient), "host": one.relay.partition("[")[0]}
    if one.status == "sent" and one.mailbox:
        return Step(one.when, "passed", _("It lies in the mailbox of %(address)s.") % values)
    if one.status == "sent":
        return Step(one.when, "passed", _("%(host)s has taken it for %(address)s.") % values, "", one.reply)
    if one.status == "bounced":
        remedy = _("Look at the address, or ask her or him another way; the sender got a report.")
        return Step(one.when, "failed", _("It could not be delivered to %(address)s.") % values, remedy, one.reply)
    until = _("It is tried again by itself, for five days; after that the sender gets a report.")
    return Step(one.when, "waiting", _("It could not be delivered to %(address)s yet.") % values, until, one.reply)
