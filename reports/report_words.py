"""Figures in sentences. In: plain numbers. Out: text in the reader's language. Nothing is touched or raised."""

from collections.abc import Mapping
from typing import Final

from django.template.defaultfilters import filesizeformat
from django.utils.formats import number_format
from django.utils.translation import gettext as _, gettext_lazy, ngettext

from reports.figures import Burst, Figures, Sums
from reports.models import BURST
from reports.periods import Period, change
from reports.rows import LETTERS

QUESTIONS: Final = {
    "working": gettext_lazy("Is mail working?"),
    "who": gettext_lazy("Who uses it?"),
    "whom": gettext_lazy("With whom?"),
    "when": gettext_lazy("When?"),
    "rules": gettext_lazy("What did the rules do?"),
    "wrong": gettext_lazy("What is wrong?"),
}
RANGES: Final = {
    "7d": gettext_lazy("7 days"),
    "30d": gettext_lazy("30 days"),
    "month": gettext_lazy("This month"),
    "last-month": gettext_lazy("Last month"),
    "year": gettext_lazy("12 months"),
}
MODES: Final = {
    "totals": gettext_lazy("Totals"),
    "pseudonyms": gettext_lazy("Pseudonyms"),
    "names": gettext_lazy("Names"),
}
ROWS: Final = {
    "sent": gettext_lazy("Letters sent"),
    "abroad": gettext_lazy("Letters sent outside"),
    "deferred": gettext_lazy("Letters that had to wait"),
    "asked": gettext_lazy("Letters that asked for leave"),
    "received": gettext_lazy("Letters received"),
    "home": gettext_lazy("Letters received from inside"),
    "delivered": gettext_lazy("Letters delivered"),
    "quick": gettext_lazy("Delivered within a minute"),
    "slow": gettext_lazy("Delivered after a quarter of an hour"),
    "bounced": gettext_lazy("Letters that came back"),
    "came": gettext_lazy("Letters received from a domain"),
    "went": gettext_lazy("Letters sent to a domain"),
    "held": gettext_lazy("Letters held back"),
    "let": gettext_lazy("Letters let in by an answer"),
    "kept": gettext_lazy("Letters kept out by an answer"),
    "waiting": gettext_lazy("Letters that wait for an answer"),
    "acts": gettext_lazy("Letters with which a rule did something"),
    "failed": gettext_lazy("Sign-ins that failed"),
}
A_LETTER: Final = gettext_lazy("A letter stands here once, by when it came, to however many it went.")
A_DELIVERY: Final = gettext_lazy("A letter to two people stands here twice, once for each of them.")
HOW: Final = {
    "sent": gettext_lazy("One that waited for somebody's leave was counted when it might go."),
    "acts": gettext_lazy("A letter with which two rules did something stands here twice."),
    "failed": gettext_lazy("A session stands here once, however often somebody tried in it."),
    "came": gettext_lazy("Domains are counted by whole months, and the domain is what the sender claims."),
    "went": gettext_lazy("Domains are counted by whole months; a letter to two people there stands here twice."),
}
WEEKDAYS: Final = (
    gettext_lazy("Mon"), gettext_lazy("Tue"), gettext_lazy("Wed"), gettext_lazy("Thu"), gettext_lazy("Fri"),
    gettext_lazy("Sat"), gettext_lazy("Sun"),
)  # fmt: skip
WORKING_DAYS: Final = range(5)
WORKING_HOURS: Final = range(8, 18)


def number(value: int) -> str:
    """A number as people write it."""
    return str(number_format(value, use_l10n=True, force_grouping=True))


def size(value: int) -> str:
    """So many bytes, in a unit that people know."""
    return str(filesizeformat(value))


def delivered(sums: Sums) -> int:
    """Letters that lie in a mailbox here, or that another host took."""
    return sums["received"] + sums["away"]


def percent(part: int, whole: int) -> int:
    """How many of a hundred; of nothing, none."""
    return round(part * 100 / whole) if whole else 0


def working(figures: Figures) -> str:
    """Is mail working?"""
    total, letters = figures.total, delivered(figures.total)
    if not letters:
        return _("No letter was delivered in these days.")
    told = ngettext("%(number)s letter was delivered,", "%(number)s letters were delivered,", letters)
    quick = _("%(percent)s %% of them within a minute.") % {"percent": percent(total["quick"], letters)}
    return f"{told % {'number': number(letters)}} {quick} {troubles(total)}"


