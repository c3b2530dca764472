"""The ports of a private mail host: which, and whether they are free.

In: how far they are shifted. Nothing is touched but for a moment's listening. Raises SetupError.
"""

import socket
from typing import Final

from deploy.setup.lay import DNS, HTTP, IMAP, POP3, POST, SHADOW_SMTP, SHADOW_SUBMISSION, SMTP, SUBMISSION
from deploy.setup.people import SetupError

LOOPBACK = "127.0.0.1"
HIGHEST_BASE = 65535 - HTTP
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
DOORS: Final = (
    ("http", HTTP, TCP),
    ("smtp", SMTP, TCP),
    ("submission", SUBMISSION, TCP),
    ("imap", IMAP, TCP),
    ("pop3", POP3, TCP),
    ("shadow smtp", SHADOW_SMTP, TCP),
    ("shadow submission", SHADOW_SUBMISSION, TCP),
    ("post", POST, TCP),
    ("dns", DNS, UDP),
)


def read_base(text: str) -> int:
    """MAILADMIN_PORT_BASE as a number."""
    if not text.isascii() or not text.isdigit() or int(text) > HIGHEST_BASE:
        raise SetupError(f"MAILADMIN_PORT_BASE is {text!r}; it is a number from 0 to {HIGHEST_BASE}.")
    return int(text)


def check_ports(base: int) -> None:
    """Raise SetupError that names the first port which somebody else uses."""
    if found := taken(base):
        raise SetupError(
            f"Port {found} is taken by another program; "
            f"MAILADMIN_PORT_BASE={base + 10000 if base < 40000 else 0} script/server uses others."
        )


def taken(base: int) -> str:
    """The first port which somebody else uses, as `2525 (smtp)`; empty when all are free."""
    return next((f"{port + base} ({name})" for name, port, kind in DOORS if not is_free(port + base, kind)), "")


def is_free(port: int, kind: socket.SocketKind) -> bool:
    """Whether we could listen on a port of loopback."""
    with socket.socket(type=kind) as listener:
        if kind is TCP:  # on UDP it would let two listen at once
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
