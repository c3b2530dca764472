"""The example family on a mail host, the world that writes to it, and what became of a letter."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.host.layout import Layout
from deploy.setup import world
from deploy.snapshot import Alias, Bond, Circle, Domain, Entry, Gate, Mailbox, Screen, Sender, Snapshot
from tests.host.letters import HASH, signed_in, stranger
from tests.host.machine import MailHost, wait_for, wait_with_retries
from tests.host.outside import Sign, publish

FAMILY = "Fioretti family"
ANNA, EMMA, LUCA, MARCO = (f"{name}@myfamily.net" for name in ("anna", "emma", "luca", "marco"))
NONNA, SCHOOL = "nonna.rosa@gmail.com", "scuola-verdi.edu.it"
KEYS = {ANNA: "a" * 15 + "1", EMMA: "e" * 15 + "1", LUCA: "b" * 15 + "1", MARCO: "d" * 15 + "1"}
CIRCLE = Circle(FAMILY, (ANNA, EMMA, LUCA, MARCO), (ANNA, MARCO))
LISTED = (Entry(f"@{SCHOOL}", "allowed"), Entry(NONNA, "allowed"))
STARTER = Gate(FAMILY, (("", "hold"),), careful=True, entries=LISTED)
EXPLORER = Gate(FAMILY, (("", "proven"),), careful=True)
HOME = Snapshot(
    generation=1,
    host="primary",
    role="primary",
    domains=(Domain("myfamily.net", "mail"), Domain("old-domain.example", "alias", "myfamily.net")),
    mailboxes=tuple(Mailbox(name, key, (name,), HASH, 0, active=True) for name, key in sorted(KEYS.items())),
    aliases=(
        Alias("friend@myfamily.net", ("friend@elsewhere.example",)),
        Alias("kids@myfamily.net", (EMMA, LUCA)),
    ),
    circles=(CIRCLE,),
    senders=(
        Sender((EMMA,), (Bond(FAMILY, (("", "ask"),)),), allowed=(f"@{SCHOOL}", NONNA)),
        Sender((LUCA,), (Bond(FAMILY, (("", "anyone"),)),)),
    ),
    screens=(Screen(EMMA, (STARTER,)), Screen(LUCA, (EXPLORER,))),
)


def settle(host: MailHost, home: Snapshot = HOME) -> None:
    """Make the family live, and the world known."""
    publish(host.layout)
    host.apply(home)


def provider(layout: Layout, domain: str) -> Sign:
    """As the provider of one of the example's domains signs."""
    key = world.read_key(layout.etc / "dns", domain)
    return lambda letter: world.sign(letter, domain, key)


def written(author: str, *more: str, to: str = EMMA, body: str = "Ciao!") -> tuple[str, bytes]:
    """A letter of these header lines, and the token by which it is found again."""
    token = uuid.uuid4().hex
    lines = [author, f"To: {to}", f"Message-ID: <{token}@test.example>", "Date: Mon, 23 Nov 2026 10:00:00 +0000"]
    text = "\r\n".join([*(line for line in lines if line), "Subject: Ciao", *more, "", body, ""])
    return token, text.encode("utf-8", "surrogateescape")


def let_in(host: MailHost, raw: bytes, sender: str = "x@elsewhere.example", to: Sequence[str] = (EMMA,)) -> None:
    """Hand a letter over at the door for the world."""
    with stranger(host.layout) as dialogue:
        dialogue.sendmail(sender, list(to), raw, ["SMTPUTF8"] if not sender.isascii() else [])


def submit(host: MailHost, login: str, raw: bytes, to: Sequence[str] = (EMMA,)) -> None:
    """Hand a letter over as one of the family."""
    with signed_in(host.layout, login) as dialogue:
        dialogue.sendmail(login, list(to), raw)


def look(path: Path) -> bytes:
    """A letter, unless it was given its flags or went elsewhere just now."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""


def places(host: MailHost, token: str) -> list[str]:
    """Where letters with this token lie now: `KEY deliver`, or `KEY STATION.REASON`."""
    inside = [path for path in host.layout.mail.glob("*/Maildir/new/*") if path.parts[-4] in KEYS.values()]
    found = [path for path in (*inside, *host.layout.held.glob("*/*/new/*")) if token.encode() in look(path)]
    return sorted(f"{path.parts[-4]} {path.parts[-3].replace('Maildir', 'deliver')}" for path in found)


def fate(host: MailHost, token: str, whose: str = EMMA) -> str:
    """What became of a letter to this person: `deliver`, or `STATION.REASON` where it is held."""
    mine = KEYS[whose]

    def here() -> list[str]:
        return [place for place in places(host, token) if place.startswith(mine)]

    found: list[str] = wait_for(here, f"the letter {token} of {whose}", 60)
    assert len(found) == 1, found
    return found[0].partition(" ")[2]


def try_again(host: MailHost, *tokens: str) -> None:
    """Have Postfix try what it put off, until these letters lie somewhere."""
    wait_with_retries(host, lambda: all(places(host, token) for token in tokens), "the letters that waited")


def tomorrow() -> datetime:
    """A moment after all that happens now."""
    return datetime.now(UTC) + timedelta(days=1)
