"""What a block of wishes must keep, whatever was written in it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils.translation import gettext

from accounts.models import Membership
from accounts.wishes import wishes_settling
from policies.models import Contact
from policies.outgoing import outgoing
from policies.rules import MOST_LISTS


@receiver(wishes_settling)
def keep_the_lists_few(touched: frozenset[type], **_signal: Any) -> None:
    """Refuse the wish that would need more different lists than the mail host has room for."""
    if touched & {Contact, Membership} and outgoing().count() > MOST_LISTS:
        message = gettext(
            "There would be more than %(limit)d different lists of whom people may write to: "
            "move entries that several people share to the list of their community."
        )
        raise ValidationError(message % {"limit": MOST_LISTS})
