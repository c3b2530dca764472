"""Dovecot's passwd-file. In: a mailbox and the mail folder. Out: its line. Nothing is touched; raises `Unwritable`.

Each mailbox has a line, also one that nobody signs in to: Dovecot finds its home and its quota there.
"""

from deploy.render.quoting import asleep_fields, passwd_line, quota_fields
from deploy.snapshot import Mailbox


def line(mailbox: Mailbox, mail: str, opens: str = "") -> str:
    """The line of one mailbox. A suspended one keeps no hash: there is nothing to sign in with.

    `opens`: while it sleeps, the hour of opening: IMAP and POP3 are closed, and a letter can still be handed in.
    """
    password = mailbox.password if mailbox.active else ""
    return passwd_line(mailbox.address, password, f"{mail}/{mailbox.key}", fields(mailbox, opens))


def fields(mailbox: Mailbox, opens: str) -> list[str]:
    """The extra fields of a line."""
    return [*quota_fields(mailbox.quota), *(asleep_fields(opens) if opens else [])]
