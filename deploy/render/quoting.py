"""How a value is written into a generated file so that the program reads exactly that value: one writer per format.

In: text that the `rules` modules accepted. Out: text for a Postfix map, a procmail recipe or a Dovecot passwd-file.
Nothing is touched. Raises `Unwritable`, with one sentence that names the value, for whatever does not read back.
Every writer allows what is known to be harmless; it never removes or escapes what is not.

Sources: postmap(1) (a leading blank continues a line, a leading `#` is a comment, quotes and backslashes are folded
away in keys), access(5), procmailrc(5), Dovecot's "Passwd-file" page (fields are split at colons, extra fields at
blanks, and `%` is expanded).
"""

import re
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


def extra_field(name: str, value: str) -> str:
    """An extra field; the value has no blank (it would end there), no colon, no percent sign (it would be expanded)."""
    return f"{checked(EXTRA_NAME, name, 'the name of a passwd-file field')}=" + checked(
        EXTRA_VALUE, value, "a value in a passwd-file"
    )
