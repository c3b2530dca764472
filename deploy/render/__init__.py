"""From a snapshot to the files of one mail host.

In: a `Snapshot`, the moment it is rendered for, and the absolute mail folder of the host. Out: relative path ->
content; the same input gives the same bytes. Nothing is touched: no clock, no database, no file.
Raises `Unwritable` for a value that a file cannot hold, and `Misread` when a file, read back, does not say what was
meant; both are sentences for people.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from deploy.render import dovecot, postfix, procmail, quoting, reading
from deploy.render.book import Book, book
from deploy.render.quoting import Unwritable
from deploy.render.reading import Misread
from deploy.snapshot import Snapshot

__all__ = ["Misread", "Unwritable", "render"]

HEADER: Final = "# Written by Mailadmin. Changes made here are lost: make them in the panel.\n"


def render(snapshot: Snapshot, at: datetime, mail: str) -> dict[str, bytes]:
    """The files that the host gets at this moment, sorted by path. `at` knows its zone."""
    assert at.tzinfo, "a moment without a time zone"
    addresses = book(snapshot, at)
    texts = {
        **dict(map_files(postfix.maps(addresses))),
        **dict(recipes(addresses)),
        "dovecot/passwd": passwd(addresses, mail),
    }
    return {path: (HEADER + text).encode() for path, text in sorted(texts.items())}


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
