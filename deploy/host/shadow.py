"""What would the door say to this recipient? The shadow services are asked, which answer as the doors do.

In: a `Layout`, the recipient, and who would send: a login at the door for our own people, else anybody. Out: code and
text of the first answer that is a refusal, else of RCPT. Nothing is touched: a shadow service accepts no letter.
Raises `ShadowError` with one sentence when the service does not answer.

Where the door would hold a letter back, its shadow refuses with the text `WOULD_BE_HELD`. Source: XCLIENT_README.
"""

import re
import smtplib
from typing import Final

from deploy.host.layout import Layout

PATIENCE: Final = 15.0  # seconds
WOULD_BE_HELD: Final = "5.7.99"
DOT_ATOM: Final = re.compile(r"[^\s\x00-\x1f\x7f\"(),:;<>@\[\\\].]+(?:\.[^\s\x00-\x1f\x7f\"(),:;<>@\[\\\].]+)*")
PLAIN: Final = re.compile(rb"[!-*,-<>-~]")  # what xtext leaves as it is (RFC 1891, 5)


class ShadowError(Exception):
    """The shadow service does not answer as it should; the text is one sentence."""


def ask(
    layout: Layout, recipient: str, *, login: str = "", sender: str = "", client: str = "", helo: str = ""
) -> tuple[int, str]:
    """What is said to a letter of this sender to this recipient: code, and text on one line.

    `client` is an IP address and `helo` a name; each may be left out. Whoever signed in goes by `login`.
    """
    port = layout.shadow_submission if login else layout.shadow_smtp
    try:
        with smtplib.SMTP(layout.address, port, local_hostname="shadow.invalid", timeout=PATIENCE) as dialogue:
            return _talk(dialogue, _claim(client, helo, login), _mail(sender, recipient), f"RCPT TO:{path(recipient)}")
    except (OSError, smtplib.SMTPException, ValueError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ShadowError(f"Postfix cannot be asked about {recipient[:100]!a}: {said}.") from error


def would_be_held(code: int, text: str) -> bool:
    """True when the door would accept the letter and hold it back."""
    return code // 100 == 5 and WOULD_BE_HELD in text.split()


def path(address: str) -> str:
    """An address as SMTP commands name it (RFC 5321, 4.1.2); raises ValueError for one that no command can hold."""
    local, at, domain = address.rpartition("@")
    if re.search(r"[\x00\r\n]", address) or re.search(r"[\s<>\x00-\x1f\x7f]", domain):
        raise ValueError("the address holds characters that no command can")
    if local and not DOT_ATOM.fullmatch(local):
        local = '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'
    return f"<{local}{at}{domain}>"


def xtext(value: str) -> str:
    """A value as XCLIENT takes it."""
    return "".join(chr(byte) if PLAIN.fullmatch(bytes([byte])) else f"+{byte:02X}" for byte in value.encode())


def _claim(client: str, helo: str, login: str) -> str:
    """Who we say we are."""
    address = "[UNAVAILABLE]" if ":" in client else client  # inet_protocols = ipv4; the address decides nothing
    said = (("ADDR", address), ("HELO", helo), ("LOGIN", login))
    return " ".join(["XCLIENT", "NAME=[UNAVAILABLE]", *(f"{name}={xtext(value)}" for name, value in said if value)])


def _mail(sender: str, recipient: str) -> str:
    international = "" if (sender + recipient).isascii() else " SMTPUTF8"
    return f"MAIL FROM:{path(sender)}{international}"


def _talk(dialogue: smtplib.SMTP, claim: str, mail: str, rcpt: str) -> tuple[int, str]:
    """The first answer that is a refusal, else that of RCPT."""
    dialogue.ehlo()
    code, text = dialogue.docmd(claim)
    if code != 220:
        raise smtplib.SMTPException(f"XCLIENT was answered {code} {text.decode(errors='replace')}")
    dialogue.command_encoding = "utf-8"
    dialogue.ehlo()
    code, text = dialogue.docmd(mail)
    if code < 400:
        code, text = dialogue.docmd(rcpt)
    return code, " ".join(text.decode("utf-8", "replace").split())
