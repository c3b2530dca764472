"""What a block of wishes must keep, whatever was written in it; and what goes along with what is deleted."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.exceptions import ValidationError
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext

from accounts.models import Membership
from accounts.wishes import Wish, wishes_settling
from domains.models import Alias, Domain, Mailbox
from policies import filters, forwards
from policies.models import Contact, Filing, FilterRule
from policies.outgoing import memberships, outgoing
from policies.rules import MOST_LISTS


@receiver(wishes_settling)
def keep_the_lists_few(touched: frozenset[type], **_signal: Any) -> None:
    """Refuse the wish that would need more different lists than the mail host has room for."""
    if touched & {Contact, Membership} and outgoing(memberships()).count() > MOST_LISTS:
        message = gettext(
            "There would be more than %(limit)d different lists of whom people may write to: "
            "move entries that several people share to the list of their community."
        )
        raise ValidationError(message % {"limit": MOST_LISTS})


@receiver(wishes_settling)
def keep_the_rules_few(rows: Iterable[Wish], **_signal: Any) -> None:
    """Refuse the rule that is one too many, and the words that are more than the filter looks for."""
    touched = {row.mailbox_id: row for row in rows if isinstance(row, FilterRule) and row.pk}
    if not touched:
        return
    count: Counter[int] = Counter()
    words: dict[int, set[str]] = {mailbox: set() for mailbox in touched}
    for mailbox, when in FilterRule.objects.filter(mailbox__in=touched).order_by().values_list("mailbox", "when"):
        count[mailbox] += 1
        words[mailbox] |= filters.phrases(when)
    for mailbox, row in touched.items():
        if count[mailbox] > filters.MOST_RULES:
            sentence = gettext("%(address)s would have more than %(limit)d rules: take one away first.")
            refuse(row, "when", sentence % {"address": row.mailbox.shown, "limit": filters.MOST_RULES})
        if len(words[mailbox]) > filters.MOST_PHRASES:
            sentence = gettext(
                "The rules of %(address)s look for more than %(limit)d words in the text of letters: take one away."
            )
            refuse(row, "when", sentence % {"address": row.mailbox.shown, "limit": filters.MOST_PHRASES})


@receiver(wishes_settling)
def keep_the_forwards_right(touched: frozenset[type], rows: Iterable[Wish], **_signal: Any) -> None:
    """Refuse the wish by which letters would go in a circle, or on to where they may not."""
    found = [row for row in rows if isinstance(row, Filing) and row.pk and row.targets()]
    mailboxes = {row.mailbox.address: row for row in found}
    starts = set(mailboxes)
    if touched & {Alias, Domain, Mailbox}:
        starts |= set(Mailbox.objects.filter(pk__in=forwards.everywhere()).values_list("address", flat=True))
    if way := forwards.circle(starts):
        row = next((mailboxes[address] for address in way if address in mailboxes), None)
        refuse(row, field(row), forwards.circle_sentence(way))
    for row, sentence in forwards.misfits(found, lambda row: row.fresh):
        refuse(row, field(row), sentence)


def field(row: Filing | None) -> str:
    """The field that says where letters go on to."""
    return "then" if isinstance(row, FilterRule) else "to"


def refuse(row: Filing | None, name: str, sentence: str) -> NoReturn:
    """Say what does not fit, and where."""
    error = ValidationError({name: sentence} if row else sentence)
    error.row = row  # type: ignore[attr-defined]
    raise error


@receiver(pre_delete, sender=Mailbox)
@receiver(pre_delete, sender=Alias)
def forward_no_more(instance: Mailbox | Alias, **_signal: Any) -> None:
    """Forward nothing to an address that goes, for whoever gets it next is another. What then does nothing goes too."""
    for row, gone in forwards.leading_to(instance.address):
        if row.forward_no_more(gone):
            row.save()
        else:
            row.delete()
