"""May a letter be answered while its reader is away, and with what words? Pure: the head of a letter in, a letter out.

In: the head as it was laid aside, with the lines that pipe(8) and the filter wrote; the words of the answer. Out:
`Asked`, who wrote and about what; the bytes of the answer, lines ending in CRLF. Nothing is touched. Raises
`NotAnswered` with a word: whoever is no person, or proves not to be who he says, gets none (RFC 3834, 2 and 4).

Everything that a stranger wrote is read in a grammar: no line of his becomes a line of the answer.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

from deploy.host import envelope, excerpt
from deploy.host.letter import lines
from deploy.render.facts import Facts, NoFact, parse

LATEST: Final = timedelta(days=1)
LONGEST_SUBJECT: Final = 200
MOST_REFERENCES: Final = 10
LONGEST_REFERENCES: Final = 900  # characters
RECEIVED: Final = re.compile(rb";\s*([^;]{10,60})\Z")
ID: Final = re.compile(rb"<[!-;=?-~]{1,250}>")
RE: Final = re.compile(r"(?:(?:re|r|rif|aw|antw|sv|vs|odp)(?:\[\d{1,3}\])?\s?:\s*)+", re.IGNORECASE)
# Programs that write as if they were people (RFC 3834, 2; RFC 2142), and what only lists and programs put on a letter.
ROLE: Final = re.compile(
    r"(?:mailer-daemon|postmaster|daemon|root|nobody|majordomo|listserv|bounces?|devnull)(?:[+=._-].*)?"
    r"|owner-.*|.*-(?:owner|request|bounces?|errors|relay|admin|confirm)(?:[+=].*)?"
    r"|.*(?:no|not|non|never)[._-]?(?:reply|respond|rispondere|responder|repondre|antworten).*"
)
AUTOMATIC: Final = re.compile(
    r"list-.*|(?:x-)?mailing-list|x-mailman-.*|x-auto(?:reply|respond|generated|mated).*|feedback-id|x-loop|x-cron-.*"
)


class NotAnswered(Exception):
    """Nobody is told by this letter; the text is a word that says why."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A person's letter: who wrote it, whom he named, `subject` as it can be shown; ids as they are put on a letter."""

    sender: str
    named: tuple[str, ...]
    subject: str
    message_id: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """What is answered. `name` and `address`: who is away. `subject`: her own, or what stands behind `Re:`."""

    name: str
    address: str
    subject: str
    text: str


def asked(head: bytes, at: datetime) -> Asked:
    """The person who wrote this letter, looked at at this moment."""
    fields, _body = excerpt.split(head)
    facts = _facts(fields)
    sender = _sender(head, facts)
    if ROLE.fullmatch(sender.rpartition("@")[0]):
        raise NotAnswered("role")
    if any(AUTOMATIC.fullmatch(name) for name, _value in fields):
        raise NotAnswered("automatic")
    if not _is_fresh(fields, at):
        raise NotAnswered("old")
    ids = _ids(fields, "message-id")
    return Asked(
        sender=sender,
        named=(*facts.to, *facts.cc),
        subject=excerpt.one_line(RE.sub("", facts.subject, count=1), LONGEST_SUBJECT),
        message_id=ids[0] if len(ids) == 1 else "",
        references=tuple(_ids(fields, "references") or _ids(fields, "in-reply-to")[:1]),
    )


def written(asked: Asked, words: Words, at: datetime, message_id: str) -> bytes:
    """The answer."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(words.name, addr_spec=words.address)
    mail["To"] = Address(addr_spec=asked.sender)
    mail["Subject"] = words.subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-replied"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(words.text, cte="quoted-printable")
    return _thread(asked).encode("ascii") + mail.as_bytes()


def _facts(fields: excerpt.Fields) -> Facts:
    """What the filter says, of a letter that a person may have written."""
    try:
        facts = parse(lines(fields))
    except NoFact as error:
        raise NotAnswered("facts") from error
    if facts.verdict not in ("pass", "none"):
        raise NotAnswered("unproven")
    if facts.automatic or facts.list_id or facts.spam:
        raise NotAnswered("list" if facts.list_id else "spam" if facts.spam else "automatic")
    return facts


def _sender(head: bytes, facts: Facts) -> str:
    """Who sent it, when it is who wrote it: an answer goes to nobody else."""
    try:
        sender = envelope.read(head).sender.lower()
    except envelope.NoEnvelope as error:
        raise NotAnswered("envelope") from error
    if sender != facts.address:
        raise NotAnswered("sender")
    return sender


def _is_fresh(fields: excerpt.Fields, at: datetime) -> bool:
    """Whether it came in less than a day ago: our own Postfix says so in the first line of its kind."""
    received = RECEIVED.search(next((value for name, value in fields if name == "received"), b""))
    try:
        return abs(at - parsedate_to_datetime(received[1].decode("ascii"))) < LATEST if received else False
    except (TypeError, ValueError):
        return False


def _ids(fields: excerpt.Fields, wanted: str) -> list[str]:
    """The ids in the first line of a name, each once; the first, and of the rest the last few."""
    value = next((value for name, value in fields if name == wanted), b"")
    found = list(dict.fromkeys(one[0].decode("ascii") for one in ID.finditer(value) if b"@" in one[0]))
    return found if len(found) <= MOST_REFERENCES else [found[0], *found[1 - MOST_REFERENCES :]]


def _thread(asked: Asked) -> str:
    """The lines by which a mail program finds what is answered (RFC 5322, 3.6.4), an id on a line."""
    if not asked.message_id:
        return ""
    kept = [one for one in asked.references if one != asked.message_id]
    while len("".join(kept)) > LONGEST_REFERENCES:
        kept.pop(min(1, len(kept) - 1))
    return f"In-Reply-To: {asked.message_id}\r\nReferences: " + "\r\n ".join([*kept, asked.message_id]) + "\r\n"
