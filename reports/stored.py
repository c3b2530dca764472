"""What is stored about letters, why, and for how long. In: the database. Out: `Kept`s. Nothing is touched or raised.

How long is what the code itself goes by, so that the page cannot say anything else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Min, Model
from django.utils.translation import gettext as _

from policies.models import Decision, HeldLetter, RuleAct
from reports import decisions, ingest, keeping, looks, room
from reports.models import AccessEntry, Delivery, DomainTally, FailedSignIn, HourlyTally, Letter, MailboxUse


@dataclass(frozen=True, slots=True)
class Kept:
    """Something that is stored. `days`: None is for good, or `until` something. `oldest`: None where there is none."""

    what: str
    why: str
    days: int | None
    oldest: datetime | None
    until: str = ""


def stored() -> list[Kept]:
    """Everything, the most private first."""
    return [
        kept(
            _(
                "Single letters and what became of them: when, from whom to whom, size, "
                "what another host said against it"
            ),
            _("To find where a letter is; neither subject nor text is among it."),
            keeping.kept(),
            oldest(Delivery, "when"),
        ),
        kept(
            _("Letters that are under way"),
            _("To count each letter once, and to say what it waits for."),
            ingest.FORGOTTEN,
            oldest(Letter, "opened"),
        ),
        kept(
            _("What was decided of each letter, and by which entry of a list"),
            _("To say why a letter was held, and what new settings would have done."),
            keeping.kept(),
            oldest(Decision, "when"),
        ),
        kept(
            _("Who could not sign in as one of our mailboxes: when, how often, and from which address"),
            _("To see that somebody tries passwords, or that a device has an old one."),
            keeping.kept(),
            oldest(FailedSignIn, "when"),
        ),
        kept(
            _("That a rule of a mailbox did something with a letter"),
            _("To say beside each rule how often it acted."),
            decisions.ACTS_KEPT,
            oldest(RuleAct, "when"),
        ),
        kept(
            _("That a letter was held, and who answered what; its subject and beginning go when it waits no more"),
            _("So that nothing disappears without a trace."),
            None,
            oldest(HeldLetter, "arrived"),
        ),
        kept(
            _("How many letters each mailbox got and sent, by the hour"),
            _("For the reports."),
            None,
            oldest(HourlyTally, "hour"),
        ),
        kept(
            _("How many letters each mailbox exchanged with a domain outside, by the month"),
            _("For the reports."),
            None,
            oldest_month(),
        ),
        kept(
            _("How much of its quota a mailbox uses: the last that its host told"),
            _("To say in time that it is nearly full."),
            room.KEPT,
            oldest(MailboxUse, "when"),
        ),
        kept(
            _("Who looked at whose figures, when and why"),
            _("So that everybody can read who looked at her figures."),
            looks.ENTRIES_KEPT,
            oldest(AccessEntry, "when"),
        ),
        Kept(
            _("Who gets which report by mail, how often, and why"),
            _("To send it."),
            None,
            None,
            _("Kept until she ends it, or may not see the report any more."),
        ),
    ]


def kept(what: str, why: str, how_long: timedelta | None, since: datetime | None) -> Kept:
    """One of them."""
    return Kept(what, why, how_long.days if how_long else None, since)


def oldest(model: type[Model], moment: str) -> datetime | None:
    """When the oldest row is from."""
    found: datetime | None = model._default_manager.aggregate(oldest=Min(moment))["oldest"]
    return found


def oldest_month() -> datetime | None:
    """The first month of which there is a row."""
    month = DomainTally.objects.aggregate(oldest=Min("month"))["oldest"]
    return datetime(month // 100, month % 100, 1, tzinfo=UTC) if month else None
