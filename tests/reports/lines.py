"""Lines as Postfix writes them, for the tests of the log."""

from datetime import datetime


def line(at: datetime, process: str, text: str) -> bytes:
    """One line of the log, with its newline: `process` is what stands after `postfix-private/`."""
    return f"{at:%b} {at.day:2} {at:%H:%M:%S} mx postfix-private/{process}[123]: {text}\n".encode()


def sent(at: datetime, queue_id: str, login: str, *recipients: str, size: int = 1000) -> bytes:
    """A letter from a login to mailboxes, from its beginning to its end."""
    return b"".join(
        [
            line(at, "submission/smtpd", f"{queue_id}: client=a[127.0.0.1], sasl_method=PLAIN, sasl_username={login}"),
            line(at, "cleanup", f"{queue_id}: message-id=<x@y>"),
            active(at, queue_id, size),
            *[delivered(at, queue_id, recipient) for recipient in recipients],
            line(at, "qmgr", f"{queue_id}: removed"),
        ]
    )


def active(at: datetime, queue_id: str, size: int = 1000) -> bytes:
    """The queue manager takes a letter up."""
    return line(at, "qmgr", f"{queue_id}: from=<somebody@out.example>, size={size}, nrcpt=1 (queue active)")


def delivered(at: datetime, queue_id: str, recipient: str, status: str = "sent", process: str = "pipe") -> bytes:
    """One attempt for one recipient."""
    relay = "procmail" if process == "pipe" else "mx.out.example[192.0.2.1]:25"
    text = f"relay={relay}, delay=0.1, delays=0/0/0/0.1, dsn=2.0.0, status={status} (delivered via procmail service)"
    return line(at, process, f"{queue_id}: to=<{recipient}>, {text}")
