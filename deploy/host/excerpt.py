"""The words of a stranger's letter as plain text: short, on one line, harmless to show.

In: bytes of a letter or text of a header, hostile as can be. Out: text without control, bidi or invisible characters
and without links. Nothing is touched, nothing raised, and no letter takes long: every pattern reads its text once, and
only so many parts are opened so deep. Sources: RFC 2045 to 2047; what is odd is shown raw or left out, never guessed.
"""

import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from email.message import Message
from typing import Final, NamedTuple

LONGEST: Final = 300  # characters of an excerpt
READ: Final = 1 << 16  # bytes of a part, to find those in
DEEPEST, MOST_PARTS = 6, 40
NO_TEXT: Final = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})  # or quadratic
HEADER: Final = 2000  # characters of a header's value that are looked at
WORD: Final = re.compile(r"=\?([A-Za-z0-9._-]{1,40})(?:\*[A-Za-z0-9-]{0,20})?\?([BbQq])\?([^?\s]{0,2000})\?=")
BETWEEN: Final = re.compile(r"(?<=\?=)[ \t]+(?==\?)")
LINK: Final = re.compile(r"\b(?:[a-z][a-z0-9+.-]{0,20}://|www\.|mailto:)\S+", re.IGNORECASE)
TAG: Final = re.compile(r"(<[^<>]*>)")
NAME: Final = re.compile(r"<(/?)([a-z][a-z0-9]*)")
HIDDEN: Final = frozenset({"head", "script", "style", "title", "template"})
INLINE: Final = frozenset(
    {"a", "abbr", "b", "big", "em", "font", "i", "mark", "s", "small", "span", "strong", "u", "wbr"}
)
Fields = list[tuple[str, bytes]]


class Part(NamedTuple):
    """A text of a letter; `plain` before HTML."""

    plain: bool
    text: str


def excerpt(letter: bytes) -> str:
    """The first words of a letter."""
    fields, body = split(letter)
    parts = list(texts(fields, body, DEEPEST, [MOST_PARTS]))
    best = next((part for part in parts if part.plain), parts[0] if parts else Part(True, ""))
    return one_line(best.text, LONGEST)


def header(value: str, longest: int = LONGEST) -> str:
    """A header's value with its encoded words decoded; a word that cannot be decoded stays as it is."""
    return one_line(WORD.sub(_word, BETWEEN.sub("", value[:HEADER])), longest)


def display_name(value: str) -> str:
    """What the author of a `From` calls himself, before his address."""
    name, bracket, _address = value[:HEADER].rpartition("<")
    return header(name.strip().strip('"').replace('\\"', '"'), 200) if bracket else ""


def one_line(text: str, longest: int) -> str:
    """Text that is safe to show: see above. A link is shown as the word that it is one."""
    kept = "".join(map(_shown, text[: longest * 20]))
    return " ".join(LINK.sub("[link]", " ".join(kept.split())).split())[:longest].rstrip()


def split(letter: bytes) -> tuple[Fields, bytes]:
    """Header fields, names in lower case, values as they stand; and the body."""
    head, _blank, body = (b"\n" + letter.replace(b"\r\n", b"\n")).partition(b"\n\n")
    fields = (field.partition(b":") for field in re.split(rb"\n(?![ \t])", head[1:]))
    return [(name.strip().lower().decode("ascii", "replace"), value) for name, colon, value in fields if colon], body


def value(fields: Fields, wanted: str) -> str:
    """The first field of this name, unfolded; empty without one."""
    raw = next((value for name, value in fields if name == wanted), b"")
    return re.sub(r"\n[ \t]+", " ", raw[: HEADER * 4].decode("utf-8", "replace")).strip()


def texts(fields: Fields, body: bytes, deep: int, left: list[int]) -> Iterator[Part]:
    """The texts of a letter or of one of its parts, but not those of what is attached."""
    left[0] -= 1
    kind, boundary, charset = content_type(value(fields, "content-type"))
    if left[0] < 0 or value(fields, "content-disposition").lower().startswith("attachment"):
        return
    if kind.startswith("multipart/") and boundary and deep:
        for part in (b"\n" + body).split(b"\n--" + boundary, MOST_PARTS)[1:]:
            if part.startswith(b"--"):
                return
            yield from texts(*split(part.partition(b"\n")[2]), deep - 1, left)
    elif kind in ("text/plain", "text/html"):
        text = decode(body, value(fields, "content-transfer-encoding").lower(), charset)
        yield Part(kind == "text/plain", text if kind == "text/plain" else without_tags(text))


def content_type(said: str) -> tuple[str, bytes, str]:
    """Kind, boundary and character set of a `Content-Type`."""
    message = Message()
    message["Content-Type"] = said[:HEADER].replace("\n", " ").replace("\r", " ") or "text/plain"
    try:
        boundary = message.get_boundary() or ""
        return message.get_content_type(), boundary.encode("utf-8", "replace"), message.get_content_charset() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return "text/plain", b"", ""


def decode(body: bytes, encoding: str, charset: str) -> str:
    """The beginning of a part's text."""
    data = body[:READ]
    if encoding == "base64":
        letters = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        data = binascii.a2b_base64(letters[: len(letters) // 4 * 4])
    elif encoding == "quoted-printable":
        data = binascii.a2b_qp(data)
    return text_of(data, charset)


def text_of(data: bytes, charset: str) -> str:
    """Bytes in a character set; in one that nobody knows, as UTF-8."""
    try:
        known = codecs.lookup(charset).name if charset else "utf-8"
        return data.decode("utf-8" if known in NO_TEXT else known, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")


def without_tags(text: str) -> str:
    """The words of HTML."""
    words, hidden = list[str](), ""
    for piece in TAG.split(_without_comments(text)):
        tag = NAME.match(piece.lower())
        if hidden:
            hidden = "" if tag and tag[1] and tag[2] == hidden else hidden
        elif tag and not tag[1] and tag[2] in HIDDEN:
            hidden = tag[2]
        elif not piece.startswith("<") or not piece.endswith(">"):
            words.append(html.unescape(piece))
        elif not tag or tag[2] not in INLINE:
            words.append(" ")
    return "".join(words)


def _without_comments(text: str) -> str:
    kept = text.split("<!--")
    return kept[0] + "".join(piece.partition("-->")[2] for piece in kept[1:])


def _word(match: re.Match[str]) -> str:
    """One encoded word of RFC 2047."""
    charset, encoding, data = match.groups()
    try:
        raw = data.encode("ascii")
        octets = binascii.a2b_base64(raw, strict_mode=True) if encoding in "Bb" else binascii.a2b_qp(raw, header=True)
        known = codecs.lookup(charset).name
        return match[0] if known in NO_TEXT else octets.decode(known)
    except (LookupError, ValueError):
        return match[0]


def _shown(mark: str) -> str:
    """A character, a blank, or nothing for one that is not seen or changes how others are."""
    kind = unicodedata.category(mark)
    if mark.isspace() or kind in ("Cc", "Zl", "Zp"):
        return " "
    return "" if kind in ("Cf", "Cs", "Co", "Cn") else mark
