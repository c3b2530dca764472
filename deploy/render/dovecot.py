"""Dovecot's passwd-file. In: a mailbox and the mail folder. Out: its line. Nothing is touched; raises `Unwritable`.

Each mailbox has a line, also one that nobody signs in to: Dovecot finds its home and its quota there.
"""

from deploy.render.quoting import passwd_line, quota_fields
from deploy.snapshot import Mailbox


def line(mailbox: Mailbox, mail: str) -> str:
    """The line of one mailbox. A suspended one keeps no hash: there is nothing to sign in with."""
    password = mailbox.password if mailbox.active else ""
    return passwd_line(mailbox.address, password, f"{mail}/{mailbox.key}", quota_fields(mailbox.quota))
