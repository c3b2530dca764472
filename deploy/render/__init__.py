"""From a snapshot to the files of one mail host.

In: a `Snapshot`, the moment it is rendered for, and the absolute mail folder of the host. Out: relative path ->
content; the same input gives the same bytes. Nothing is touched: no clock, no database, no file.
Raises `Unwritable` for a value that a file cannot hold, and `Misread` when a file, read back, does not say what was
meant; both are sentences for people.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from deploy.render import dovecot, gates, listing, postfix, procmail, quoting, reading, senders
from deploy.render.book import Book, book
from deploy.render.quoting import Unwritable
from deploy.render.reading import Misread
from deploy.snapshot import Gate, Snapshot

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
    "rspamd/screened": "The addresses whose letters are looked at, without extension: for them a proof is waited for.",
    "rspamd/sender_logins": "Who may write as an address: the same as Postfix's, for the From line of a letter.",
    "postfix/transport": "The hosts that kept mail goes to.",
    "dovecot/passwd": "One line for each mailbox: login, password, home, quota.",
    "procmail/lists": "Who may write, what his letter must show, and who may at any hour. Last the strangers.",
    "procmail": "One mailbox: its folder and its list. The last line tells the dispatcher that this file is whole.",
}


def render(snapshot: Snapshot, at: datetime, mail: str) -> dict[str, bytes]:
    """The files that the host gets at this moment, sorted by path. `at` knows its zone."""
    assert at.tzinfo, "a moment without a time zone"
    addresses = book(snapshot, at)
    bound = senders.senders(addresses, snapshot.circles, snapshot.senders, at)
    looked = screens(addresses, snapshot, at)
    maps = dict(map_files(postfix.maps(addresses, bound)))
    texts = {
        **maps,
        "rspamd/sender_logins": maps["postfix/sender_logins"],
        "rspamd/screened": screened(addresses, looked),
        **dict(recipes(addresses, looked)),
        **dict(lists(looked)),
        "dovecot/passwd": passwd(addresses, mail),
    }
    return {path: (header(path) + text).encode() for path, text in sorted(texts.items())}


def header(path: str) -> str:
    """What a stranger who opens the file is told."""
    folder = procmail.FOLDER if path.startswith(procmail.FOLDER + "/") else "procmail"
    return f"{HEADER}# {PURPOSES.get(path) or PURPOSES[folder]}\n"


def map_files(maps: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The text of every map, read back."""
    for name, entries in maps.items():
        text = "".join(quoting.map_line(key, value) for key, value in sorted(entries.items()))
        reading.same(f"postfix/{name}", entries, reading.read_map(HEADER + text))
        yield f"postfix/{name}", text


def screens(addresses: Book, snapshot: Snapshot, at: datetime) -> dict[str, procmail.Looked]:
    """How the letters to each mailbox are looked at, by address; most of the work is the same for many."""
    circles, own = {circle.name: circle for circle in snapshot.circles}, listing.Own(addresses)
    rows = [row for row in snapshot.screens if row.mailbox in addresses.mailboxes]
    done: dict[tuple[Gate, ...], procmail.Looked] = {}
    for row in rows:
        if row.gates not in done:
            done[row.gates] = procmail.looked(own, gates.gates(addresses, circles, row, at))
    return {row.mailbox: done[row.gates] for row in rows}


def recipes(addresses: Book, looked: Mapping[str, procmail.Looked]) -> Iterator[tuple[str, str]]:
    """The recipe of every mailbox, read back."""
    for mailbox in addresses.mailboxes.values():
        here = looked.get(mailbox.address)
        path, text = procmail.path(mailbox), procmail.recipe(mailbox, here)
        replies = "hold" if here and here.careful else ""
        meant = {"key": mailbox.key, "list": here.name if here else "", "replies": replies}
        reading.same(path, meant, reading.read_recipe(HEADER + text))
        yield path, text


def lists(looked: Mapping[str, procmail.Looked]) -> Iterator[tuple[str, str]]:
    """Every list once, read back."""
    for one in {one.name: one for one in looked.values()}.values():
        rows = (line.split(" ") for line in one.text.splitlines())
        reading.same(one.name, {key: tuple(words) for key, *words in rows}, reading.read_list(HEADER + one.text))
        yield f"{procmail.FOLDER}/{one.name}", one.text


def screened(addresses: Book, looked: Mapping[str, procmail.Looked]) -> str:
    """Every address that leads to a mailbox whose letters are looked at, in all forms; `@domain` for a catch-all."""
    ours = {
        form
        for name in (*addresses.mailboxes, *addresses.aliases)
        if any(end in looked for end in addresses.ends(name))
        for form in addresses.forms(name)
    }
    return "".join(quoting.map_line(name, "yes") for name in sorted(ours))


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
