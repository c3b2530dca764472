"""What a filter rule, an answer while away, a spam setting and a forwarding may say. Pure: a value in, normal form out.

A rule is `match` (`all` or `any`), `when`: up to 20 conditions `{"field", "op", "value"}`, and `then`: 1 to 10 actions
`{"action"}`, with `folder` for `file` and `copy`, with `to` for `forward`. A not form is written `not contains`; where
an operator takes no value, `value` is empty. Of the actions that give the letter its place or end the rules there is
one at most, and it stands last. No door takes a regular expression; letters are compared without regard to case.
Nothing is touched. Raises `accounts.rules.Refused`.
"""

import base64
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from accounts.rules import Refused, address, domain_name, gettext_noop as _, line, one_of, spoken
from domains.rules import UNITS

TEXT_OPS: Final = ("contains", "is", "starts", "ends")
# What can be asked of each part of a letter, the most usual first.
OPERATORS: Final[Mapping[str, tuple[str, ...]]] = {
    "from": ("is", "domain", "contains", "starts", "ends", "exists"),
    "subject": (*TEXT_OPS, "exists"),
    "to": ("is", "domain", "contains", "starts", "ends", "exists"),
    "cc": ("is", "domain", "contains", "starts", "ends", "exists"),
    "recipient": ("is", "domain", "contains", "starts", "ends"),
    "list": (*TEXT_OPS, "exists"),
    "body": ("contains",),
    "attachment": ("exists", "is"),
    "size": ("over", "under"),
    "spam": ("exists", "over", "under"),
    "header": (*TEXT_OPS, "exists"),
}
ADDRESSES: Final = frozenset({"from", "to", "cc", "recipient"})
ATTACHMENTS: Final = (
    "archive",
    "calendar",
    "document",
    "message",
    "opaque",
    "other",
    "pdf",
    "picture",
    "program",
    "text",
)
ACTIONS: Final = ("file", "copy", "forward", "mark-read", "flag", "discard", "stop")
ENDING: Final = ("file", "discard", "stop")
MATCHES: Final = ("all", "any")
NOT: Final = "not "
MOST_RULES: Final = 1000  # of a mailbox
MOST_CONDITIONS: Final = 20
MOST_ACTIONS: Final = 10
MOST_PHRASES: Final = 40  # that the filter looks for in the text of a letter to one mailbox
MOST_TEXT: Final = 400
MOST_TARGETS: Final[Mapping[str, int]] = {"protected": 3, "member": 5, "": 20}  # addresses a mailbox forwards to
LONGEST_LEVEL: Final = 60
LONGEST_FOLDER: Final = 200  # bytes on the disk, in modified UTF-7
HEADER: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?\Z")
TAG: Final = re.compile(r"[ -~]{1,20}\Z")
SIZE: Final = re.compile(r"([1-9][0-9]{0,9})\s?([KMG]?)B?\Z", re.IGNORECASE | re.ASCII)
LARGEST: Final = 1 << 30
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
Made = dict[str, str]


def match(value: object) -> str:
    """all or any."""
    return one_of(value, MATCHES)


def when(value: object) -> list[Made]:
    """The conditions, each once, in the order in which they were written."""
    rows = tables(value, _("The conditions of a rule are a list."))
    if len(rows) > MOST_CONDITIONS:
        raise Refused(_("A rule has at most %(limit)d conditions: make two rules of it."), limit=MOST_CONDITIONS)
    return once(condition(row) for row in rows)


def then(value: object) -> list[Made]:
    """The actions, each once; the one that ends the rules stands last."""
    rows = tables(value, _("The actions of a rule are a list."))
    if not rows:
        raise Refused(_("The rule does nothing: say what happens to the letter."))
    if len(rows) > MOST_ACTIONS:
        raise Refused(_("A rule does at most %(limit)d things: make two rules of it."), limit=MOST_ACTIONS)
    found = once(action(row) for row in rows)
    last = [row for row in found if row["action"] in ENDING]
    if len(last) > 1:
        raise Refused(_("A letter has one place: file it, discard it or leave it in the inbox; copies may be many."))
    return [*(row for row in found if row not in last), *last]


