"""How a value is written into a generated file so that the program reads exactly that value: one writer per format.

In: text that the `rules` modules accepted. Out: text for a Postfix map, a procmail recipe or a Dovecot passwd-file.
Nothing is touched. Raises `Unwritable`, with one sentence that names the value, for whatever does not read back.
Every writer allows what is known to be harmless; it never removes or escapes what is not.

Sources: postmap(1) (a leading blank continues a line, a leading `#` is a comment, quotes and backslashes are folded
away in keys), access(5), procmailrc(5), Dovecot's "Passwd-file" page (fields are split at colons, extra fields at
blanks, and `%` is expanded).
"""

import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

SHOWN: Final = 60
DOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?![0-9]+\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z"
)
LOCAL: Final = re.compile(r"(?=.{1,64}\Z)[a-z0-9_][a-z0-9_'+=&~-]*(?:\.[a-z0-9_'+=&~-]+)*\Z")
OWN_LOCAL: Final = re.compile(r"(?=.{1,64}\Z)[a-z0-9](?:[a-z0-9_-]|\.(?!\.))*(?<![._-])\Z")
EVIDENCE: Final = re.compile(r"(?:(?:dkim|spf):[a-z0-9.-]{1,253}|ip:[0-9a-f.:]{2,39}/(?:24|48))\Z")
KEY: Final = re.compile(r"[0-9a-f]{16}\Z")
MAP_KEY: Final = re.compile(r"[a-z0-9@_.'+=&~-]{1,320}\Z")
LIST_KEY: Final = re.compile(r"(?![#*])[a-z0-9@_.'+=&~-]{1,320}\Z")
LIST_WORD: Final = re.compile(r"(?:[a-z]{1,20}|-)\Z")
MAP_VALUE: Final = re.compile(r"(?! )[\x20-\x7e]{1,60000}(?<! )\Z")
SENTENCE: Final = re.compile(r"5\.7\.[0-9] [A-Za-z][\x20-\x7e]{0,200}(?<! )\Z")
WORD: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,1000}\Z")
HASH: Final = re.compile(r"\{(?:ARGON2ID|SHA512-CRYPT|BLF-CRYPT)\}\$[A-Za-z0-9./+=,$-]{1,500}\Z")
HOME: Final = re.compile(r"(?:/[A-Za-z0-9._-]+)+\Z")
EXTRA_NAME: Final = re.compile(r"[a-z][a-z_]{0,60}\Z")
EXTRA_VALUE: Final = re.compile(r"[A-Za-z0-9*@._/+=,-]{1,300}\Z")
HEADER_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,60}[a-z0-9])?\Z")
HOUR: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z", re.ASCII)
NUMBER: Final = re.compile(r"(?:0|[1-9][0-9]{0,11})\Z", re.ASCII)
TAG: Final = re.compile(r"(?! )[\x20-\x7e]{1,30}(?<! )\Z")
OPERATORS: Final = frozenset("()|*+?.^$[\\")  # what a backslash takes the meaning of; before `<`, `>`, `/` it gives one
LONGEST_LITERAL: Final = 400  # characters
LONGEST_FOLDER, LONGEST_LEVEL = 200, 60  # bytes of the name on the disk; characters of one level
NOBODY: Final = "{SHA512-CRYPT}!"  # crypt(3) never answers with it; a bare "!" depends on Dovecot's default scheme


class Unwritable(Exception):
    """A value that a generated file cannot hold; the text is one sentence that names it."""


