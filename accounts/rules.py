"""What a name, an address, a role or a switch may be. Pure: text in, normal form out.

Every door (form, API, CSV, household file, command line) comes through here. What is refused raises
`Refused` with one English sentence that names the thing and the remedy; pages translate it.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence, Set as AbstractSet
from datetime import date
from functools import cache, lru_cache
from typing import Any, Final
from zoneinfo import available_timezones

import idna


class Refused(ValueError):
    """A value that no door accepts. `sentence` has `%(name)s` places that `facts` fill."""

    def __init__(self, sentence: str, **facts: object) -> None:
        self.sentence, self.facts = sentence, facts
        super().__init__(sentence % facts)


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for the translators; it is translated where it is shown."""
    return sentence


_ = gettext_noop

KINDS: Final = ("family", "business")
ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "family": ("guardian", "protected"),
    "business": ("owner", "manager", "member"),
}
LEVELS: Final[Mapping[str, tuple[str, ...]]] = {
    "family": ("starter", "learner", "explorer", "trusted"),
    "business": ("open", "standard", "inside", "partners"),
}
PROTECTIONS: Final = ("minor", "adult")
LANGUAGES: Final = ("en", "it")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SWITCHES: Final[Mapping[str, str]] = {
    "incoming": r"list|proven|anyone",
    "outgoing": r"list|tell|anyone",
    "attachments": r"pictures|documents|no-programs|anything",
    "links": r"hold|anything",
    "words": r"hold|tell|off",
    "hours": r"always|([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]",
    "sight": r"held|contacts|nothing",
    "limits": r"[1-9][0-9]{0,3}/[1-9][0-9]{0,2}",
}
SPOKEN_LENGTH: Final = 60
ADDRESS_LENGTH: Final = 254  # RFC 5321 4.5.3.1.3, without the angle brackets
LOCAL_LENGTH: Final = 64  # RFC 5321 4.5.3.1.1
DOMAIN_LENGTH: Final = 253
# What people outside may have left of their @: dot-atoms (RFC 5322) without the characters that mean something to a
# map, a shell, a route or an archive of programs: ! " # $ % * / ? ^ ` { | }. The first one is a letter, digit or _.
OUTSIDE_LOCAL: Final = re.compile(r"[a-z0-9_][a-z0-9_'+=&~-]*(?:\.[a-z0-9_'+=&~-]+)*\Z")
HIDDEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # categories of characters, none of them printable
LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


def spoken(value: object) -> str:
    """A refused value as it may stand in a sentence: one line, printable, short."""
    text = str(value)
    if len(text) > SPOKEN_LENGTH:
        text = text[: SPOKEN_LENGTH // 2] + "…" + text[-SPOKEN_LENGTH // 2 :]
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def line(value: object, limit: int = 200) -> str:
    """One line of text: NFC, single blanks, no character that hides, breaks or turns around what is shown."""
    if not isinstance(value, str):
        raise Refused(_("“%(value)s” is not text: write it between quotes."), value=spoken(value))
    text = unicodedata.normalize("NFC", value)
    if not text.isprintable() and any(unicodedata.category(c) in HIDDEN for c in text):
        raise Refused(_("“%(value)s” holds a character that cannot be seen: type it again."), value=spoken(value))
    text = " ".join(text.split())
    if len(text) > limit:
        raise Refused(_("“%(value)s” is too long: at most %(limit)d characters."), value=spoken(text), limit=limit)
    return text


def name(value: object) -> str:
    """The name of a person or a community: one line that is not empty."""
    text = line(value, 100)
    if not text:
        raise Refused(_("A name is missing: write at least one letter."))
    return text


def yes_or_no(value: object) -> bool:
    """True or false, and nothing that only looks like it."""
    if not isinstance(value, bool):
        raise Refused(_("“%(value)s” is neither true nor false."), value=spoken(value))
    return value


def one_of(value: object, tokens: Sequence[str]) -> str:
    """A token out of a closed list."""
    if value not in tokens:
        raise Refused(_("“%(value)s” is not one of: %(tokens)s."), value=spoken(value), tokens=", ".join(tokens))
    return str(value)


def domain_name(value: object) -> str:
    """A domain as DNS knows it: lower-case A-labels (RFC 5890, UTS 46), at least two, the last one no number."""
    ascii_name = a_labels(line(value, 1000))
    labels = ascii_name.split(".")
    if len(labels) < 2 or not all(map(LABEL.match, labels)) or labels[-1].isdigit() or len(ascii_name) > DOMAIN_LENGTH:
        raise Refused(_("“%(value)s” is not a domain: write it like myfamily.net."), value=spoken(value))
    return ascii_name


@lru_cache(maxsize=4096)  # a large file names few domains, each for many addresses
def a_labels(text: str) -> str:
    """Text in A-labels; empty for what has none."""
    try:
        return idna.encode(text, uts46=True, transitional=False).decode("ascii").lower() if text else ""
    except (idna.IDNAError, UnicodeError):
        return ""


def shown_domain(ascii_name: str) -> str:
    """A stored domain as people write it: U-labels, where it has any."""
    try:
        return idna.decode(ascii_name)
    except (idna.IDNAError, UnicodeError):
        return ascii_name


def shown_address(address: str) -> str:
    """A stored address as people write it."""
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{shown_domain(domain)}"


def address(value: object) -> str:
    """Anybody's address, here or outside: lower-case, its domain in A-labels."""
    text = line(value, 1000)
    local, at, domain = text.rpartition("@")
    local = local.lower()
    if not at or not OUTSIDE_LOCAL.match(local) or len(local) > LOCAL_LENGTH:
        raise Refused(_("“%(value)s” is not an address: write it like anna@myfamily.net."), value=spoken(value))
    whole = f"{local}@{domain_name(domain)}"
    if len(whole) > ADDRESS_LENGTH:
        raise Refused(
            _("“%(value)s” is too long: at most %(limit)d characters."), value=spoken(value), limit=ADDRESS_LENGTH
        )
    return whole


@cache
def time_zones() -> AbstractSet[str]:
    """The names that this machine knows: a search through 600 files."""
    return available_timezones()


def timezone(value: object) -> str:
    """A name of the IANA time zone database."""
    if not isinstance(value, str) or value not in time_zones():
        raise Refused(_("“%(value)s” is not a time zone: write it like Europe/Rome."), value=spoken(value))
    return value


def day(value: object) -> date:
    """A date, or its ISO 8601 text, between 1900 and 2200."""
    try:
        when = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        when = None
    if type(when) is not date or not 1900 <= when.year <= 2200:
        raise Refused(_("“%(value)s” is not a date: write it like 2026-12-24."), value=spoken(value))
    return when


def hour(value: object) -> int:
    """An hour of the day, 0 to 23."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 23:
        raise Refused(_("“%(value)s” is not an hour of the day: write a number from 0 to 23."), value=spoken(value))
    return value


def school_days(value: object) -> list[str]:
    """Days of the week, in the week's order, each once."""
    if not isinstance(value, list):
        raise Refused(_("School days are a list like mon, tue."))
    given = {one_of(token, DAYS) for token in value}
    return [token for token in DAYS if token in given]


def holidays(value: object) -> list[list[str]]:
    """Ranges of days, first and last, as ISO 8601 text, sorted."""
    if not isinstance(value, list) or not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in value):
        raise Refused(_("Holidays are pairs of a first and a last day."))
    ranges = sorted((day(first), day(last)) for first, last in value)
    for first, last in ranges:
        if last < first:
            raise Refused(_("The holidays that begin on %(first)s end before they begin."), first=first.isoformat())
    return [[first.isoformat(), last.isoformat()] for first, last in ranges]


