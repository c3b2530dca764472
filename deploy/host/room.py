"""How much room the mailboxes take, as root: what Dovecot's quota says of all of them.

In: a `Layout`. Out: the table of `doveadm quota get` as tab-separated text. Nothing is touched. Raises CommandError
with one sentence. Source: doveadm-quota(1), doveadm(1) about `-f`.
"""

from typing import Final

from deploy.host.commands import run
from deploy.host.layout import Layout

TIME: Final = 25.0  # seconds; the helper gives an act 30
NOT_ALL: Final = (65, 67, 75)  # sysexits(3): of some there is no answer; those of the others stand


def used(layout: Layout) -> bytes:
    """Every mailbox with what is used of its quota."""
    words = ["doveadm", "-c", str(layout.dovecot), "-f", "tab", "quota", "get", "-A"]
    return run(words, timeout=TIME, expect=(0, *NOT_ALL)).out