def tables(value: object, sentence: str) -> list[Mapping[str, Any]]:
    """A list of tables."""
    if not isinstance(value, list | tuple) or not all(isinstance(row, Mapping) for row in value):
        raise Refused(sentence)
    return list(value)


def once(rows: Iterable[Made]) -> list[Made]:
    """Each row once, the first of its kind stays."""
    found: list[Made] = []
    for row in rows:
        if row not in found:
            found.append(row)
    return found


def condition(row: Mapping[str, Any]) -> Made:
    """What one condition asks."""
    known(row, ("field", "op", "value"))
    name = field(row.get("field"))
    op = operator(name, row.get("op"))
    value = row.get("value", "")
    if bare(op) == "exists":
        if value != "":
            raise Refused(_("“%(value)s” is too much: this only asks whether there is any."), value=spoken(value))
        return {"field": name, "op": op, "value": ""}
    return {"field": name, "op": op, "value": wanted(name, bare(op), value)}


def known(row: Mapping[str, Any], keys: Iterable[str]) -> None:
    """Refuse what a table does not know."""
    for key in row:
        if key not in keys:
            raise Refused(_("“%(value)s” is nothing that a rule knows: leave it away."), value=spoken(key))


def field(value: object) -> str:
    """A part of a letter; a header by its name, such as `header:x-priority`."""
    if isinstance(value, str) and value.lower().startswith("header:"):
        name = value.lower().removeprefix("header:").strip()
        if not HEADER.match(name) or name.startswith("x-mailadmin"):
            raise Refused(
                _("“%(value)s” is not the name of a header line: write it like X-Priority."), value=spoken(name)
            )
        return f"header:{name}"
    return one_of(value, [name for name in OPERATORS if name != "header"])


def operator(name: str, value: object) -> str:
    """How this part is compared; `not` stands before."""
    text = " ".join(value.split()) if isinstance(value, str) and len(value) < MOST_TEXT else value
    inner = text.removeprefix(NOT) if isinstance(text, str) else text
    one_of(inner, OPERATORS[name.partition(":")[0]])
    return str(text)


def bare(op: str) -> str:
    """An operator without its `not`."""
    return op.removeprefix(NOT)


def wanted(name: str, op: str, value: object) -> str:
    """The value that a part is compared with."""
    if name == "size":
        return size(value)
    if name == "spam":
        return score(value)
    if name == "attachment":
        return one_of(value, ATTACHMENTS)
    if name in ADDRESSES:
        return address_part(op, value)
    if name == "list":
        return list_part(value)
    text = phrase(value)
    if len(text.lower()) > MOST_TEXT:  # letters are looked through in lower case, which may be longer
        raise Refused(_("“%(value)s” is too long: at most %(limit)d characters."), value=spoken(text), limit=MOST_TEXT)
    return text


def phrase(value: object) -> str:
    """Some words: 1 to 400 characters that can be seen."""
    text = " ".join(visible(value, MOST_TEXT).split())
    if not text:
        raise Refused(_("A condition has nothing to look for: write at least one letter."))
    return text


def visible(value: object, limit: int) -> str:
    """Text in NFC without what hides, breaks or turns around what is shown."""
    if not isinstance(value, str):
        raise Refused(_("“%(value)s” is not text: write it between quotes."), value=spoken(value))
    if len(value) > 4 * limit:  # nobody waits for megabytes to be looked at
        raise Refused(
            _("“%(value)s” is too long: at most %(limit)d characters."), value=spoken(value[:99]), limit=limit
        )
    text = unicodedata.normalize("NFC", value.strip())
    if any(unicodedata.category(sign) in UNSEEN for sign in text):
        raise Refused(_("“%(value)s” holds a character that cannot be seen: type it again."), value=spoken(value))
    if len(text) > limit:
        raise Refused(_("“%(value)s” is too long: at most %(limit)d characters."), value=spoken(text), limit=limit)
    return text


