"""Reads generated files back, strictly: the second opinion on what `quoting` wrote.

In: the text of a file. Out: what Postfix, procmail or Dovecot will understand. Nothing is touched, and no pattern is
shared with the writers. Raises `Misread` with one sentence when a line has a shape that we never write.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from deploy.render.quoting import Unwritable

HEADER: Final = re.compile(r"(?:# [ -~]*\n)+")
ENTRY: Final = re.compile(r"^([^\s#\"\\:][^\s\"\\:]*) ([!-~](?:[ -~]*[!-~])?)\n", re.MULTILINE)
RECIPE: Final = re.compile(
    r"BOX=(\S+)\n(?:LIST=(\S+)\n)?(?:REPLY_TO='(hold)'\n)?(?:RULES=(\S+)\n)?(?:AWAY='(yes)'\n)?(?:ASLEEP='(yes)'\n)?RULES_OK=yes\n"
)
LISTED: Final = re.compile(
    r"^([^\s#\"\\:][^\s\"\\:]*) (blocked|stranger|login|proven|pinned|unproven|anyone) (\S+) (always|-)\n", re.MULTILINE
)
WORD: Final = re.compile(r"(?:'[^']*'|\"'\")+")
PIECE: Final = re.compile(r"'([^']*)'|\"(')\"")
LOGIN: Final = re.compile(
    r"^([^:\s%#][^:\s%]*):([^:\s%]+)::::([^:\s%]+)::((?:[a-z_]+=[^\s%]+(?: (?=[a-z])|$))*)\n", re.MULTILINE
)
UTF7: Final = re.compile(r"(?:[ -%'-~]|&(?:[A-Za-z0-9+,]+)?-)+")
SHIFTED: Final = re.compile(r"&([A-Za-z0-9+,]*)-")
Passwd = tuple[str, str, tuple[str, ...]]


class Misread(Unwritable):
    """A generated file does not say what was meant; the text is one sentence."""


def body(text: str) -> str:
    """What stands after the header of comments."""
    header = HEADER.match(text)
    if not header:
        raise Misread("A generated file lacks its header.")
    return text[header.end() :]


def entries(pattern: re.Pattern[str], text: str, what: str) -> list[tuple[str, ...]]:
    """The groups of every line, each of them an entry of its own and under a key of its own."""
    rest = body(text)
    found: list[tuple[str, ...]] = pattern.findall(rest)
    if (
        len(found) != rest.count("\n")
        or rest[-1:] not in ("", "\n")
        or len({entry[0] for entry in found}) != len(found)
    ):
        raise Misread(f"A line of {what} is not an entry of its own.")
    return found


def read_map(text: str) -> dict[str, str]:
    """A Postfix map's text: every key with its value, as postmap takes them."""
    return {key.lower(): value for key, value in entries(ENTRY, text, "a Postfix map")}


def read_word(text: str) -> str:
    """A procmail word of single-quoted pieces: its value."""
    if not WORD.fullmatch(text):
        raise Misread(f"A word of a recipe is not quoted whole: {text[:60]!a}.")
    return "".join(plain or quote for plain, quote in PIECE.findall(text))


def read_recipe(text: str) -> dict[str, str]:
    """A person's recipe: its folder's key, its list, its rules, and what it says yes to."""
    match = RECIPE.fullmatch(body(text))
    if not match:
        raise Misread(f"A recipe is not of the known shape: {text[-60:]!a}.")
    key, listed, replies, rules, away, asleep = match.groups("")
    names = {name: read_word(word) if word else "" for name, word in (("key", key), ("list", listed), ("rules", rules))}
    return {**names, "replies": replies, "away": away, "asleep": asleep}


def read_list(text: str) -> dict[str, tuple[str, ...]]:
    """A list of who may write: what each key has to show. Its last line speaks of strangers."""
    found = entries(LISTED, text, "a list")
    if not found or found[-1][0] != "*":
        raise Misread("A list does not end with strangers.")
    return {key: tuple(words) for key, *words in found}


def read_passwd(text: str) -> dict[str, Passwd]:
    """A Dovecot passwd-file: login -> (password, home, extra fields)."""
    found = entries(LOGIN, text, "a passwd-file")
    return {login: (password, home, tuple(extra.split())) for login, password, home, extra in found}


def from_utf7(name: str) -> str:
    """A level of a folder's name as people write it (RFC 3501, section 5.1.3)."""
    if not UTF7.fullmatch(name):
        raise Misread(f"A folder is not named as we name folders: {name[:60]!a}.")
    return SHIFTED.sub(lambda found: unshifted(found[1]) if found[1] else "&", name)


def unshifted(text: str) -> str:
    """What stands between `&` and `-`."""
    data = text.replace(",", "/")
    return b64decode(data + "=" * (-len(data) % 4)).decode("utf-16-be", "replace")


def same(path: str, meant: Mapping[str, object], found: Mapping[str, object]) -> None:
    """Raise unless a file says exactly what was meant."""
    if meant != found:
        odd = next(key for key in [*meant, *found] if meant.get(key) != found.get(key))
        raise Misread(f"{path} does not read back: see {odd[:60]!a}.")
