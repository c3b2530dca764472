"""The mail user's login at the door for letters that the host itself sends for its people: what they forward.

In: the folder `etc`. Touched: `post-login` in it, which the mail user reads, and `post-passwd`, which Dovecot reads;
the secret stays the same from then on. Raises SetupError or OSError.

Dovecot hears at which door somebody signs in, since that one calls itself `post`. A line of `post-passwd` is found by
door and name together, so this login opens that door alone; its last line, the door by itself, is in a list of those
who are denied: it turns away everybody else.
"""

from pathlib import Path
from typing import Final

from deploy.setup.own_login import keep_secret, passwd_line
from deploy.setup.people import MAIL, group
from deploy.setup.templates import write

LOGIN: Final = "post-login"
PASSWD: Final = "post-passwd"
DOOR: Final = "post"


def make_post_login(etc: Path, address: str) -> None:
    """The secret, unless there is one for this address, and the lines that Dovecot knows it by."""
    digest = keep_secret(etc / LOGIN, address, MAIL)
    write(etc / PASSWD, passwd_line(f"{DOOR}/{address}", digest) + f"{DOOR}:\n", 0o640, group("dovecot"))