def short(value: object, limit: int) -> object:
    """The same, unless it is so long that nobody waits until it has been looked at."""
    if isinstance(value, str) and len(value) > 4 * limit:
        raise Refused(_("“%(value)s” is too long: at most %(limit)d characters."), value=spoken(value), limit=limit)
    return value


def address_part(op: str, value: object) -> str:
    """An address, a domain, or a piece of an address: in A-labels, as the facts have it."""
    text = phrase(value).lower()
    if op == "is":
        return address(text)
    if op == "domain":
        return domain_name(text.removeprefix("@"))
    local, at, domain = text.rpartition("@")
    if text.isascii() and " " not in text:
        return text
    if not local.isascii() or " " in text:
        raise Refused(_("“%(value)s” can be in no address: use letters a-z, digits and signs."), value=spoken(text))
    return f"{local}{at}{domain_name(domain)}"


def list_part(value: object) -> str:
    """The id of a mailing list, or a piece of it."""
    text = phrase(value).lower().strip("<>")
    if not re.fullmatch(r"[a-z0-9_.-]{1,200}", text):
        raise Refused(_("“%(value)s” can name no mailing list: write it like parents.school.it."), value=spoken(value))
    return text


def size(value: object) -> str:
    """How large a letter is, such as 500K or 2M, in the largest unit that divides it."""
    number = isinstance(value, int) and not isinstance(value, bool)
    found = SIZE.match(str(value).strip(" ")) if (number or isinstance(value, str)) and len(str(value)) < 20 else None
    count = int(found[1]) * UNITS[found[2].upper()] if found else 0
    if not 1 <= count <= LARGEST:
        raise Refused(_("“%(value)s” is not the size of a letter: write it like 500K or 2M."), value=spoken(value))
    unit = max((unit for unit, factor in UNITS.items() if count % factor == 0), key=UNITS.__getitem__)
    return f"{count // UNITS[unit]}{unit}"


def size_in_bytes(text: str) -> int:
    """The bytes of a normal size."""
    return int(text.rstrip("KMG")) * UNITS[text.lstrip("0123456789")]


def points(value: object) -> int:
    """How much a letter looks like spam: 1 to 50."""
    text = str(value).strip(" ") if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not re.fullmatch(r"[1-9][0-9]?", text, re.ASCII) or int(text) > 50:
        raise Refused(_("“%(value)s” is no spam score: write a whole number from 1 to 50."), value=spoken(value))
    return int(text)


def score(value: object) -> str:
    """The same as text, for a condition."""
    return str(points(value))


def action(row: Mapping[str, Any]) -> Made:
    """One thing that happens to a letter."""
    name = one_of(row.get("action"), ACTIONS)
    needs: Mapping[str, tuple[str, Callable[[object], str]]] = {
        "file": ("folder", folder),
        "copy": ("folder", folder),
        "forward": ("to", target),
    }
    key, rule = needs.get(name, ("", str))
    known(row, ("action", *filter(None, [key])))
    if key and not row.get(key):
        raise Refused(_("Say where to: “%(value)s” needs its %(key)s."), value=name, key=key)
    return {"action": name, key: rule(row[key])} if key else {"action": name}


def target(value: object) -> str:
    """An address that letters are forwarded to."""
    return address(short(value, 320))


def targets(value: object) -> list[str]:
    """The addresses that every letter is forwarded to: at least one, each once, sorted."""
    if not isinstance(value, list | tuple) or not value:
        raise Refused(_("The forwarding leads nowhere: name at least one address."))
    found = sorted({target(item) for item in value})
    if len(found) > MOST_TARGETS[""]:
        raise Refused(_("This forwards to too many addresses: at most %(limit)d."), limit=MOST_TARGETS[""])
    return found


def folder(value: object) -> str:
    """The name of a folder, such as `Scuola/Compiti`: what Maildir++ and IMAP can hold (RFC 3501, 5.1.3)."""
    text = visible(value, 4 * LONGEST_LEVEL)
    levels = [level.strip() for level in text.split("/")]
    for level in levels:
        refuse_level(level, text)
    if levels[0].upper() == "INBOX":
        raise Refused(_("The inbox is no folder to file into: a letter stays there by itself."))
    name = "/".join(levels)
    if len(f".{utf7(name)}") > LONGEST_FOLDER:
        raise Refused(_("The folder name “%(value)s” is too long: choose a shorter one."), value=spoken(name))
    return name


