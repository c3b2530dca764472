"""The folders of a mailbox as mail programs see them, as root: which there are, and one more.

In: a `Layout`, a login, a folder's name as people write it, `Scuola/Compiti`, in hexadecimal digits of its UTF-8. Out:
names, a line each, sorted, the inbox not among them. Touched: the mailbox gets a folder, to which it is subscribed.
Raises CommandError or ValueError with one sentence. Sources: doveadm-mailbox(1); Maildir++, whose levels stand between
dots, so that no name has one.
"""

import unicodedata
from typing import Final

from deploy.host.commands import CommandError, run
from deploy.host.layout import Layout

TIME: Final = 20.0
NO_USER, NOT_DONE = 67, 65  # sysexits(3): EX_NOUSER, EX_DATAERR
INBOX: Final = "inbox"
UNSEEN: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
LONGEST_LEVEL: Final = 60


def names(layout: Layout, login: str) -> bytes:
    """Every folder of a mailbox but those whose name nobody could write."""
    done = run([*doveadm(layout), "list", "-u", login], timeout=TIME, expect=(0, NO_USER))
    if done.code:
        raise CommandError(f"There is no mailbox {login}.")
    found = (line.replace(".", "/") for line in done.out.decode("utf-8", "replace").split("\n"))
    return "".join(f"{name}\n" for name in sorted(found) if is_name(name)).encode()


def make(layout: Layout, login: str, digits: str) -> str:
    """Make a folder and subscribe to it: `made`, or `there` when it was."""
    name = bytes.fromhex(digits).decode("utf-8")
    if not is_name(name):
        raise ValueError("no folder can have this name")
    words = [*doveadm(layout), "create", "-u", login, "-s", "--", name.replace("/", ".")]
    done = run(words, timeout=TIME, expect=(0, NO_USER, NOT_DONE))
    if done.code == NO_USER:
        raise CommandError(f"There is no mailbox {login}.")
    if done.code == NOT_DONE and b"already exists" not in done.err:
        raise CommandError(f"The folder could not be made: {done.text[-300:]}")
    return "there" if done.code else "made"


def is_name(text: str) -> bool:
    """Whether a folder can be called so. What people may wish for is for `policies.filters` to say."""
    levels = text.split("/")
    return text == unicodedata.normalize("NFC", text) and levels[0].lower() != INBOX and all(map(is_level, levels))


def is_level(text: str) -> bool:
    """Whether this can be one level of a name."""
    plain = "." not in text and not any(unicodedata.category(mark) in UNSEEN for mark in text)
    return 0 < len(text) <= LONGEST_LEVEL and text == text.strip() and not text.startswith("~") and plain


def doveadm(layout: Layout) -> list[str]:
    """The program, and what it is to talk about."""
    return ["doveadm", "-c", str(layout.dovecot), "mailbox"]
