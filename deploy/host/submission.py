"""Submits the panel's own letters, and answers in the name of people who are away, with the panel's login.

In: a `Layout`, a letter, its one recipient. Out: nothing; when `submit` or `answer` returns, the mail host has taken
the letter (250). Touched: a dialogue with this host's submission door, or with the one for such answers. Raises
`NotTaken` with one sentence; when the answer to the whole letter was lost on the way, nobody knows whether it was
taken, and that is raised too.
"""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from deploy.host.layout import Layout

LOGIN: Final = "own-login"  # in the installer's folder: `ADDRESS SECRET`, for the agent alone
PATIENCE: Final = 30.0  # seconds
PERMANENT: Final = 500  # answers from here on


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
    with signed_in(layout, layout.submission, to) as dialogue:
        dialogue.send_message(letter, own_address(layout), [to])


def answer(layout: Layout, letter: bytes, to: str) -> None:
    """Hand over a letter in the name of one of our people. It comes from nobody, so that nothing comes back for it."""
    with signed_in(layout, layout.post, to) as dialogue:
        dialogue.sendmail("", [to], letter)


@contextmanager
def signed_in(layout: Layout, port: int, to: str) -> Iterator[smtplib.SMTP]:
    """A dialogue about a letter to this address. How it ends does not matter: a letter that was taken is taken."""
    address, secret = own_login(layout)
    try:
        with closing(smtplib.SMTP(layout.address, port, timeout=PATIENCE)) as dialogue:
            dialogue.starttls(context=trusting(layout))
            dialogue.login(address, secret)
            yield dialogue
            with suppress(OSError):
                dialogue.quit()
    except smtplib.SMTPRecipientsRefused as error:
        raise not_taken(to, *error.recipients[to]) from error
    except smtplib.SMTPDataError as error:
        raise not_taken(to, *error.args) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotTaken(f"The letter to {to} could not be submitted: {' '.join(str(error).split())[:200]}") from error


def not_taken(to: str, code: int, text: bytes) -> NotTaken:
    """What the mail host answered. 4yz is for a while, as while a part of it starts (RFC 5321, section 4.2.1)."""
    said = f"{code} {' '.join(text.decode('utf-8', 'replace').split())}"[:200]
    if code < PERMANENT:
        return NotTaken(f"The letter to {to} was put off: {said}")
    return NotTaken(f"The letter to {to} was refused: {said}", refused=True)


def trusting(layout: Layout) -> ssl.SSLContext:
    """TLS that trusts the host's own certificate and no other."""
    return ssl.create_default_context(cafile=str(layout.etc / "tls" / "certificate.pem"))