def refuse_level(level: str, whole: str) -> None:
    """Refuse a part of a folder's name that could not be written to a disk."""
    if not level:
        raise Refused(
            _("“%(value)s” is not a folder name: write it like School or School/Homework."), value=spoken(whole)
        )
    if set(".%*") & set(level) or level.startswith("~"):
        raise Refused(_("“%(value)s” cannot be a folder: no dots, no %% or *, and no ~ in front."), value=spoken(whole))
    if any(sign.isspace() and sign != " " for sign in level):
        raise Refused(_("“%(value)s” holds a blank that is none: type it again."), value=spoken(whole))
    if len(level) > LONGEST_LEVEL:
        raise Refused(_("The folder name “%(value)s” is too long: choose a shorter one."), value=spoken(level))


def utf7(name: str) -> str:
    """A name in modified UTF-7 (RFC 3501, 5.1.3)."""
    return re.sub(r"[^ -~]+|&", lambda found: "&-" if found[0] == "&" else shifted(found[0]), name)


def shifted(text: str) -> str:
    """Some letters that are not ASCII, in modified base64."""
    coded = base64.b64encode(text.encode("utf-16-be")).decode().rstrip("=")
    return f"&{coded.replace('/', ',')}-"


def tag(value: object) -> str:
    """What is put before the subject of spam, such as [Spam]; nothing for none. ASCII: it stands in a header line."""
    text = line(short(value, 20), 100)
    if text and not TAG.match(text):
        raise Refused(
            _("“%(value)s” cannot stand before a subject: at most 20 plain letters and signs."), value=spoken(text)
        )
    return text


def letter(value: object) -> str:
    """The text of an answer: lines, 1 to 5,000 characters."""
    text = lines(value)
    if not text:
        raise Refused(_("The answer says nothing: write a sentence."))
    return text


def lines(value: object) -> str:
    """Text of several lines, at most 5,000 characters; may be empty."""
    if not isinstance(value, str) or len(value) > 20_000:
        raise Refused(_("The text is too long: at most %(limit)d characters."), limit=5000)
    rows = [visible(row.replace("\t", " "), 20_000) for row in value.replace("\r\n", "\n").split("\n")]
    text = "\n".join(rows).strip("\n")
    if len(text) > 5000:
        raise Refused(_("The text is too long: at most %(limit)d characters."), limit=5000)
    return text


def subject(value: object) -> str:
    """The subject of an answer; empty for `Re:` and the letter's own."""
    return line(short(value, 150), 150)


def days(value: object) -> int:
    """After how many days the same sender is answered again."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 90:
        raise Refused(_("“%(value)s” is not a number of days: write 1 to 90."), value=spoken(value))
    return value


def forwards(actions: Iterable[Mapping[str, str]]) -> list[str]:
    """Where a rule forwards to."""
    return [row["to"] for row in actions if row["action"] == "forward"]


def phrases(conditions: Iterable[Mapping[str, str]]) -> set[str]:
    """What the filter looks for in the text of a letter."""
    return {row["value"].lower() for row in conditions if row["field"] == "body"}


def spam_rule(over: int, folder_: str, tag_: str) -> tuple[str, list[Made], list[Made]]:
    """The rule that a spam setting is: match, when, then."""
    before = [{"action": "tag", "tag": tag_}] if tag_ else []
    asked = [{"field": "spam", "op": "over", "value": str(over)}]
    return "all", asked, [*before, {"action": "file", "folder": folder_}]


def forwarding_rule(to: Iterable[str], *, keep: bool) -> tuple[str, list[Made], list[Made]]:
    """The rule that a forwarding is: match, when, then. What is not kept lies in the Trash."""
    sent = [{"action": "forward", "to": one} for one in to]
    return "all", [], sent if keep else [*sent, {"action": "discard"}]
