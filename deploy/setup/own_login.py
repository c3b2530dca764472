"""The panel's own login, which its letters are submitted with: made once, kept beside the configuration.

In: the folder `etc`. Touched: `own-login` in it, which the agent reads, and `own-passwd`, which Dovecot reads; the
secret stays the same from then on. Raises SetupError or OSError.

The login opens the door for submission and no other (`nologin`), has no mailbox, and is in no release: nothing that
people wish takes it away. So a short digest does: what it hides has more bits than any password.
"""

import hashlib
import secrets
from pathlib import Path
from typing import Final

from deploy.host.submission import LOGIN, read_login
from deploy.setup.people import AGENT, group
from deploy.setup.templates import write

PASSWD: Final = "own-passwd"


def make_own_login(etc: Path, address: str) -> None:
    """The secret, unless there is one for this address, and the line that Dovecot knows it by."""
    digest = keep_secret(etc / LOGIN, address, AGENT)
    write(etc / PASSWD, passwd_line(address, digest), 0o640, group("dovecot"))


def keep_secret(path: Path, address: str, reader: str) -> str:
    """The digest of the secret in a file that one system user reads; a new one, unless it is there for this address."""
    known = read_login(path) if path.exists() else ("", "")
    secret = known[1] if known[0] == address else secrets.token_urlsafe(32)
    write(path, f"{address} {secret}\n", 0o640, group(reader))
    return hashlib.sha256(secret.encode()).hexdigest()


def passwd_line(name: str, digest: str) -> str:
    """What Dovecot knows a login by."""
    return f"{name}:{{SHA256.HEX}}{digest}::::::nologin=y\n"
