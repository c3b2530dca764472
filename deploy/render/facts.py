"""The facts about a letter, one header line each: the grammar that rspamd's Lua writes and that recipes match.

In: the lines that rspamd wrote. Out: `Facts`. Nothing is touched. Raises `NoFact` with one sentence for whatever is
not one line of the grammar. The writer is `deploy/setup/templates/rspamd.local.lua`; a recipe matches whole lines.

| header `X-Mailadmin-…` | what it says |
|---|---|
| `From` | `pass ADDRESS dmarc` · `… dkim` · `… spf` · `… login`: what proves the domain, or our own person |
| | `fail ADDRESS dmarc` · `… login` · `… unchecked`: the domain, or we, say it is not; or nobody looked |
| | `none ADDRESS dkim:DOMAIN` · `… spf:DOMAIN` · `… ip:NETWORK` · `… -`: the domain publishes nothing; what it shows |
| | `temp ADDRESS dmarc` · `… dkim` · `… spf`: a look-up failed for now; try again |
| | `malformed`: not one From line with one plain address |
| | `report`: our own Postfix tells one of our people what became of her letter |
| `Reply-To` | `none` · `same` (as From) · `other` · `malformed` (not one plain address) |
| `To`, `Cc` | `none`, or the plain addresses of all such lines, each once, in order, as many as 900 characters hold |
| `Links` | how many different ones, 0 to 999 |
| `Attachments` | `none`, or what name and content say, sorted: some of `KINDS` |
| `List` | `none` · the list's id · `malformed` |
| `Auto` | `yes` (written by a program) · `no` |
| `Spam` | `ham SCORE` · `spam SCORE`, one decimal |
| `Subject` | decoded, at most 200 characters, `-` for none; UTF-8, for filter rules, never for policy |
| `Body` | `none`, or the ids of at most 40 phrases that its text holds, each once, for filter rules |

ADDRESS is lower-case ASCII: atext (RFC 5322, 3.2.3) and dots, `@`, a domain of LDH labels; at most 254 characters. All
but `Subject` is ASCII. No line holds a control character. `opaque` is an archive that could not be looked into.

Whoever the release's `rspamd/screened` names (lines `KEY yes`; a key is an address without extension, or `@domain` for
its catch-all) gets no letter whose proof is `temp`: the filter tells the sender to try again.

`To` and `Cc` hold what stands between commas, colons and semicolons outside of quotes and comments, where that is a
plain address by itself or between brackets; of what is too long for any person, the first 64 KB are read.

`Body` is found by the release's `rspamd/phrases`, lines `KEY ID PHRASE`: a key as above, 16 hex digits, and a text in
lower case, NFC, with single blanks. It is looked for in the first 512 KB of the letter's decoded text, HTML without its
tags, one part after the other, attachments left out; there too case does not matter, and any white space is one blank.
Characters are not composed. A letter of that size in which over 512 phrases might stand is searched for so many.

Facts are found at the first door. What the host itself sends on for its people keeps them, but for `Body`, which
depends on whom a letter is for; where they are not whole, `From` is `malformed`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast

ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN: Final = rf"{LABEL}(?:\.{LABEL})+"
ADDRESS: Final = rf"(?=[^ ]{{1,254}}(?: |\Z))(?=[^@]{{1,64}}@){ATOM}(?:\.{ATOM})*@{DOMAIN}"
RECIPIENTS: Final = rf"none|(?=.{{1,900}}\Z){ADDRESS}(?: {ADDRESS})*"
ID: Final = r"[0-9a-f]{16}"
NETWORK: Final = r"[0-9a-f.:]{2,39}/(?:24|48)"
KINDS: Final = ("archive", "calendar", "document", "message", "opaque", "other", "pdf", "picture", "program", "text")
PREFIX: Final = "X-Mailadmin-"
Verdict = Literal["pass", "fail", "none", "temp", "malformed", "report"]

GRAMMAR: Final[Mapping[str, re.Pattern[str]]] = {
    "From": re.compile(
        rf"pass {ADDRESS} (?:dmarc|dkim|spf|login)|fail {ADDRESS} (?:dmarc|login|unchecked)|"
        rf"none {ADDRESS} (?:dkim:{DOMAIN}|spf:{DOMAIN}|ip:{NETWORK}|-)|"
        rf"temp {ADDRESS} (?:dmarc|dkim|spf)|malformed|report"
    ),
    "Reply-To": re.compile(r"none|same|other|malformed"),
    "To": re.compile(RECIPIENTS),
    "Cc": re.compile(RECIPIENTS),
    "Links": re.compile(r"0|[1-9][0-9]{0,2}"),
    "Attachments": re.compile(rf"none|(?:{'|'.join(KINDS)})(?: (?:{'|'.join(KINDS)}))*"),
    "List": re.compile(r"(?=.{1,200}\Z)[a-z0-9_.-]+|malformed"),
    "Auto": re.compile(r"yes|no"),
    "Spam": re.compile(r"(?:ham|spam) -?[0-9]{1,2}\.[0-9]"),
    "Subject": re.compile(r"(?! )[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,200}(?<! )"),
    "Body": re.compile(rf"none|{ID}(?: {ID}){{0,39}}"),
}
NAMES: Final = tuple(GRAMMAR)


class NoFact(Exception):
    """A line is not of the grammar; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a letter. `address` is empty when it has none; `how` is what the verdict rests on."""

    verdict: Verdict
    address: str
    how: str
    reply_to: str
    links: int
    attachments: tuple[str, ...]
    list_id: str
    automatic: bool
    spam: bool
    score: float
    subject: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    phrases: tuple[str, ...]


def parse(lines: Iterable[tuple[str, str]]) -> Facts:
    """The facts out of header lines, name and value: each of them exactly once, and nothing else under our prefix."""
    found: dict[str, str] = {}
    for name, value in lines:
        fact = name.removeprefix(PREFIX)
        if fact not in GRAMMAR or fact in found:
            raise NoFact(f"There is a line {name[:60]!a} too many.")
        if not GRAMMAR[fact].fullmatch(value):
            raise NoFact(f"{name} says {value[:120]!a}, which it cannot.")
        found[fact] = value
    if missing := [name for name in NAMES if name not in found]:
        raise NoFact(f"{PREFIX}{missing[0]} is missing.")
    return read(found)


def read(found: Mapping[str, str]) -> Facts:
    """Every fact, of lines that are of the grammar."""
    verdict, address, how = [*found["From"].split(" "), "", ""][:3]
    kinds, to, cc, phrases = (several(found[name]) for name in ("Attachments", "To", "Cc", "Body"))
    if kinds != tuple(sorted(kinds)):
        raise NoFact("The kinds of attachments are not in order.")
    word, score = found["Spam"].split(" ")
    return Facts(
        verdict=cast("Verdict", verdict),
        address=address,
        how=how,
        reply_to=found["Reply-To"],
        links=int(found["Links"]),
        attachments=kinds,
        list_id="" if found["List"] == "none" else found["List"],
        automatic=found["Auto"] == "yes",
        spam=word == "spam",
        score=float(score),
        subject="" if found["Subject"] == "-" else found["Subject"],
        to=to,
        cc=cc,
        phrases=phrases,
    )


def several(text: str) -> tuple[str, ...]:
    """The words of a fact that holds any number of them, each once."""
    words = () if text == "none" else tuple(text.split(" "))
    if len(set(words)) != len(words):
        raise NoFact("A fact says a thing twice.")
    return words
