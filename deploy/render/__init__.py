"""From a snapshot to the files of one mail host.

In: a `Snapshot`, the moment it is rendered for, and the absolute mail folder of the host. Out: relative path ->
content; the same input gives the same bytes. Nothing is touched: no clock, no database, no file.
Raises `Unwritable` for a value that a file cannot hold, and `Misread` when a file, read back, does not say what was
meant; both are sentences for people.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Set as AbstractSet
from datetime import datetime
from functools import partial
from typing import Final

from deploy.render import (
    dovecot,
    filters,
    gates,
    hours,
    listing,
    postfix,
    procmail,
    quoting,
    reading,
    rereading,
    senders,
    verdicts,
)
from deploy.render.book import Book, book
from deploy.render.hours import next_change
from deploy.render.quoting import Unwritable
from deploy.render.reading import Misread
from deploy.snapshot import Bond, Filter, Gate, Sender, Snapshot

__all__ = ["Misread", "Unwritable", "next_change", "render", "ruled"]

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
    "rspamd/asleep": "Whose mail sleeps: the hour of opening, and whom they may write to until then.",
    "rspamd/screened": "The addresses whose letters are looked at, without extension: for them a proof is waited for.",
    "rspamd/sender_logins": "Who may write as an address: the same as Postfix's, for the From line of a letter.",
    "postfix/transport": "The hosts that kept mail goes to.",
    "dovecot/passwd": "One line for each mailbox: login, password, home, quota.",
    "rspamd/phrases": "What the rules of a mailbox look for in the text of its letters: address, id, phrase.",
    "procmail/rules": "The rules of one mailbox, each under its sentence. They only decide; the dispatcher acts.",
    "procmail/lists": "Who may write, what his letter must show, and who may at any hour. Last the strangers.",
    "procmail": "One mailbox: its folder, its list, its rules. The last line says that this file is whole.",
}


def render(snapshot: Snapshot, at: datetime, mail: str) -> dict[str, bytes]:
    """The files that the host gets at this moment, sorted by path. `at` knows its zone."""
    assert at.tzinfo, "a moment without a time zone"
    addresses = book(snapshot, at)
    sleeping = hours.sleeping(snapshot.hours, at)
    bound = senders.senders(addresses, snapshot.circles, everybody(snapshot), at, sleeping)
    looked = screens(addresses, snapshot, at)
    ruled = rules(addresses, snapshot, at)
    maps = dict(map_files(postfix.maps(addresses, bound)))
    texts = {
        **maps,
        "rspamd/asleep": "".join(quoting.map_line(*entry) for entry in sorted(bound.asleep.items())),
        "rspamd/sender_logins": maps["postfix/sender_logins"],
        "rspamd/screened": screened(addresses, looked),
        "rspamd/phrases": phrases(addresses, snapshot.filters),
        **dict(recipes(addresses, looked, ruled, away(snapshot.filters, at), sleeping)),
        **{f"{filters.FOLDER}/{name_of(text)}": text for text in ruled.values()},
        **dict(lists(looked)),
        "dovecot/passwd": passwd(addresses, mail, sleeping),
    }
    return {path: (header(path) + texts.pop(path)).encode() for path in sorted(texts)}  # never all of it twice


def header(path: str) -> str:
    """What a stranger who opens the file is told."""
    folder = next((one for one in (procmail.FOLDER, filters.FOLDER) if path.startswith(one + "/")), "procmail")
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


def everybody(snapshot: Snapshot) -> Iterator[Sender]:
    """Whom something binds: also who has hours alone, and may write to anybody while she is awake."""
    yield from snapshot.senders
    bound = {login for sender in snapshot.senders for login in sender.logins}
    others: dict[str, set[str]] = {}
    for row in snapshot.hours:
        for login in set(row.mailboxes) - bound:
            others.setdefault(login, set()).add(row.circle)
    for login, circles in sorted(others.items()):
        yield Sender((login,), tuple(Bond(circle, (("", "anyone"),)) for circle in sorted(circles)))


def recipes(
    addresses: Book,
    looked: Mapping[str, procmail.Looked],
    ruled: Mapping[str, str],
    away: AbstractSet[str],
    sleeping: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """The recipe of every mailbox, read back."""
    for mailbox in addresses.mailboxes.values():
        here, gone, asleep = looked.get(mailbox.address), mailbox.address in away, mailbox.address in sleeping
        rules = name_of(ruled[mailbox.address]) if mailbox.address in ruled else ""
        path, text = procmail.path(mailbox), procmail.recipe(mailbox, here, rules, away=gone, asleep=asleep)
        replies = "hold" if here and here.careful else ""
        meant = {"key": mailbox.key, "list": here.name if here else "", "rules": rules, "replies": replies}
        meant |= {"away": "yes" if gone else "", "asleep": "yes" if asleep else ""}
        reading.same(path, meant, reading.read_recipe(HEADER + text))
        yield path, text


def name_of(text: str) -> str:
    """The name of a file that is named by what it says."""
    return hashlib.sha256(text.encode()).hexdigest()


def rules(addresses: Book, snapshot: Snapshot, at: datetime) -> dict[str, str]:
    """The rules of each mailbox that has some, read back, by address."""
    found = {}
    for row in permitted(addresses, snapshot, at):
        key = addresses.mailboxes[row.mailbox].key
        text = filters.recipes(row, key)
        if filters.meant(row, key) != rereading.read_rules(text):
            raise Misread(f"The rules of “{quoting.spoken(row.mailbox)}” do not read back.")
        found[row.mailbox] = text
    return found


def ruled(snapshot: Snapshot, at: datetime) -> dict[str, tuple[Filter, str]]:
    """By the path of its file, the rules of each mailbox as they are at this moment, and the mailbox's key."""
    addresses = book(snapshot, at)
    rows = [(row, addresses.mailboxes[row.mailbox].key) for row in permitted(addresses, snapshot, at)]
    return {f"{filters.FOLDER}/{name_of(filters.recipes(row, key))}": (row, key) for row, key in rows}


