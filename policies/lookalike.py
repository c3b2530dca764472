"""Does an address look like one of a list, without being it? Pure: text in, text out; nothing is touched or raised.

In: an address, and entries of a list, addresses and `@domain`; domains as stored, in A-labels. Out: the entry that the
address could be taken for. Whoever is listed is no look-alike, nor is anybody of a listed domain.

What counts, judged for few false alarms; a false one costs a parent a second look:
- Letters that look alike are the same letter: 0 o, 1 l i, rn m, vv w, cl d, digits that stand for letters, accents,
  Cyrillic and Greek letters of an international name. Dots, hyphens and a `+extension` are nothing.
- *One edit* is a letter put in, left out, changed, or two that changed places. In the local part at the same domain it
  counts from five letters on, of the longer: anna@ and hanna@ are worth a second look, ann@ and anna@ are two people.
- *A domain* looks like another when it is the same to the eye; when its name is one edit away, or only its ending is
  another (.com .co), from five letters on; when it is written around the other (`gmail.com.evil.example`,
  `my-gmail.com`). Its own subdomains do not. This counts whatever stands before the @.
- Where everybody can have an address (gmail.com and mail.com are one edit apart), and for names under five letters, a
  domain counts only with the same local part: `rosa@gmx.it` looks like `rosa@gmx.at`, `mario@gmx.it` does not.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from policies.rules import PROVIDERS, SHARED_WORDS

LEAST: Final = 5  # letters of the longer text, from which one edit counts
NOBODY, SAME, ANYBODY = range(3)  # with whose local part a domain counts
LONG: Final = 8  # letters of a name that stands at the end of another by no chance
# What each letter is mistaken for: digits, then Cyrillic, Greek and Latin letters of other alphabets.
SEEN_AS: Final = {
    "a": "4аɑα", "b": "68вьβ", "c": "сϲ", "d": "ԁđɗ", "e": "3еєε", "f": "ƒ", "g": "9ɡԍ", "h": "һнħ", "i": "ıіɩι",
    "j": "јϳ", "k": "кκ", "l": "1ӏłɫ", "m": "м", "n": "пηɴ", "o": "0оοσøө", "p": "рρ", "q": "ԛ", "r": "гɾ", "s": "5ѕ",
    "t": "7тτ", "u": "υц", "v": "ѵν", "w": "ԝѡω", "x": "хχ", "y": "уүγ", "z": "2ʐ",
}  # fmt: skip
LETTERS: Final = str.maketrans({seen: meant for meant, alike in SEEN_AS.items() for seen in alike})
PAIRS: Final = (("cl", "d"), ("rn", "m"), ("vv", "w"), ("i", "l"))
NOTHING: Final = str.maketrans("", "", "-_.")
A_LABEL: Final = re.compile(r"xn--([a-z0-9-]{1,59})")
FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
EXTENSION: Final = re.compile(r"\+[^@\n]*@")


class Domain(NamedTuple):
    """A domain and its name without the ending, `scuola-verdi` of `scuola-verdi.edu.it`; both also as the eye sees."""

    text: str
    seen: str
    name: str
    seen_name: str


def like(address: str, listed: Iterable[str]) -> str:
    """The entry that an address could be taken for, the likest first; nothing for one that looks like nobody listed."""
    entries = [entry for entry in dict.fromkeys(listed) if entry.count("@") == 1 and "\n" not in entry]
    local, _at, name = address.lower().rpartition("@")
    if not local or f"{local}@{name}" in entries or f"@{name}" in entries:
        return ""
    return min(alike(local, domain(name), entries), default=(0, ""))[1]


def alike(local: str, of: Domain, entries: list[str]) -> Iterator[tuple[int, str]]:
    """The entries that an address looks like, each with its rank."""
    text = "\n".join(entries)
    locals_, names = taken_apart(text)
    seen_locals, seen_names = taken_apart(eye(text))
    seen, near = eye(f"{local}@").removesuffix("@"), likenesses(of, dict(zip(names, seen_names, strict=True)))
    for number in [number for number, name in enumerate(names) if name in near or name == of.text]:
        theirs, seen_theirs, much = locals_[number], seen_locals[number], near.get(names[number], NOBODY)
        same = bool(theirs) and seen == seen_theirs
        if much == ANYBODY or (much == SAME and same):
            yield 0 if same else 2, entries[number]
        elif not much and (same or one_edit(local, theirs) or one_edit(seen, seen_theirs)):
            yield 1, entries[number]


def taken_apart(text: str) -> tuple[list[str], list[str]]:
    """The local parts and the domains of entries, a line each."""
    parts = text.replace("@", "\n").split("\n") if text else []
    return parts[::2], parts[1::2]


def likenesses(of: Domain, names: Mapping[str, str]) -> dict[str, int]:
    """Which of other domains, given with what the eye makes of them, a domain looks like, and how much."""
    first, last = halves(of.text, len(of.name))
    seen_first, seen_last = halves(of.seen, len(of.seen_name))
    begins = (seen_first, of.seen_name)
    likely = [  # a list may be long: what looks nothing like it is left out by a few quick comparisons
        (name, seen)
        for name, seen in names.items()
        if seen.startswith(begins)
        or seen.endswith(seen_last)
        or name.startswith(first)
        or name.endswith(last)
        or seen in of.seen
    ]
    found = {name: likeness(of, name, seen) for name, seen in likely}
    return {name: much for name, much in found.items() if much}


def likeness(of: Domain, name: str, seen: str) -> int:
    """How much a domain looks like another: not at all, with the same local part, or with anybody's."""
    if f".{of.text}".endswith(f".{name}") or f".{name}".endswith(f".{of.text}"):
        return NOBODY
    other = domain(name)
    if of.seen == seen or is_around(of, other):
        return SAME if of.text in PROVIDERS else ANYBODY
    if of.seen_name == other.seen_name or one_edit(of.text, name, 1) or one_edit(of.seen, seen, 1):
        long = max(len(of.name), len(other.name)) >= LEAST
        return ANYBODY if long and of.text not in PROVIDERS else SAME
    return NOBODY


