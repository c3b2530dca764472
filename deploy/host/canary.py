"""Is the filter at the door writing facts? A letter that nobody gets is shown to it, and each fact must be there.

In: a `Layout`; for `ask`, a letter and its envelope. Out: what rspamd would add, as header lines; for `sing`, nothing
when all is well. Nothing is touched, nothing delivered. Raises `CanaryError` with one sentence.

`/checkv2` of rspamd's controller takes a letter as the milter does, and answers with the headers that the milter would.
"""

import http.client
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.host.layout import Layout
from deploy.render.facts import PREFIX, Facts, NoFact, parse

PATIENCE: Final = 25.0  # seconds; rspamd gives up a letter after 20
LETTER: Final = (
    b"From: Canary <canary@mailadmin.invalid>\r\nReply-To: <cage@mailadmin.invalid>\r\n"
    b'To: "owl@mailadmin.invalid" <miner@mailadmin.invalid>\r\n'
    b"Cc: Birds: (hawk@mailadmin.invalid) tit@mailadmin.invalid;\r\n"
    b"Subject: Do you see =?utf-8?q?pi=C3=B9?= facts?\r\nList-Id: <birds.mailadmin.invalid>\r\nMIME-Version: 1.0\r\n"
    b"X-Mailadmin-From: pass forged@mailadmin.invalid dmarc\r\nX-Mailadmin-Canary: forged\r\n"
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nhttp://mailadmin.invalid/\r\n'
    b'--b\r\nContent-Type: application/octet-stream; name="run.exe"\r\n\r\nMZ\r\n--b--\r\n'
)
MEANT: Final = (
    "canary@mailadmin.invalid",
    "other",
    ("miner@mailadmin.invalid",),
    ("tit@mailadmin.invalid",),
    1,
    ("program",),
    "birds.mailadmin.invalid",
    True,
)


class CanaryError(Exception):
    """The filter does not answer, or does not write the facts; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a letter comes from, and whom it is for. `login`: who signed in, at the door for our own people."""

    sender: str = ""
    recipients: tuple[str, ...] = ("miner@mailadmin.invalid",)
    address: str = "192.0.2.1"
    helo: str = "mailadmin.invalid"
    login: str = ""

    def headers(self) -> list[tuple[str, str]]:
        """As `/checkv2` is told."""
        lines = [("IP", self.address), ("Helo", self.helo), ("Hostname", "unknown"), ("From", self.sender)]
        lines += [("Rcpt", recipient) for recipient in self.recipients]
        return lines + ([("User", self.login)] if self.login else [])


@dataclass(frozen=True, slots=True)
class Answer:
    """What the filter would do: `refusal` is what the sender is told, empty when the letter may go on."""

    action: str
    refusal: str
    added: tuple[tuple[str, str], ...]
    removed: frozenset[str]

    @property
    def facts(self) -> Facts:
        """The facts; raises `NoFact`."""
        return parse(line for line in self.added if line[0].startswith(PREFIX))


class Local(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        """Not connected yet."""
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


def ask(layout: Layout, letter: bytes, envelope: Envelope) -> Answer:
    """Show a letter, lines ending in CRLF, to the filter."""
    line = Local(layout.controller)
    try:
        line.putrequest("POST", "/checkv2")
        for name, value in [*envelope.headers(), ("Content-Length", str(len(letter)))]:
            line.putheader(name, value.encode())
        line.endheaders(letter)
        reply = line.getresponse()
        body = reply.read().decode("utf-8", "surrogateescape")
        if reply.status != 200:
            raise CanaryError(f"rspamd answered {reply.status}: {body[:200]!a}.")
        return read(json.loads(body))
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise CanaryError(
            f"rspamd does not answer at {layout.controller}: {str(error) or type(error).__name__}."
        ) from error
    finally:
        line.close()


def read(said: dict[str, Any]) -> Answer:
    """The part of the answer that a milter gets."""
    milter, action = said.get("milter") or {}, str(said["action"])
    told = str((said.get("messages") or {}).get("smtp_message", "")) or action
    added = tuple((name, value) for name, values in milter.get("add_headers", {}).items() for value in texts(values))
    refusal = told if action in ("reject", "soft reject") else ""
    return Answer(action, refusal, added, frozenset(milter.get("remove_headers", {})))


def texts(values: Any) -> Iterable[str]:
    """A header's values: one, or several, bare or with their place."""
    for value in values if isinstance(values, list) else [values]:
        yield str(value["value"] if isinstance(value, dict) else value)


def sing(layout: Layout) -> None:
    """Raise unless the filter finds every fact about the canary's letter, and takes off what it brought."""
    answer = ask(layout, LETTER, Envelope())
    if answer.refusal:
        raise CanaryError(f"rspamd takes no letters: {answer.refusal}")
    try:
        facts = answer.facts
    except NoFact as error:
        raise CanaryError(f"rspamd does not write the facts about a letter: {error}") from error
    found = (
        facts.address,
        facts.reply_to,
        facts.to,
        facts.cc,
        facts.links,
        facts.attachments,
        facts.list_id,
        facts.automatic,
    )
    if found != MEANT or facts.verdict == "pass" or facts.subject != "Do you see più facts?":
        raise CanaryError(f"rspamd finds other facts than there are: {found}.")
    if not {f"{PREFIX}From", f"{PREFIX}Canary"} <= answer.removed:
        raise CanaryError("rspamd leaves forged facts in a letter.")