def permitted(addresses: Book, snapshot: Snapshot, at: datetime) -> Iterator[Filter]:
    """The rules of each mailbox that has some, as they may be at this moment."""
    circles = {circle.name: circle for circle in snapshot.circles}
    for row in snapshot.filters:
        mailbox = addresses.mailboxes.get(row.mailbox)
        if mailbox:
            writing = {mailbox.address, *mailbox.logins}
            bound = [one for one in snapshot.senders if writing & set(one.logins)]
            binding = [verdicts.rules(addresses, circles, one, at) for one in bound] if forwards(row) else []
            now = filters.permitted(row, partial(verdicts.may_write, addresses, binding))
            if now.rules:
                yield now


def forwards(row: Filter) -> bool:
    """True where a rule sends letters on."""
    return any(one.action == "forward" for rule in row.rules for one in rule.then)


def away(rows: Iterable[Filter], at: datetime) -> set[str]:
    """The mailboxes whose letters are answered at this moment."""
    return {
        row.mailbox
        for row in rows
        if any(datetime.fromisoformat(since) <= at < datetime.fromisoformat(until) for since, until in row.away)
    }


def phrases(addresses: Book, rows: Iterable[Filter]) -> str:
    """What to look for in letters, under every address that leads to a mailbox."""
    of_box = {
        row.mailbox: filters.phrases(row, addresses.mailboxes[row.mailbox].key)
        for row in rows
        if row.mailbox in addresses.mailboxes
    }
    wanted = {box: found for box, found in of_box.items() if found}
    lines = (
        {
            f"{form} {identity} {text}\n"
            for name in (*addresses.mailboxes, *addresses.aliases)
            for end in addresses.ends(name)
            for identity, text in wanted.get(end, {}).items()
            for form in addresses.forms(name)
        }
        if wanted
        else set()
    )
    return "".join(sorted(lines))


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


def passwd(addresses: Book, mail: str, sleeping: Mapping[str, str]) -> str:
    """The passwd-file, read back."""
    quoting.home(mail)
    boxes = addresses.mailboxes.values()
    text = "".join(dovecot.line(box, mail, sleeping.get(box.address, "")) for box in boxes)
    meant = {
        box.address: (
            (box.active and box.password) or quoting.NOBODY,
            f"{mail}/{box.key}",
            tuple(dovecot.fields(box, sleeping.get(box.address, ""))),
        )
        for box in boxes
    }
    reading.same("dovecot/passwd", meant, reading.read_passwd(HEADER + text))
    return text
