"""The ports of a private mail host: which, and whether they are free.

In: how far they are shifted. Nothing is touched but for a moment's listening. Raises SetupError.
"""

import socket

from deploy.setup.lay import HTTP, IMAP, POP3, SHADOW_SMTP, SHADOW_SUBMISSION, SMTP, SUBMISSION
from deploy.setup.people import SetupError

LOOPBACK = "127.0.0.1"
DOORS = {
    "http": HTTP,
    "smtp": SMTP,
    "submission": SUBMISSION,
    "imap": IMAP,
    "pop3": POP3,
    "shadow smtp": SHADOW_SMTP,
    "shadow submission": SHADOW_SUBMISSION,
}
HIGHEST_BASE = 65535 - HTTP


def read_base(text: str) -> int:
    """MAILADMIN_PORT_BASE as a number."""
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_BASE:
        raise SetupError(f"MAILADMIN_PORT_BASE is {text!r}; it is a number from 0 to {HIGHEST_BASE}.")
    return int(text)


def check_ports(base: int) -> None:
    """Raise SetupError that names the first port which somebody else uses."""
    for name, port in DOORS.items():
        if not is_free(port + base):
            raise SetupError(
                f"Port {port + base} ({name}) is taken by another program; "
                f"MAILADMIN_PORT_BASE={base + 10000 if base < 40000 else 0} script/server uses others."
            )


def is_free(port: int) -> bool:
    """Whether we could listen on a port of loopback."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