def overrides(value: object) -> list[dict[str, str]]:
    """Switches set apart for one person: each a mapping of switch tokens to values, with a last day `until`."""
    if not isinstance(value, list):
        raise Refused(_("Exceptions are a list."))
    return [override(item) for item in value]


def override(value: object) -> dict[str, str]:
    """One exception: at least one switch of `SWITCHES`, and its last day."""
    if not isinstance(value, dict) or "until" not in value:
        raise Refused(_("An exception needs its last day: until = 2026-12-31."))
    switches = {token: switch(token, setting) for token, setting in value.items() if token != "until"}
    if not switches:
        raise Refused(_("An exception needs at least one switch, such as hours."))
    return {**switches, "until": day(value["until"]).isoformat()}


def switch(token: object, setting: Any) -> str:
    """The setting of one switch."""
    pattern = SWITCHES.get(one_of(token, tuple(SWITCHES)))
    if pattern is None or not isinstance(setting, str) or not re.fullmatch(pattern, setting):
        raise Refused(
            _("“%(value)s” is not a setting of the switch %(token)s."), value=spoken(setting), token=spoken(token)
        )
    return setting


def language(value: object) -> str:
    """A language that the panel speaks; empty for what the browser says."""
    return "" if value == "" else one_of(value, LANGUAGES)


def role(value: object, kind: str) -> str:
    """A role that a community of this kind has."""
    return one_of(value, ROLES[kind])


def level(value: object, kind: str, of: str) -> str:
    """A level that a person of role `of` can have; guardians, owners and managers have none."""
    if value == "" and of in ("guardian", "owner", "manager"):
        return ""
    if of in ("guardian", "owner"):
        raise Refused(_("Guardians and owners have no level: leave it away."))
    return one_of(LEVELS[kind][0] if value == "" else value, LEVELS[kind])


def protection(value: object, of: str) -> str:
    """Who is protected is a minor, or an adult who agreed; others have no protection."""
    if of == "protected":
        return one_of("minor" if value == "" else value, PROTECTIONS)
    if value != "":
        raise Refused(_("Only a protected person has a protection: leave it away."))
    return ""


def password(value: object) -> str:
    """A new password: 8 to 128 characters that a keyboard can type. What is too common is refused by `passwords`."""
    if not isinstance(value, str) or any(unicodedata.category(c) in ("Cc", "Cs", "Cn") for c in value):
        raise Refused(_("The password holds a character that cannot be typed: choose another."))
    if not 8 <= len(value) <= 128:
        raise Refused(_("The password must have 8 to 128 characters."))
    return value
