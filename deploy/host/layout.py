"""Where everything is on one mail host: read from the `host.json` that the installer wrote.

In: the path of `host.json`. Out: a `Layout`. Nothing is touched. Raises LayoutError.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal


class LayoutError(Exception):
    """`host.json` is missing or is not what the installer writes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders, users and doors of one mail host. Paths are absolute; ports are on loopback."""

    name: str
    root: Path  # releases/, current, lists/, .mould/, log/; the agent's
    mail: Path  # <key>/Maildir; the mail user's
    etc: Path  # postfix/, dovecot.conf, dispatch.rc, deliver, host.json; root's
    helper: Path  # the root helper's unix socket
    auth: Path  # Dovecot's auth-master socket, readable by the agent
    controller: Path  # rspamd's, a unix socket that the agent may ask for the facts about a letter
    agent: str
    mail_user: str
    map_type: Literal["hash", "cdb", "lmdb"]
    address: str  # where the daemons listen, "127.0.0.1"
    smtp: int
    submission: int
    shadow_smtp: int  # the same two doors for the host's own questions; nothing is accepted there
    shadow_submission: int
    post: int  # the door for what the host itself sends for its people
    imap: int
    pop3: int

    @property
    def postfix(self) -> Path:
        """Postfix's configuration folder, for `-c`."""
        return self.etc / "postfix"

    @property
    def dovecot(self) -> Path:
        """Dovecot's configuration file, for `-c`."""
        return self.etc / "dovecot.conf"

    @property
    def held(self) -> Path:
        """Letters that are held, a folder a mailbox; never in IMAP."""
        return self.mail / ".held"

    @property
    def later(self) -> Path:
        """Letters that wait for the morning, a folder a mailbox; never in IMAP."""
        return self.mail / ".later"

    @property
    def away(self) -> Path:
        """Heads of letters that may be answered while somebody is away, a folder a mailbox; never in IMAP."""
        return self.mail / ".away"

    @property
    def again(self) -> Path:
        """Where the mail user runs a held letter through the dispatcher again, on the file system of the mail."""
        return self.mail / ".again"

    @property
    def mail_log(self) -> Path:
        """The file postlogd writes."""
        return self.root / "log" / "mail.log"

    @property
    def verdict_log(self) -> Path:
        """The file in which procmail says what was decided of each letter that was looked at."""
        return self.root / "log" / "procmail.log"

    @property
    def sign_in_log(self) -> Path:
        """The file in which Dovecot says who signed in and who could not."""
        return self.root / "log" / "dovecot.log"

    def to_json(self) -> str:
        """The text of `host.json`."""
        return json.dumps(asdict(self), default=str, indent=1) + "\n"

    @classmethod
    def read(cls, path: Path) -> "Layout":
        """Read `host.json`; raise LayoutError with one sentence."""
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            values: dict[str, Any] = {f.name: data[f.name] for f in fields(cls)}
            return cls(**values | {f.name: Path(values[f.name]) for f in fields(cls) if f.type is Path})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LayoutError(f"{path} does not describe a mail host: {error}") from error
