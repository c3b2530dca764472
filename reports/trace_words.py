"""A letter's way through the mail host in words, for its page. In: a `Way`. Out: `Step`s in the order they happened."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.rules import shown_address
from reports.tracing import Attempt, Way


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
    if way.sent:
        return Step(way.opened, "passed", _("You handed it over to the mail host."))
    if way.sender:
        sentence = _("It came in from %(address)s.") % {"address": shown_address(way.sender)}
    else:
        sentence = _("It came in without a sender, as reports do.")
    return Step(way.opened, "passed", sentence)


def waits(way: Way) -> Iterator[Step]:
    """A letter that is held until somebody says that it may go, or was."""
    if way.held and way.over:
        yield Step(way.opened, "failed", _("It was not let go, and is gone."))
    elif way.held:
        yield Step(way.opened, "waiting", _("It waits for an answer."), _("Somebody who looks after you is asked."))


def tried(one: Attempt) -> Step:
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
