"""The rules of a mailbox as its list shows them.

In: who looks, the rules in order, which of them are shown. Out: `Line`s in the reader's language; the number of queries
does not grow with the rules. Nothing is touched or raised.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from django.utils.translation import gettext as _

from accounts.models import User
from domains.models import Mailbox
from policies import filing
from policies.entries import day, names_of
from policies.filter_cautions import covers, ends
from policies.filter_words import sentence
from policies.forwards import misfits
from policies.models import FilterRule
from policies.sentences import filters as sentences
from policies.sentences.case import Said


@dataclass(frozen=True)
class Line:
    """One rule. `acted`: how often in 30 days; `by`: who wrote it, if not who looks; `wrong`: why it does nothing."""

    rule: FilterRule
    place: int
    sentence: Said
    acted: int
    by: str
    day: str
    wrong: Sequence[str]


def lines(
    viewer: User, mailbox: Mailbox, rules: Sequence[FilterRule], shown: Sequence[FilterRule], zone: tzinfo
) -> list[Line]:
    """Those that are shown, in words."""
    acted, names, wrong = filing.acted(mailbox), names_of({rule.by for rule in shown}), wrongs(rules, shown)
    places = {rule.pk: place for place, rule in enumerate(rules, 1)}
    return [
        Line(
            rule,
            places[rule.pk],
            sentences.rule(rule.match, rule.when, rule.then),
            acted.get(rule.key, 0),
            "" if rule.by == viewer.address else names.get(rule.by, rule.by),
            day(rule.written, zone),
            wrong[rule.pk],
        )
        for rule in shown
    ]


def wrongs(rules: Sequence[FilterRule], shown: Iterable[FilterRule]) -> Mapping[int, list[str]]:
    """What keeps a rule from doing what it says: one before it, or where it would forward to."""
    found: dict[int, list[str]] = defaultdict(list)
    on = [rule for rule in shown if rule.active]
    for row, said in misfits(on):
        found[row.pk].append(said)
    wanted, ending = {rule.pk for rule in on}, list[FilterRule]()
    for rule in rules:
        if rule.pk in wanted and (first := next((other for other in ending if covers(other, rule)), None)):
            said = _("It can never act: a rule before it ends the rules for each such letter: “%(rule)s”")
            found[rule.pk].append(said % {"rule": sentence(first)})
        if rule.active and ends(rule):
            ending.append(rule)
    return found
