"""The system users of a mail host, by name.

In: a name. Out: its ids. Nothing is touched. Raises SetupError when the user is missing.
"""

import grp
import os
import pwd

from deploy.host.commands import Person

PANEL, AGENT, MAIL, FILTER = "mailadmin", "mailadmin-agent", "vmail", "_rspamd"


class SetupError(Exception):
    """The mail host cannot be laid down or started; the text is one sentence for the person who asked."""


def person(name: str) -> Person:
    """Ids and supplementary groups of a system user."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise SetupError(f"The system user {name} does not exist; script/bootstrap makes it.") from None
    groups = os.getgrouplist(name, entry.pw_gid)
    return Person(entry.pw_uid, entry.pw_gid, tuple(sorted(set(groups) - {entry.pw_gid})))


def group(name: str) -> int:
    """The number of a group."""
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise SetupError(f"The group {name} does not exist; script/bootstrap installs what makes it.") from None
