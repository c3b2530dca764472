"""Whom a letter is provably from: a strict reader of its own, for the tests to hold against the filter.

In: a letter, and the envelope sender with which it came from loopback. Out: `provably_from`, an address or nothing.
`recipients` are the plain addresses of the To or Cc lines, as `deploy/render/facts.py` has them.
It reads a head letter by letter as RFC 5322 has it, and finds DKIM, SPF and DMARC for the test domains of `outside.py`
itself, with the key at hand: it shares nothing with the filter. Strict means: what it does not know is no address.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from deploy.setup import world
from tests.host.outside import a_key

ATEXT = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~")
LDH = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
SPECIALS = frozenset(b'()<>:;@\\,"')
ENCODED_WORD = re.compile(rb"=\?[^?]+\?[A-Za-z]\?")
# Who may write from loopback (SPF), who publishes a key, and who has a policy: all as `outside.py` has it.
FROM_LOOPBACK = frozenset({"other.test", "spf.test", "spf-only.test", "notstrict.test", "strict.test.evil.test"})
WITH_KEY = frozenset({"strict.test", "other.test", "dkim-only.test", "example.net", "notstrict.test"})
WITHOUT_POLICY = frozenset({"spf-only.test", "dkim-only.test"})
ORGANISATIONS = {"news.example.net": "example.net"}  # `.test` is no public suffix, so that no other has subdomains


class Unreadable(Exception):
    """This is not a letter with one author; the text says why."""


def provably_from(raw: bytes, sender: str) -> str:
    """The address that a letter from loopback with this envelope sender is provably from; empty when there is none."""
    try:
        fields, body = split(raw)
        address = author(fields)
    except Unreadable:
        return ""
    return address if is_proved(address.partition("@")[2], fields, body, sender) else ""


def split(raw: bytes) -> tuple[list[bytes], bytes]:
    """The header's fields, each with its folds, and the body. Every line ends in CRLF."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    if not blank or b"\0" in head or any(mark in field.replace(b"\r\n", b"") for field in fields for mark in b"\r\n"):
        raise Unreadable("the lines are not what they seem")
    if not all(re.match(rb"[!-9;-~]+[ \t]*:", field) for field in fields):
        raise Unreadable("a line of the head is no field")
    return fields, body


def named(fields: Sequence[bytes], name: bytes) -> list[bytes]:
    """The values of all fields of a name, unfolded, from the top."""
    found = (field.partition(b":") for field in fields)
    return [value.replace(b"\r\n", b"") for key, _colon, value in found if key.strip(b" \t").lower() == name]


def author(fields: Sequence[bytes]) -> str:
    """The one address of the one From field, in lower case."""
    values = named(fields, b"from")
    if len(values) != 1:
        raise Unreadable("there is not one From")
    before, address, after = angles(values[0])
    if after.strip(b" \t") or (address is not None and SPECIALS & set(without_strings(before))):
        raise Unreadable("something beside the address")
    return addr_spec((before if address is None else address).strip(b" \t"))


def angles(value: bytes) -> tuple[bytes, bytes | None, bytes]:
    """What stands before, between and after the first angle brackets outside of quotes; None between without any."""
    quoted = escaped = False
    for at, byte in enumerate(value):
        if escaped or (byte == ord("\\") and quoted):
            escaped = not escaped
        elif byte == ord('"'):
            quoted = not quoted
        elif byte == ord("<") and not quoted:
            inner, closing, after = value[at + 1 :].partition(b">")
            if not closing:
                raise Unreadable("a bracket that does not close")
            return value[:at], inner, after
    return value, None, b""


def without_strings(phrase: bytes) -> bytes:
    """A display name without what is quoted in it; raises where a quote does not end."""
    if any((byte < 32 and byte != 9) or byte == 127 for byte in phrase):
        raise Unreadable("a control character")
    rest = re.sub(rb'"(?:[^"\\]|\\.)*"', b" ", phrase)
    if b'"' in rest:
        raise Unreadable("a quote that does not end")
    return rest


