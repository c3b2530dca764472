"""The folders that a person is offered for a mailbox's letters: the usual ones, and those that are in use.

In: a mailbox. Out: names, each once. Nothing is touched or raised. What lies on the mail host is another app's to ask.
"""

from collections.abc import Iterator

from domains.models import Mailbox
from policies.builder_words import USUAL_FOLDERS
from policies.filing import rules_of
from policies.models import Spam


def folders_of(mailbox: Mailbox) -> list[str]:
    """The usual folders, then those that rules and the spam setting name."""
    return list(dict.fromkeys([*USUAL_FOLDERS, *sorted(named(mailbox), key=str.casefold)]))


def named(mailbox: Mailbox) -> Iterator[str]:
    """Every folder that letters are filed in."""
    for actions in rules_of(mailbox).values_list("then", flat=True):
        yield from (one["folder"] for one in actions if "folder" in one)
    yield from Spam.objects.filter(mailbox=mailbox).values_list("folder", flat=True)
