"""Do the daemons read this release? An address and a login exist in it alone, and both are asked for.

In: a `Layout` and the release's nonce. Out: nothing, once they answer. Touched: one SMTP dialogue that ends at RCPT
with a refusal, so that nothing can be delivered, and a look-up on Dovecot's auth socket, so that no login fails.
Raises `ProbeError` with one sentence when the answer does not come in time.
"""

import secrets
import smtplib
import socket
import time
from collections.abc import Callable
from typing import Final

from deploy.host.layout import Layout
from deploy.render.quoting import map_line, passwd_line

PATIENCE: Final = 5.0  # seconds
PAUSE: Final = 0.03
HEADER: Final = "# Written by Mailadmin for one release: what the daemons are asked for.\n"


class ProbeError(Exception):
    """A daemon does not answer with this release; the text is one sentence."""


class FilterDown(Exception):
    """Postfix puts everybody off, since its mail filter is down: it cannot be asked. The text is one sentence."""


def new_nonce() -> str:
    """Something that no other release holds."""
    return secrets.token_hex(8)


def address_of(nonce: str) -> str:
    """An address that nobody can have (RFC 6761)."""
    return f"{nonce}@probe.invalid"


def files(nonce: str) -> dict[str, bytes]:
    """What a release holds to be asked for: an access map and a passwd-file."""
    refusal = map_line(address_of(nonce), f"REJECT 5.7.1 live {nonce}")
    login = passwd_line(address_of(nonce), "", "/nonexistent", ["nologin"])
    return {"postfix/probe": (HEADER + refusal).encode(), "dovecot/probe": (HEADER + login).encode()}


def wait_for_smtp(layout: Layout, nonce: str) -> None:
    """Return as soon as Postfix answers out of this release. Raises FilterDown when it answers nobody."""
    _wait("Postfix", lambda: _ask_smtp(layout, nonce))


def wait_for_login(layout: Layout, nonce: str, after: float) -> None:
    """Return as soon as Dovecot answers out of this release, about its passwd-file too.

    Dovecot looks at the time of each passwd-file at most once in a second of the clock: an answer in a later second
    than `after`, the moment of the switch, comes from the new one.
    """
    _wait("Dovecot", lambda: _ask_auth(layout, nonce, after))


def _wait(daemon: str, ask: Callable[[], str]) -> None:
    """Ask until the answer is empty, which is: yes."""
    until = time.monotonic() + PATIENCE
    while problem := _answer(ask):
        if time.monotonic() > until:
            raise ProbeError(f"{daemon} does not answer with the new release: {problem}.")
        time.sleep(PAUSE)


def _answer(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (OSError, smtplib.SMTPException) as error:
        return " ".join(str(error).split())[:200] or type(error).__name__


def _ask_smtp(layout: Layout, nonce: str) -> str:
    with smtplib.SMTP(layout.address, layout.smtp, local_hostname="probe.invalid", timeout=PATIENCE) as dialogue:
        dialogue.ehlo_or_helo_if_needed()
        code, text = dialogue.mail("")
        if code == 451:
            raise FilterDown(
                f"Postfix puts everybody off until its mail filter is back: {text.decode(errors='replace')}"
            )
        code, text = dialogue.rcpt(address_of(nonce))
    said = text.decode("utf-8", "replace")
    return "" if code // 100 == 5 and f"live {nonce}" in said else f"it said {code} {' '.join(said.split())[:150]}"


def _ask_auth(layout: Layout, nonce: str, after: float) -> str:
    now = time.time()
    if int(now) == int(after):
        time.sleep(int(now) + 1 - now)
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(PATIENCE)
        line.connect(str(layout.auth))
        line.sendall(f"VERSION\t1\t0\nPASS\t1\t{address_of(nonce)}\tservice=probe\n".encode())
        with line.makefile("rb") as answers:
            for answer in answers:
                word, _tab, rest = answer.decode("utf-8", "replace").rstrip("\n").partition("\t")
                if word in ("PASS", "NOTFOUND", "FAIL"):
                    return "" if word == "PASS" else f"it said {word} {rest[:150]}"
    return "it hung up"