def spoken(value: object) -> str:
    """A value as it may stand in a sentence: escaped, at most `SHOWN` characters."""
    text = str(value).encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}…{text[-SHOWN // 2 :]}"


def checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    """The value itself when the pattern takes the whole of it."""
    if not isinstance(value, str) or not pattern.match(value):
        raise Unwritable(f"“{spoken(value)}” cannot be written as {what}.")
    return value


def domain(value: str) -> str:
    """A domain in lower-case A-labels."""
    return checked(DOMAIN, value, "a domain")


@lru_cache(maxsize=4096)
def is_domain(value: str) -> bool:
    """True for a domain in lower-case A-labels; a host has few of them and many addresses."""
    return bool(DOMAIN.match(value))


@lru_cache(maxsize=1 << 18)  # an address stands in five files
def address(value: str) -> str:
    """Anybody's address: no blank, no comma, nothing that a map, a route or a shell would take apart."""
    local, at, name = value.rpartition("@") if isinstance(value, str) else ("", "", "")
    if not at or not LOCAL.match(local) or not is_domain(name) or len(value) > 254:
        raise Unwritable(f"“{spoken(value)}” cannot be written as an address.")
    return value


def own_address(value: str) -> str:
    """An address of ours: it also names a file, and has no extension."""
    checked(OWN_LOCAL, address(value).rpartition("@")[0], "the local part of an address of ours")
    return value


def catch_all(value: str) -> str:
    """`@domain`: every address of a domain that has no entry of its own."""
    return "@" + domain(value.removeprefix("@"))


def evidence(value: str) -> str:
    """What a letter shows whose domain publishes nothing, as the fact says it."""
    return checked(EVIDENCE, value, "what a letter shows")


def folder_key(value: str) -> str:
    """The name of a mailbox's folder."""
    return checked(KEY, value, "the key of a mailbox")


def map_line(key: str, value: str) -> str:
    """One entry of a Postfix map, with its line feed. Keys are lower-case: postmap folds them."""
    if not MAP_KEY.match(key) or not MAP_VALUE.match(value):
        checked(MAP_KEY, key, "a key of a Postfix map")
        checked(MAP_VALUE, value, "a value of a Postfix map")
    return f"{key} {value}\n"


def list_line(key: str, word: str, evidence: str, always: str) -> str:
    """One entry of a list of who may write, with its line feed; `*` are the strangers."""
    if key != "*":
        checked(LIST_KEY, key, "a key of a list")
    return f"{key} {checked(LIST_WORD, word, 'a word of a list')} {evidence} {checked(LIST_WORD, always, 'a word')}\n"


def address_list(values: Iterable[str]) -> str:
    """Several addresses as the value of a Postfix map: each once, in order."""
    return ",".join(dict.fromkeys(map(address, values)))


def refusal(sentence: str) -> str:
    """What refuses a recipient, as the value of an access map: an enhanced status code and a sentence in ASCII."""
    return "REJECT " + checked(SENTENCE, sentence, "an answer to a sender")


def procmail_word(value: str) -> str:
    """A procmail word in single quotes: nothing inside them is expanded, whatever it holds."""
    checked(WORD, value, "a word of a recipe")
    return "'" + value.replace("'", "'\"'\"'") + "'"


def literal(value: str, *, blanks: bool = True) -> str:
    """A text as a procmail pattern that matches it alone, without regard to case; a run of blanks is any run of them.

    Bytes are matched, and only ASCII letters in both cases: so every other letter is written in both.
    """
    text = unicodedata.normalize("NFC", value) if isinstance(value, str) else ""
    if text != value or not 0 < len(text) <= LONGEST_LITERAL or "  " in text or text != text.strip():
        raise Unwritable(f"“{spoken(value)}” cannot be written as a text to look for.")
    if not all(is_plain(one) for one in text) or (" " in text and not blanks):
        raise Unwritable(f"“{spoken(value)}” cannot be written as a text to look for.")
    return "".join(map(pattern_of, text)) + "()"


def is_plain(one: str) -> bool:
    """True for a character that is one: assigned, no control, no surrogate, no separator but the blank."""
    return one == " " or unicodedata.category(one)[0] not in "CZ"


def pattern_of(one: str) -> str:
    """What matches a character."""
    if one == " ":
        return "[ \t]+"
    if one in OPERATORS:
        return "\\" + one
    return one if one.isascii() else f"({'|'.join(forms(one))})"


def forms(one: str) -> list[str]:
    """A letter in both cases, where each is one letter beyond ASCII."""
    return sorted({form for form in (one, one.lower(), one.upper()) if len(form) == 1 and not form.isascii()})


def header_name(value: str) -> str:
    """The name of a line of a letter's head, in lower case."""
    return checked(HEADER_NAME, value, "the name of a header")


def bytes_of(value: str) -> str:
    """A number of bytes."""
    return checked(NUMBER, value, "a number of bytes")


def whole(value: str, least: int, most: int) -> int:
    """A whole number within limits."""
    number = int(checked(NUMBER, value, "a number"))
    if not least <= number <= most:
        raise Unwritable(f"{number} is not between {least} and {most}.")
    return number


def tag(value: str) -> str:
    """What is put before a subject: ASCII, so that it needs no encoding (RFC 2047)."""
    return checked(TAG, value, "a word before a subject")


def comment(value: str) -> str:
    """Text for people on one line of comment, whatever it is. Never ended by a backslash, which would join the next."""
    return "".join(one if is_plain(one) else "?" for one in value)[:300].rstrip("\\ ")


def maildir(name: str) -> str:
    """The name on the disk of a folder of a mailbox: `Scuola/Età` is `.Scuola.Et&AOA-` (Maildir++; RFC 3501, 5.1.3)."""
    levels = name.split("/") if isinstance(name, str) else []
    for level in levels:
        if not 0 < len(level) <= LONGEST_LEVEL or level != level.strip() or level.startswith("~") or "." in level:
            raise Unwritable(f"“{spoken(name)}” cannot be written as the name of a folder.")
    plain = all(is_plain(one) and one not in "%*" for one in name) and unicodedata.normalize("NFC", name) == name
    written = "".join(f".{modified_utf7(level)}" for level in levels) if plain else ""
    if not written or name.upper() == "INBOX" or len(written) > LONGEST_FOLDER:
        raise Unwritable(f"“{spoken(name)}” cannot be written as the name of a folder.")
    return written


def modified_utf7(text: str) -> str:
    """A folder's name in ASCII, as IMAP and the disk have it (RFC 3501, section 5.1.3)."""
    pieces = re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", text)
    return "".join(
        piece.replace("&", "&-")
        if piece.isascii()
        else "&" + b64encode(piece.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
        for piece in pieces
    )


def password_hash(value: str) -> str:
    """A password's hash with its scheme, one of those the panel makes."""
    return checked(HASH, value, "a password hash")


def home(value: str) -> str:
    """An absolute folder: no blank, colon or percent sign."""
    return checked(HOME, value, "a mail folder")


def passwd_line(login: str, password: str, folder: str, extra: Iterable[str] = ()) -> str:
    """One line of a Dovecot passwd-file, with its line feed: `login:password:uid:gid:gecos:home:shell:extra`.

    `password`: a hash, or empty when nobody may sign in. uid and gid are Dovecot's defaults.
    `extra`: what `extra_field` and `quota_fields` wrote.
    """
    secret = password_hash(password) if password else NOBODY
    return f"{address(login)}:{secret}::::{home(folder)}::{' '.join(extra)}\n"


def quota_fields(size: int) -> list[str]:
    """A quota in bytes, for Dovecot 2.3 and for 2.4: each ignores the other's field. Nothing for no limit."""
    if not 0 <= size < 1 << 60:
        raise Unwritable(f"“{spoken(size)}” cannot be written as a quota in bytes.")
    return [f"userdb_quota_rule=*:bytes={size}", f"userdb_quota_storage_size={size}"] if size else []


def asleep_fields(hour: str) -> list[str]:
    """What closes IMAP and POP3 until an hour, `07:00`, and tells it. A reason ends at the first blank."""
    checked(HOUR, hour, "an hour")
    return ["nologin=y", f"reason=Asleep.Opens.at.{hour}"]


def extra_field(name: str, value: str) -> str:
    """An extra field; the value has no blank (it would end there), no colon, no percent sign (it would be expanded)."""
    return f"{checked(EXTRA_NAME, name, 'the name of a passwd-file field')}=" + checked(
        EXTRA_VALUE, value, "a value in a passwd-file"
    )