def troubles(total: Sums) -> str:
    """Those that did not arrive at once."""
    if not total["bounced"] and not total["deferred"]:
        return _("None came back, none had to wait.")
    return _("%(bounced)s could not be delivered, %(deferred)s had to wait.") % {
        "bounced": number(total["bounced"]),
        "deferred": number(total["deferred"]),
    }


def compared(figures: Figures, period: Period) -> str:
    """How many letters were delivered beside as many days before, in words."""
    days = ngettext("the %(days)s day before", "the %(days)s days before", period.days) % {"days": period.days}
    more = change(delivered(figures.total), before := delivered(figures.before))
    if more is None:
        return _("There was none in %(days)s.") % {"days": days}
    facts = {"days": days, "before": number(before), "percent": abs(more)}
    if more == 0:
        return _("About as many as in %(days)s (%(before)s).") % facts
    if more > 0:
        return _("+%(percent)s %%: more than in %(days)s (%(before)s).") % facts
    return _("−%(percent)s %%: fewer than in %(days)s (%(before)s).") % facts


def who(figures: Figures, mailboxes: int) -> str:
    """Who uses it?"""
    used = sum(1 for box in figures.boxes.values() if box["sent"])
    told = ngettext(
        "Letters were sent from %(used)s of %(all)s mailbox,",
        "Letters were sent from %(used)s of %(all)s mailboxes,",
        mailboxes,
    ) % {"used": number(used), "all": number(mailboxes)}
    sums = {"sent": number(figures.total["sent"]), "received": number(figures.total["received"])}
    return f"{told} " + _("%(sent)s in all; %(received)s were received.") % sums


def whom(figures: Figures) -> str:
    """With whom?"""
    if not figures.partners:
        return _("No letter went outside or came from there.")
    new = sum(1 for partner in figures.partners if partner.new)
    facts = {"domains": number(len(figures.partners)), "new": number(new)}
    told = ngettext(
        "The %(domains)s busiest domain outside has its row here; new among them this month: %(new)s.",
        "The %(domains)s busiest domains outside have their rows here; new among them this month: %(new)s.",
        len(figures.partners),
    )
    return told % facts


def when(figures: Figures) -> str:
    """When?"""
    if not figures.total["sent"]:
        return _("No letter was sent in these days.")
    return _("%(percent)s %% of the letters were sent outside working hours (Monday to Friday, 8 to 18).") % {
        "percent": percent(outside_hours(figures.week), figures.total["sent"])
    }


def outside_hours(week: Mapping[tuple[int, int], int]) -> int:
    """Letters sent in the evening, at night or at the weekend."""
    return sum(
        letters for (weekday, hour), letters in week.items() if weekday not in WORKING_DAYS or hour not in WORKING_HOURS
    )


def rules(figures: Figures) -> str:
    """What did the rules do?"""
    total = figures.total
    if not total["held"] and not total["asked"]:
        return _("The rules held no letter back.")
    facts = {"held": number(total["held"]), "asked": number(total["asked"]), "let": number(figures.held["let"])}
    return (
        _("The rules held %(held)s letters back and %(asked)s asked for leave; %(let)s were let in after all.") % facts
    )


def wrong(figures: Figures) -> str:
    """What is wrong?"""
    failed, many = figures.total["failed"], len(figures.bursts)
    several = ngettext("%(number)s sign-in failed.", "%(number)s sign-ins failed.", failed)
    told = [several % {"number": number(failed)} if failed else _("No sign-in failed.")]
    if many:
        sent = ngettext(
            "%(number)s mailbox sent very many letters within an hour.",
            "%(number)s mailboxes sent very many letters within an hour.",
            many,
        )
        told.append(sent % {"number": number(many)})
    return " ".join(told)


def burst(who: str, one: Burst) -> str:
    """Somebody sent very much within an hour."""
    facts = {"who": who, "most": number(one.most), "hours": number(one.hours), "many": BURST}
    once = _("%(who)s sent %(most)s letters within an hour: if nobody meant to, change the password.")
    often = _(
        "%(who)s sent at least %(many)s letters an hour in %(hours)s hours, and at most %(most)s: "
        "if nobody meant to, change the password."
    )
    return (once if one.hours == 1 else often) % facts


def how(what: str) -> list[str]:
    """What one row stands for, where that may be another thing than a letter."""
    common = A_LETTER if what in LETTERS else A_DELIVERY if what not in HOW else ""
    return [str(text) for text in (common, HOW.get(what, "")) if text]
