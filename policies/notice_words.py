"""The words of a letter to whoever answers: what waits, from whom, and where to answer it.

In: a `Letter`, the person's name, the address of the page; the language is the one that is active. Out: subject and
text. Nothing is touched or raised.

What strangers wrote is an address, and what they call themselves: both only in the text, each on a line of its own,
without any character that could hide, turn around, break a line or become a link. The one link is the page's, which
shows what waits to whoever signs in.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from django.utils.translation import gettext, ngettext

from accounts.rules import shown_address
from policies.notices import Asked, Letter

INDENT: Final = "    "
MOST: Final = 20  # contacts that one letter names
LONGEST_ADDRESS, LONGEST_NAME = 100, 40
IN_ADDRESSES: Final = frozenset("@.-_+'=&~!#$%*?^`{|}")
IN_NAMES: Final = frozenset(" '’-")


def subject(letter: Letter) -> str:
    """What the letter is about, without a word of a stranger's."""
    whose, ways = names(letter.news), {one.direction for one in letter.news}
    if not letter.digest and ways == {"out"}:
        return ngettext(
            "%(name)s asks: may I write to somebody new?",
            "%(name)s ask: may we write to somebody new?",
            len(people(letter.news)),
        ) % {"name": whose}
    if not letter.digest and ways == {"in"}:
        return gettext("Look twice: who is this letter for %(name)s from?") % {"name": whose}
    count = letters(letter.news)
    sentence = ngettext("%(count)d letter waits for %(name)s", "%(count)d letters wait for %(name)s", count)
    return sentence % {"count": count, "name": whose}


def text(letter: Letter, name: str, page: str) -> str:
    """The whole letter."""
    parts = [gettext("Hello %(name)s,") % {"name": name}, *paragraphs(letter.news)]
    if letter.known:
        sentence = ngettext(
            "%(count)d other letter waits that you know of already.",
            "%(count)d other letters wait that you know of already.",
            letter.known,
        )
        parts.append(sentence % {"count": letter.known})
    parts.append(f"{gettext('See what waits, and answer:')}\n{page}")
    parts.append(gettext("Until somebody answers, it all waits; after 30 days it is deleted."))
    parts.append(gettext("The page asks you to sign in. Nobody reads answers to this letter."))
    return "\n\n".join(parts) + "\n"


def paragraphs(news: Sequence[Asked]) -> Iterator[str]:
    """What waits: for each person what she asks, then who writes to her."""
    groups: dict[tuple[tuple[str, ...], bool], list[Asked]] = defaultdict(list)
    for one in news:
        groups[one.whose, one.direction != "out"].append(one)
    left = MOST
    for (_whose, incoming), asked in sorted(groups.items(), key=lambda group: group[0]):
        contacts = by_contact(asked)
        if left > 0:
            shown = "\n".join(
                f"\n{INDENT * 2}".join([INDENT + first, *rest]) for first, *rest in map(lines, contacts[:left])
            )
            yield f"{opening(asked, incoming=incoming)}\n\n{shown}"
        if len(contacts) > max(left, 0):
            hidden = len(contacts) - max(left, 0)
            more = ngettext("And %(count)d more address.", "And %(count)d more addresses.", hidden)
            yield more % {"count": hidden}
        left -= len(contacts)


def opening(asked: Sequence[Asked], *, incoming: bool) -> str:
    """The sentence before the addresses."""
    whose, count = names(asked), letters(asked)
    if not incoming:
        wish = ngettext("%(name)s would like to write to:", "%(name)s would like to write to:", len(people(asked)))
        return wish % {"name": whose}
    sentence = ngettext("%(count)d letter for %(name)s, from:", "%(count)d letters for %(name)s, from:", count)
    return sentence % {"name": whose, "count": count}


def lines(asked: Sequence[Asked]) -> Iterator[str]:
    """One contact: the address, how many letters, what it looks like, what it calls itself."""
    first, count = asked[0], letters(asked)
    more = ngettext("(%(count)d letter)", "(%(count)d letters)", count) % {"count": count} if count > 1 else ""
    yield f"{address(first.address) or gettext('(it does not say from whom)')} {more}".rstrip()
    if first.like:
        yield gettext("Careful: it looks like %(address)s, and is not!") % {"address": address(first.like)}
    if called := next(filter(None, (name(one.called) for one in asked)), ""):
        yield gettext("calls itself: %(name)s") % {"name": called}


def by_contact(asked: Iterable[Asked]) -> list[list[Asked]]:
    """The questions about each contact."""
    found: dict[tuple[str, str, str], list[Asked]] = defaultdict(list)
    for one in asked:
        found[one.contact].append(one)
    return list(found.values())


def letters(asked: Iterable[Asked]) -> int:
    """How many letters: one may ask several questions."""
    return len({one.letter for one in asked})


def people(asked: Iterable[Asked]) -> list[str]:
    """Whose letters they are."""
    return sorted({name for one in asked for name in one.whose})


def names(asked: Iterable[Asked]) -> str:
    """The same in words: two names at most, or how many more."""
    every = people(asked)
    if len(every) == 2:
        return gettext("%(first)s and %(second)s") % {"first": every[0], "second": every[1]}
    more = ngettext("%(first)s and %(count)d other", "%(first)s and %(count)d others", len(every) - 1)
    return more % {"first": every[0], "count": len(every) - 1} if len(every) > 1 else "".join(every)


def address(text: str) -> str:
    """An address as it may stand in a letter: an international one as it is stored, then as people write it."""
    shown = shown_address(text)
    return plain(text) if shown == text else f"{plain(text)} ({plain(shown)})"


def plain(text: str) -> str:
    """An address of letters, digits and the signs of addresses, shortened in its middle."""
    kept = (c if c.isalnum() or c in IN_ADDRESSES else "?" for c in unicodedata.normalize("NFC", text))
    whole = "".join(kept)
    half = LONGEST_ADDRESS // 2
    return whole if len(whole) <= LONGEST_ADDRESS else f"{whole[:half]}…{whole[-half:]}"


def name(text: str) -> str:
    """What somebody calls himself: letters and digits; without dots and slashes nothing becomes a link."""
    letters_only = (c if c.isalnum() or c in IN_NAMES or unicodedata.category(c)[0] == "M" else " " for c in text)
    whole = " ".join(unicodedata.normalize("NFC", "".join(letters_only)).split())
    return whole if len(whole) <= LONGEST_NAME else f"{whole[:LONGEST_NAME]}…"
