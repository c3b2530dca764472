"""One recipe for each mailbox, and the lists that some of them name.

In: mailboxes, and for those whose letters are looked at their `Gates`. Out: paths and texts. Nothing is touched; raises
`Unwritable`.

A recipe only says which folder, which list, which rules, whether a letter whose answers would go elsewhere is held,
whether letters are answered just now and whether the mailbox sleeps: what is done with that stands in the dispatcher
and in `who.awk`, laid down once. So no text of a person or of a stranger ever becomes part of it; the mailbox's own
rules are a file of their own. The dispatcher includes a recipe and defers the letter unless it ends in `RULES_OK=yes`.
A suspended mailbox keeps its recipe: what reaches it through an alias is kept, unread.

A list is named by its content, so people with the same one share it. A letter that comes while a release is switched
sees one of them to its end: the dispatcher looks once which is live.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deploy.render.gates import Gates, Pass
from deploy.render.listing import Own, entries
from deploy.render.quoting import folder_key, list_line, own_address, procmail_word
from deploy.snapshot import Mailbox

FOLDER: Final = "procmail/lists"


@dataclass(frozen=True, slots=True)
class Looked:
    """How the letters to a mailbox are looked at: the text of its list, and whether answers must come back."""

    text: str
    careful: bool

    @property
    def name(self) -> str:
        """The list's name: the digest of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def path(mailbox: Mailbox) -> str:
    """Where the dispatcher looks for it."""
    local, _at, domain = own_address(mailbox.address).rpartition("@")
    return f"procmail/{domain}/{local}.rc"


def recipe(
    mailbox: Mailbox, looked: Looked | None = None, rules: str = "", *, away: bool = False, asleep: bool = False
) -> str:
    """The lines after the header. `rules`: the name of the file with the mailbox's own rules, if it has any."""
    lines = [f"BOX={procmail_word(folder_key(mailbox.key))}"]
    if looked:
        lines += [f"LIST={procmail_word(looked.name)}"]
    if looked and looked.careful:
        lines += ["REPLY_TO='hold'"]
    if rules:
        lines += [f"RULES={procmail_word(rules)}"]
    if away:
        lines += ["AWAY='yes'"]
    if asleep:
        lines += ["ASLEEP='yes'"]
    return "\n".join([*lines, "RULES_OK=yes", ""])


def looked(own: Own, gates: Gates) -> Looked:
    """The list of a mailbox."""
    said = dict(lines(own, gates))
    text = "".join(list_line(key, *words(said[key])) for key in sorted(said))
    return Looked(text + list_line("*", *words(gates.usual)), gates.careful)


def lines(own: Own, gates: Gates) -> Iterator[tuple[str, Pass]]:
    """Each key with what a letter has to show. Where strangers are let in, who claims to be of us still signs in."""
    book, found = own.book, entries(own, gates)
    if gates.usual.word != "stranger":
        yield from ((f"@{name}", Pass("login")) for name in book.domains if book.home(name))
    for key, asked in found.items():
        ours = book.home(key.rpartition("@")[2]) and asked.word not in ("blocked", "stranger")
        yield key, Pass("login", "", asked.always, listed=True) if ours else asked


def words(asked: Pass) -> tuple[str, str, str]:
    """The columns behind the key."""
    return asked.word, asked.evidence or "-", "always" if asked.always else "-"