def addr_spec(text: bytes) -> str:
    """`dot-atom@domain` in lower case."""
    local, at, domain = text.partition(b"@")
    labels = domain.split(b".")
    if not at or len(text) > 254 or not 0 < len(local) <= 64 or ENCODED_WORD.search(text):
        raise Unreadable("no address")
    if not all(atom and set(atom) <= ATEXT for atom in local.split(b".")) or len(labels) < 2:
        raise Unreadable("no local part")
    if not all(0 < len(one) < 64 and set(one) <= LDH and b"-" not in (one[:1], one[-1:]) for one in labels):
        raise Unreadable("no domain")
    return text.decode("ascii").lower()


def recipients(fields: Sequence[bytes], name: bytes) -> list[str]:
    """The plain addresses of all lines of a name, each once, in order, as many as 900 characters hold."""
    found: list[str] = []
    for piece in (piece for value in named(fields, name) for piece in pieces(value)):
        with suppress(Unreadable):
            address = addr_spec(inner(piece))
            if address not in found:
                found.append(address)
    while len(" ".join(found)) > 900:
        found.pop()
    return found


def pieces(value: bytes) -> Iterator[bytes]:
    """What stands between commas, colons and semicolons: a quote is DEL, a comment a blank, half of one nothing."""
    piece, quoted, depth, escaped = bytearray(), False, 0, False
    for byte in value:
        mark = chr(byte)
        if escaped or (mark == "\\" and (quoted or depth)):
            escaped = not escaped
        elif quoted:
            quoted = mark != '"'
        elif depth:
            depth += (mark == "(") - (mark == ")")
        elif mark in ",:;":
            yield bytes(piece)
            piece.clear()
        else:
            quoted, depth = mark == '"', int(mark == "(")
            piece += b"\x7f" if quoted else b" " if depth else bytes([byte])
    yield bytes(piece)


def inner(piece: bytes) -> bytes:
    """The address of `address` or `name <address>`."""
    before, bracket, rest = piece.strip().partition(b"<")
    address, closing, after = rest.partition(b">")
    if not bracket:
        return before
    if not closing or after or b">" in before or b"<" in address:
        raise Unreadable("brackets that do not match")
    return address.strip()


def is_proved(domain: str, fields: Sequence[bytes], body: bytes, sender: str) -> bool:
    """DMARC, or, for a domain without a policy, DKIM or SPF of exactly this domain."""
    proofs = {one for one in WITH_KEY if any(holds(one, at, fields, body) for at in range(len(fields)))}
    envelope = sender.rpartition("@")[2].lower()
    proofs |= {envelope} & FROM_LOOPBACK
    return bool(proofs & {domain, ORGANISATIONS.get(domain, domain) if domain not in WITHOUT_POLICY else domain})


def holds(domain: str, at: int, fields: Sequence[bytes], body: bytes) -> bool:
    """Whether the field at this place is a signature of the whole letter by this domain."""
    name, _colon, value = fields[at].partition(b":")
    if name.strip().lower() != b"dkim-signature" or b"=?" in value:
        return False
    tags = dict(tag.strip().split(b"=", 1) for tag in re.sub(rb"\s", b"", value).split(b";") if b"=" in tag)
    if tags.get(b"d", b"").lower() != domain.encode() or b"l" in tags or b"x" in tags:
        return False
    if tags.get(b"bh") != base64.b64encode(hashlib.sha256(world.relaxed_body(body)).digest()):
        return False
    simple = tags.get(b"c", b"").startswith(b"simple")
    own = re.sub(rb"(;\s*b=)[^;]*", rb"\1", fields[at])
    text = b"\r\n".join(canonical(field, simple) for field in [*chosen(tags.get(b"h", b""), fields), own])
    try:
        seal = base64.b64decode(tags.get(b"b", b""))
        a_key().public_key().verify(seal, text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return b"from" in tags.get(b"h", b"").lower().split(b":")


def canonical(field: bytes, simple: bool) -> bytes:
    """RFC 6376, 3.4.1 and 3.4.2."""
    return field if simple else world.relaxed(field)


def chosen(names: bytes, fields: Sequence[bytes]) -> list[bytes]:
    """The fields that a signature covers: of a name the lowest first (RFC 6376, 5.4.2)."""
    found, left = [], list(fields)
    for name in names.lower().split(b":"):
        for at in range(len(left) - 1, -1, -1):
            if left[at].partition(b":")[0].strip().lower() == name:
                found.append(left.pop(at))
                break
    return found
