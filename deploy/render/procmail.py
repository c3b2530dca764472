"""One recipe for each mailbox. In: a mailbox. Out: its path and text. Nothing is touched; raises `Unwritable`.

The dispatcher includes it, defers the letter unless it ends in `RULES_OK=yes`, and then delivers to `$M/Maildir/`.
A suspended mailbox keeps its recipe: what reaches it through an alias is kept, unread.
"""

from deploy.render.quoting import folder_key, own_address, procmail_word
from deploy.snapshot import Mailbox


def path(mailbox: Mailbox) -> str:
    """Where the dispatcher looks for it."""
    local, _at, domain = own_address(mailbox.address).rpartition("@")
    return f"procmail/{domain}/{local}.rc"


def recipe(mailbox: Mailbox) -> str:
    """The lines after the header."""
    return f'M="$MAIL"/{procmail_word(folder_key(mailbox.key))}\nRULES_OK=yes\n'
