"""Submits the panel's own letters, with the login that the installer made for them.

In: a `Layout`, a letter, its one recipient. Out: nothing; when `submit` returns, the mail host has taken the letter
(250). Touched: a dialogue with this host's submission door. Raises `NotTaken` with one sentence; when the answer to the
whole letter was lost on the way, nobody knows whether it was taken, and that is raised too.
"""

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from deploy.host.layout import Layout

LOGIN: Final = "own-login"  # in the installer's folder: `ADDRESS SECRET`, for the agent alone
PATIENCE: Final = 30.0  # seconds


class NotTaken(Exception):
    """A letter was not taken; the text is one sentence. `refused`: to try again at once would be of no use."""

    def __init__(self, sentence: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(sentence)


def read_login(path: Path) -> tuple[str, str]:
    """The address that the panel writes as, and its secret; raise OSError or ValueError."""
    address, secret = path.read_text(encoding="ascii").split()
    return address, secret


def own_address(layout: Layout) -> str:
    """The address that the panel writes as; raise NotTaken where the installer has made none."""
    return own_login(layout)[0]


def own_login(layout: Layout) -> tuple[str, str]:
    """Address and secret; raise NotTaken."""
    try:
        return read_login(layout.etc / LOGIN)
    except (OSError, ValueError) as error:
        raise NotTaken(
            f"The panel has no login of its own in {layout.etc / LOGIN}: start script/server again."
        ) from error


def submit(layout: Layout, letter: EmailMessage, to: str) -> None:
    """Hand a letter to the mail host; return when it answered 250."""
    address, secret = own_login(layout)
    try:
        with smtplib.SMTP(layout.address, layout.submission, timeout=PATIENCE) as dialogue:
            dialogue.starttls(context=trusting(layout))
            dialogue.login(address, secret)
            dialogue.send_message(letter, address, [to])
    except smtplib.SMTPRecipientsRefused as error:
        raise NotTaken(f"The letter to {to} was refused: {said(*error.recipients[to])}", refused=True) from error
    except smtplib.SMTPDataError as error:
        raise NotTaken(f"The letter to {to} was refused: {said(*error.args)}", refused=True) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotTaken(f"The letter to {to} could not be submitted: {' '.join(str(error).split())[:200]}") from error


def said(code: int, text: bytes) -> str:
    """What the mail host answered, on one line."""
    return f"{code} {' '.join(text.decode('utf-8', 'replace').split())}"[:200]


def trusting(layout: Layout) -> ssl.SSLContext:
    """TLS that trusts the host's own certificate and no other."""
    return ssl.create_default_context(cafile=str(layout.etc / "tls" / "certificate.pem"))
