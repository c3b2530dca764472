"""The folders and first files of `var/`, each with its owner and rights.

In: the folder `var/`. Touched: everything below it that is missing or has other rights.
Raises SetupError or FolderError.
"""

import os
import secrets
from pathlib import Path

from deploy.host.folders import make_folder
from deploy.setup.people import AGENT, FILTER, MAIL, PANEL, group, person

# What, owner, group, mode. Parents first. `host` is sticky: the agent makes and renames what is its own there, and
# cannot put anything in the place of `log`, where daemons write as root.
FOLDERS = (
    ("db", PANEL, PANEL, 0o2770),
    ("redis", PANEL, PANEL, 0o2770),
    ("run", "root", "root", 0o755),
    # Sockets take the group of their folder: the agent asks for facts, Postfix hands letters over.
    ("run/rspamd", FILTER, FILTER, 0o755),
    ("run/facts", FILTER, AGENT, 0o2750),
    ("run/milter", FILTER, "postfix", 0o2750),
    ("log", "root", "root", 0o755),
    ("static", "root", "root", 0o755),
    ("etc", "root", "root", 0o755),
    ("etc/postfix", "root", "root", 0o755),
    ("etc/rspamd", "root", "root", 0o755),
    ("etc/laid", "root", "root", 0o755),
    ("etc/laid/postfix", "root", "root", 0o755),
    ("etc/laid/rspamd", "root", "root", 0o755),
    ("etc/dns", "root", "root", 0o755),
    ("etc/tls", "root", "root", 0o755),
    ("etc/dkim", "root", FILTER, 0o750),
    ("spool", "root", "root", 0o755),
    ("spool/postfix", "root", "root", 0o755),
    ("lib", "root", "root", 0o755),
    ("lib/postfix", "postfix", "root", 0o700),
    ("lib/dovecot", "root", "root", 0o755),
    ("lib/rspamd", FILTER, FILTER, 0o700),
    ("host", "root", AGENT, 0o1775),
    ("host/releases", AGENT, AGENT, 0o755),
    ("host/lists", AGENT, AGENT, 0o755),
    ("host/.mould", AGENT, AGENT, 0o755),
    ("host/.mould/dovecot", AGENT, "dovecot", 0o2750),
    ("host/.mould/procmail", AGENT, MAIL, 0o2750),
    ("host/.mould/rspamd", AGENT, FILTER, 0o2750),
    ("host/log", "root", AGENT, 0o2755),
    ("mail", MAIL, MAIL, 0o711),
    # The agent lists and reads what is held; nobody else enters, and no mail program ever sees it.
    ("mail/.held", MAIL, AGENT, 0o2750),
    # So with what waits for the morning.
    ("mail/.later", MAIL, AGENT, 0o2750),
    # The dispatcher lays down what may be answered while somebody is away; the agent takes it away again.
    ("mail/.away", MAIL, AGENT, 0o2770),
    # Set-gid alone: what is held again from here belongs to the agent's group, which does not enter.
    ("mail/.again", MAIL, AGENT, 0o2700),
)
# Made before the daemons start, since a umask alone gives no one the right owner and group.
FILES = (
    ("db/mailadmin.sqlite3", PANEL, PANEL, 0o660),
    ("host/log/mail.log", "root", AGENT, 0o640),
    ("host/log/dovecot.log", "root", AGENT, 0o640),
    ("host/log/procmail.log", MAIL, AGENT, 0o640),
    ("host/log/rspamd.log", FILTER, AGENT, 0o640),
)


def make_folders(var: Path) -> None:
    """Make `var` and all below it, or mend what is there."""
    var.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    make_folder(var, 0, 0, 0o755)
    for name, owner, belongs, mode in FOLDERS:
        make_folder(var / name, person(owner).uid, group(belongs), mode)
    for name, owner, belongs, mode in FILES:
        _make_file(var / name, person(owner).uid, group(belongs), mode)
    _make_secret_key(var / "db" / "secret_key")


def _make_file(path: Path, uid: int, gid: int, mode: int, content: bytes = b"") -> None:
    """Make a file, or mend the rights of the one that is there; its content stays."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
        if content and os.fstat(descriptor).st_size == 0:
            os.write(descriptor, content)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_secret_key(path: Path) -> None:
    """Django's key: the panel's, readable by the agent through the common group."""
    panel = person(PANEL)
    _make_file(path, panel.uid, panel.gid, 0o640, secrets.token_urlsafe(50).encode() + b"\n")
