"""A letter's way through the mail host in words, for its page.

In: a `Way`, and what was kept back. Out: the `Headline` that says the answer, and `Step`s in the order they happened.
Nothing is touched or raised. Every word of a stranger's (addresses, hosts, what a relay said) is a fact of a sentence
or stands apart: a page isolates it, and shows it as text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.hidden import hidden_address, without_names
from accounts.rules import gettext_noop as _
from deploy.delay_words import reason
from policies.sentences import Said
from policies.templatetags.policy_words import harmless, shown_as
from policies.why import spoken
from reports.trace_held import Kept, KeptLetters, in_mailbox, on_its_way_out
from reports.tracing import Attempt, Way

MARKS: Final[Mapping[str, str]] = {"passed": "✓", "waiting": "◐", "failed": "✕"}
WORDS: Final[Mapping[str, Promise]] = {
    "passed": gettext_lazy("done"),
    "waiting": gettext_lazy("waits"),
    "failed": gettext_lazy("failed"),
}
# What may become of a letter at a recipient, what is worst first: the state, and the sentence that says so.
FATES: Final[Mapping[str, tuple[str, str]]] = {
    "returned": ("failed", _("Came back from %(who)s")),
    "lost": ("failed", _("Given up for %(who)s")),
    "refused": ("failed", _("Held back from %(who)s for good")),
    "held": ("waiting", _("Held, not given to %(who)s")),
    "waits": ("waiting", _("Waits, not yet taken by %(who)s")),
    "delivered": ("passed", _("Delivered to %(who)s")),
}
HELD: Final[Mapping[str, str]] = {"waits": "held", "silent": "held", "gone": "refused", "freed": "delivered"}
ASKED: Final[Mapping[str, str]] = {
    "silent": _("Nobody is asked: it looks like advertising or fraud, or comes from somebody who is blocked."),
    "waits": _("Somebody is asked whether it may come in; an answer within 30 days is in time."),
}
ALL: Final = _("all %(all)s addresses")
SOME: Final = _("%(count)s of %(all)s addresses")


@dataclass(frozen=True, slots=True)
class Headline:
    """The answer: its state, and the sentence."""

    state: str
    told: Said

    @property
    def mark(self) -> str:
        """The shape beside the sentence."""
        return MARKS[self.state]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: the sentence, why, what can be done, and what a program said, word for word.

    `state`: passed, waiting or failed. `held`: the number of the held letter that has a page. `filed`: the key of the
    mailbox whose rules may have filed it. `took`: milliseconds from when the letter came.
    """

    when: datetime
    state: str
    told: Said
    remedy: Said | None = None
    why: str = ""
    said: str = ""
    held: int | None = None
    filed: str = ""
    took: int = 0

    @property
    def mark(self) -> str:
        """The shape beside the sentence."""
        return MARKS[self.state]

    @property
    def word(self) -> Promise:
        """What the shape says."""
        return WORDS[self.state]

    @property
    def sentence(self) -> str:
        """The sentence as plain text."""
        return spoken(self.told)


def headline(way: Way, kept: KeptLetters) -> Headline:
    """What became of the letter: of several recipients, what is worst."""
    letter, out = way.letter, on_its_way_out(kept, way)
    if way.deliveries:
        return worst(way, [fate(way, one, kept) for one in way.deliveries])
    if letter.queued:
        return Headline("waiting", Said(_("On its way")))
    if letter.over or (out and out.state == "gone"):
        return Headline("failed", Said(_("Not let go, and gone")))
    if letter.late or out:
        return Headline("waiting", Said(_("Held until somebody says that it may go")))
    return Headline("failed", Said(_("It has not come in whole")))


def worst(way: Way, fates: list[str]) -> Headline:
    """The headline of a letter that was tried."""
    found = min(fates, key=list(FATES).index)
    (state, text), count = FATES[found], fates.count(found)
    if len(fates) == 1:
        return Headline(
            state, Said(text, {"who": Said("%(address)s", {"address": face(way, way.deliveries[0].recipient)})})
        )
    facts = {"count": str(count), "all": str(len(fates))}
    return Headline(state, Said(text, {"who": Said(ALL if count == len(fates) else SOME, facts)}))


def fate(way: Way, one: Attempt, kept: KeptLetters) -> str:
    """What became of it at one recipient."""
    held = in_mailbox(kept, way, one.mailbox)
    if one.status == "sent":
        return HELD[held.state] if held else "delivered"
    if one.status == "bounced":
        return "returned"
    return "lost" if way.letter.over else "waits"


def steps(way: Way, kept: KeptLetters | None = None) -> list[Step]:
    """The whole way."""
    kept = kept or {}
    tried = (step for one in way.deliveries for step in at(way, one, in_mailbox(kept, way, one.mailbox)))
    return sorted([came(way), *leave(way, on_its_way_out(kept, way)), *tried], key=lambda step: step.when)


