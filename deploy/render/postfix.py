"""Postfix's maps. In: the `Book`. Out: for each map its entries, key -> value. Nothing is touched; raises `Unwritable`.

`domains` and `relay_domains` say which names receive mail, `transport` where a backup MX relays to; `mailboxes` has
the folder keys; `aliases` where addresses lead; `sender_logins` who may send as whom; `sasl_class` what each login
may do, `lists` whom some may write to, `sentences` what they are told of others; `refused` and `internal` the
addresses that answer with a sentence.
"""

from collections.abc import Iterator

from deploy.render.book import Book
from deploy.render.quoting import address_list, domain
from deploy.render.senders import Senders
from deploy.snapshot import Alias, Mailbox

SUSPENDED = "550 5.2.1 This mailbox is suspended."
INTERNAL = "550 5.7.1 Only people who are signed in may write to this address."
ANYBODY = "DUNNO"
NOBODY = "nobody@mailadmin.invalid"
Entries = dict[str, str]


def maps(book: Book, bound: Senders) -> dict[str, Entries]:
    """Every map, by name."""
    signing_in = [name for name, row in book.mailboxes.items() if row.active and row.password]
    return {
        "aliases": dict(aliases(book)),
        "domains": {name: row.kind for name, row in book.domains.items() if row.kind != "backup"},
        "internal": dict(internal(book)),
        "lists": bound.lists,
        "mailboxes": {name: row.key for name, row in book.mailboxes.items()},
        "refused": dict(refused(book)),
        "relay_domains": {name: row.kind for name, row in book.domains.items() if row.kind == "backup"},
        "sasl_class": {name: bound.words.get(name, "permit") for name in signing_in},
        "sender_logins": dict(sender_logins(book)),
        "sentences": {name: bound.sentences[name] for name in signing_in if name in bound.sentences},
        "transport": dict(transport(book)),
    }


def aliases(book: Book) -> Iterator[tuple[str, str]]:
    """Each mailbox leads to itself, or a catch-all would swallow it; alias domains are spelled out."""
    for name in book.mailboxes:
        yield from ((form, name) for form in book.forms(name))
    for name, row in book.aliases.items():
        targets = address_list(row.targets)
        yield name, targets
        yield from ((form, targets if row.address.startswith("@") else name) for form in book.forms(name)[1:])


def sender_logins(book: Book) -> Iterator[tuple[str, str]]:
    """Who may send as an address: the people of its mailbox, or of the mailboxes that an alias arrives at.

    Each domain of ours ends in nobody: an address without an owner could be used by strangers as their own.
    """
    yield from ((f"@{name}", NOBODY) for name, row in book.domains.items() if row.kind != "backup")
    for name, box in book.mailboxes.items():
        yield from owned(book, name, [box])
    for name, row in book.aliases.items():
        if not row.address.startswith("@"):
            yield from owned(book, name, book.arrives(name))


def owned(book: Book, name: str, boxes: list[Mailbox]) -> Iterator[tuple[str, str]]:
    """The entries of one address; nobody sends as a suspended mailbox, or as an address that is nobody's here."""
    logins = sorted({login for box in boxes if box.active for login in box.logins})
    if logins:
        yield from ((form, address_list(logins)) for form in book.forms(name))


def refused(book: Book) -> Iterator[tuple[str, str]]:
    """Suspended mailboxes, under each of their addresses."""
    for name, row in book.mailboxes.items():
        if not row.active:
            yield from ((form, SUSPENDED) for form in book.forms(name))


def internal(book: Book) -> Iterator[tuple[str, str]]:
    """Aliases that outsiders may not write to. An internal catch-all closes its domain but for the other addresses."""
    closed = [row for row in book.aliases.values() if row.internal]
    for name in {row.address[1:] for row in closed if row.address.startswith("@")}:
        yield from ((form.removeprefix("@"), INTERNAL) for form in book.forms(f"@{name}"))
        yield from ((form, ANYBODY) for own in open_addresses(book, name) for form in book.forms(own))
    for row in closed:
        if not row.address.startswith("@"):
            yield from ((form, INTERNAL) for form in book.forms(row.address))


def open_addresses(book: Book, name: str) -> list[str]:
    """The addresses of a domain that everybody may write to."""
    others: list[Mailbox | Alias] = [
        *book.mailboxes.values(),
        *(row for row in book.aliases.values() if not row.internal),
    ]
    return [row.address for row in others if row.address.endswith(f"@{name}")]


def transport(book: Book) -> Iterator[tuple[str, str]]:
    """Backup domains go to their own host, and never by their MX, which may be us."""
    for name, row in book.domains.items():
        if row.kind == "backup":
            yield name, f"relay:[{domain(row.target)}]"