def is_around(of: Domain, other: Domain) -> bool:
    """Whether a domain is written around another: before more labels, or behind something else in one label."""
    dashed, inner = f"-{of.text}".replace(".", "-"), f"-{other.text}".replace(".", "-")
    if f"{inner}-" in dashed:
        return True
    least = LEAST if dashed.endswith(inner) else LONG
    return of.text.endswith(other.text) and len(other.name) >= least


def one_edit(text: str, other: str, least: int = LEAST) -> bool:
    """Whether one letter put in, left out or changed, or two that changed places, make one text of the other."""
    if len(text) > len(other):
        text, other = other, text
    if len(other) - len(text) > 1 or len(other) < least:
        return False
    first, last = halves(text, len(text))
    if not (other.startswith(first) or other.endswith(last)):
        return False
    at = next((i for i, (one, two) in enumerate(zip(text, other, strict=False)) if one != two), len(text))
    if len(text) < len(other):
        return text[at:] == other[at + 1 :]
    swapped = text[at : at + 2] == other[at : at + 2][::-1] and text[at + 2 :] == other[at + 2 :]
    return swapped or text[at + 1 :] == other[at + 1 :]


def halves(text: str, length: int) -> tuple[str, str]:
    """What stays, beginning and end, when one edit falls into the second or the first half of the first letters."""
    half = length // 2
    return text[: max(half - 1, 0)], text[half + 1 :]


def domain(text: str) -> Domain:
    """A domain, taken apart."""
    labels = text.split(".")[:-1]
    if len(labels) > 1 and labels[-1] in SHARED_WORDS:
        labels.pop()
    name = ".".join(labels)
    return Domain(text, eye(text), name, eye(name))


def eye(text: str) -> str:
    """What the eye makes of addresses or domains, a line each: letters that look alike become the same."""
    text = EXTENSION.sub("@", A_LABEL.sub(decoded, text))
    if not text.isascii():
        text = FOREIGN.sub(plain, text)
    text = text.translate(LETTERS)
    for seen, meant in PAIRS:
        text = text.replace(seen, meant)
    return text.translate(NOTHING)


def decoded(label: re.Match[str]) -> str:
    """An A-label as people see it, or as it is when it is none."""
    try:
        return label[1].encode("ascii").decode("punycode")
    except UnicodeError:
        return label[0]


def plain(letters: re.Match[str]) -> str:
    """Letters without accents, and no other form of a letter."""
    apart = unicodedata.normalize("NFKD", letters[0].lower())
    return "".join(c for c in apart if not unicodedata.combining(c) and c not in "@\n")