def came(way: Way) -> Step:
    """How it came in."""
    letter = way.letter
    if way.sent:
        told = Said(_("%(address)s handed it over to the mail host."), {"address": face(way, letter.login)})
    elif letter.sender:
        told = Said(_("It came in from %(address)s."), {"address": face(way, letter.sender)})
    else:
        told = Said(_("It came in without a sender, as reports do."))
    return Step(letter.opened, "passed", told)


def leave(way: Way, out: Kept | None) -> Iterator[Step]:
    """A letter that is held until somebody says that it may go, or was."""
    letter, pk = way.letter, out.pk if out else None
    if letter.queued:
        if out and out.state == "freed" and out.ended:
            yield Step(out.ended, "passed", Said(_("Somebody said that it may go.")), held=pk)
        return
    if letter.over or (out and out.state == "gone"):
        yield Step((out and out.ended) or letter.opened, "failed", Said(_("It was not let go, and is gone.")), held=pk)
    elif letter.late or out:
        asked = Said(_("Whoever looks after the sender is asked. Until then nobody gets it."))
        yield Step(letter.opened, "waiting", Said(_("It waits for an answer.")), asked, held=pk)
    elif not way.deliveries:
        again = Said(_("It may still lie among the outgoing letters of the mail program: send it from there again."))
        yield Step(letter.opened, "failed", Said(_("It has not come in whole.")), again)


def at(way: Way, one: Attempt, held: Kept | None) -> Iterator[Step]:
    """What became of it at one recipient, and before the mailbox."""
    to = {"address": face(way, one.recipient)}
    if one.status == "sent" and held:
        yield from before_mailbox(one, held, to)
    elif one.status == "sent" and one.mailbox:
        filed = one.mailbox if one.mailbox in way.keys else ""
        yield Step(
            one.when, "passed", Said(_("It was handed to the mailbox of %(address)s."), to), filed=filed, took=one.took
        )
    else:
        yield outside(way, one, to)


def outside(way: Way, one: Attempt, to: Mapping[str, str]) -> Step:
    """What another mail server said, or did not."""
    said = words(way, one)
    if one.status == "sent":
        facts = {**to, "host": harmless(one.relay.partition("[")[0])}
        told = Said(_("%(host)s has taken it for %(address)s."), facts)
        return Step(one.when, "passed", told, said=said, took=one.took)
    if one.status == "bounced":
        remedy = Said(_("Look at the address, or ask her or him another way; the sender got a report."))
        told = Said(_("It could not be delivered to %(address)s."), to)
        return Step(one.when, "failed", told, remedy, reason(one.reply), said)
    if way.letter.over:
        remedy = Said(_("Nobody tries it any more: send it again, or ask her or him another way."))
        told = Said(_("It was given up for %(address)s."), to)
        return Step(one.when, "failed", told, remedy, reason(one.reply), said)
    remedy = Said(_("It is tried again by itself, for five days; after that the sender gets a report."))
    told = Said(_("It could not be delivered to %(address)s yet."), to)
    return Step(one.when, "waiting", told, remedy, reason(one.reply), said)


def before_mailbox(one: Attempt, held: Kept, to: Mapping[str, str]) -> Iterator[Step]:
    """A letter that the stations kept out of the mailbox."""
    if held.state in ASKED:
        told = Said(_("It is held before the mailbox of %(address)s."), to)
        yield Step(one.when, "waiting", told, Said(ASKED[held.state]), held=held.pk)
        return
    told = Said(_("It was held before the mailbox of %(address)s."), to)
    yield Step(one.when, "passed", told, held=held.pk)
    if held.state == "freed":
        yield Step(held.ended or one.when, "passed", Said(_("Somebody let it in.")), filed=one.mailbox)
    else:
        yield Step(held.ended or one.when, "failed", Said(_("It was not let in.")))


def face(way: Way, address: str) -> str:
    """An address as whoever looks may see it."""
    return shown_as(address) if way.named else harmless(hidden_address(address))


def words(way: Way, one: Attempt) -> str:
    """What the relay said."""
    if way.named:
        return harmless(one.reply)
    return harmless(without_names(one.reply, [one.recipient, one.original, way.letter.sender, way.letter.login]))


def sender(way: Way) -> str:
    """Whom it is from, as whoever looks may see it; empty for a report's null sender."""
    return face(way, way.letter.login if way.sent else way.letter.sender)


def recipients(way: Way) -> list[str]:
    """Whom it is to, as whoever looks may see it, each once."""
    return list(dict.fromkeys(face(way, one.recipient) for one in way.deliveries))
