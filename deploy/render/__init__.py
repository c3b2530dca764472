"""From a snapshot to the files of one mail host.

In: a `Snapshot`, the moment it is rendered for, and the absolute mail folder of the host. Out: relative path ->
content; the same input gives the same bytes. Nothing is touched: no clock, no database, no file.
Raises `Unwritable` for a value that a file cannot hold, and `Misread` when a file, read back, does not say what was
meant; both are sentences for people.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from deploy.render import dovecot, postfix, procmail, quoting, reading, senders
from deploy.render.book import Book, book
from deploy.render.quoting import Unwritable
from deploy.render.reading import Misread
from deploy.snapshot import Snapshot

__all__ = ["Misread", "Unwritable", "render"]

HEADER: Final = "# Written by Mailadmin. Changes made here are lost: make them in the panel.\n"
PURPOSES: Final = {
    "postfix/aliases": "Where each address leads. A mailbox leads to itself, or a catch-all would take its letters.",
    "postfix/domains": "The domains that receive mail here: with mailboxes of their own, or as an alias of another.",
    "postfix/internal": "Addresses that only people who are signed in may write to.",
    "postfix/lists": "Whom some may write to, by class: an address, one with any extension (local+@), a whole domain.",
    "postfix/mailboxes": "The mailboxes, each with the key that names its folder.",
    "postfix/refused": "Suspended mailboxes, and what a sender is told.",
    "postfix/relay_domains": "Domains that are kept here until their own host takes their mail.",
    "postfix/sasl_class": "What each login may do when it sends.",
    "postfix/sentences": "What a login is told when it writes to somebody whom its list does not name.",
    "postfix/sender_logins": "Who may send as an address. What is nobody's here belongs to nobody.",
    "rspamd/sender_logins": "Who may write as an address: the same as Postfix's, for the From line of a letter.",
    "postfix/transport": "The hosts that kept mail goes to.",
    "dovecot/passwd": "One line for each mailbox: login, password, home, quota.",
    "procmail": "The folder of one mailbox. The last line tells the dispatcher that this file is whole.",
}


def render(snapshot: Snapshot, at: datetime, mail: str) -> dict[str, bytes]:
    """The files that the host gets at this moment, sorted by path. `at` knows its zone."""
    assert at.tzinfo, "a moment without a time zone"
    addresses = book(snapshot, at)
    bound = senders.senders(addresses, snapshot.circles, snapshot.senders, at)
    maps = dict(map_files(postfix.maps(addresses, bound)))
    texts = {
        **maps,
        "rspamd/sender_logins": maps["postfix/sender_logins"],
        **dict(recipes(addresses)),
        "dovecot/passwd": passwd(addresses, mail),
    }
    return {path: (header(path) + text).encode() for path, text in sorted(texts.items())}


def header(path: str) -> str:
    """What a stranger who opens the file is told."""
    return f"{HEADER}# {PURPOSES.get(path) or PURPOSES['procmail']}\n"


def map_files(maps: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The text of every map, read back."""
    for name, entries in maps.items():
        text = "".join(quoting.map_line(key, value) for key, value in sorted(entries.items()))
        reading.same(f"postfix/{name}", entries, reading.read_map(HEADER + text))
        yield f"postfix/{name}", text


def recipes(addresses: Book) -> Iterator[tuple[str, str]]:
    """The recipe of every mailbox, read back."""
    for mailbox in addresses.mailboxes.values():
        path, text = procmail.path(mailbox), procmail.recipe(mailbox)
        reading.same(path, {"folder": mailbox.key}, {"folder": reading.read_recipe(HEADER + text)})
        yield path, text


def passwd(addresses: Book, mail: str) -> str:
    """The passwd-file, read back."""
    quoting.home(mail)
    boxes = addresses.mailboxes.values()
    text = "".join(dovecot.line(box, mail) for box in boxes)
    meant = {
        box.address: (
            (box.active and box.password) or quoting.NOBODY,
            f"{mail}/{box.key}",
            tuple(quoting.quota_fields(box.quota)),
        )
        for box in boxes
    }
    reading.same("dovecot/passwd", meant, reading.read_passwd(HEADER + text))
    return text
