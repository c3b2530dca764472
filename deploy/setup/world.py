"""The world outside, for a private mail host: a few domains whose letters can be proved with no network.

In: a folder. Touched: `zone.json` in it, which the resolver answers from, and a key for each domain, made once.
Out: `sign`, which signs a letter as one of these domains' providers would. Raises OSError.

Sources: RFC 6376 (DKIM, relaxed/relaxed, rsa-sha256), RFC 7489 (DMARC), RFC 7208 (SPF).
"""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from deploy.setup.templates import write

SELECTOR: Final = "mail"
SIGNED: Final = ("from", "to", "subject", "date", "message-id", "reply-to")
NOBODY: Final = "v=spf1 -all"  # where a letter comes from proves nothing here: every one comes from loopback
# The example household's outside: each publishes a key and asks that forged letters be refused.
EXAMPLE: Final = ("gmail.com", "scuola-verdi.edu.it", "example.org")
Records = dict[str, dict[str, list[str]]]


def make_world(folder: Path) -> None:
    """The zone file and the keys, unless they are there."""
    if (folder / "zone.json").exists():
        return
    records: Records = {}
    for domain in EXAMPLE:
        records |= publish(domain, make_key(folder, domain))
    write(folder / "zone.json", json.dumps(records, indent=1, sort_keys=True) + "\n")


def make_key(folder: Path, domain: str) -> rsa.RSAPrivateKey:
    """A new key for a domain, kept where root alone reads it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write(folder / f"{domain}.pem", pem.decode("ascii"), 0o600)
    return key


def read_key(folder: Path, domain: str) -> rsa.RSAPrivateKey:
    """The key that was made for a domain."""
    key = serialization.load_pem_private_key((folder / f"{domain}.pem").read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def publish(domain: str, key: rsa.RSAPrivateKey | None, dmarc: str = "reject", spf: str = NOBODY) -> Records:
    """What a domain says of its letters; an empty `dmarc` or `spf` is not published."""
    records: Records = {domain: {"MX": [f"10 mx.{domain}"], "TXT": [spf] if spf else []}}
    if key:
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        text = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}"
        records[f"{SELECTOR}._domainkey.{domain}"] = {"TXT": [text]}
    if dmarc:
        records[f"_dmarc.{domain}"] = {"TXT": [f"v=DMARC1; p={dmarc}"]}
    return records


def sign(letter: bytes, domain: str, key: rsa.RSAPrivateKey) -> bytes:
    """The letter, lines ending in CRLF, with a DKIM signature before it."""
    head, _blank, body = letter.partition(b"\r\n\r\n")
    fields = [relaxed(field) for field in re.split(rb"\r\n(?![ \t])", head)]
    chosen = [field for name in SIGNED for field in reversed(fields) if field.startswith(name.encode() + b":")]
    names = b":".join(field.partition(b":")[0] for field in chosen)
    digest = base64.b64encode(hashlib.sha256(relaxed_body(body)).digest())
    value = b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s; h=%s; bh=%s; b=" % (
        domain.encode(),
        SELECTOR.encode(),
        names,
        digest,
    )
    text = b"\r\n".join([*chosen, relaxed(b"DKIM-Signature: " + value)])
    seal = base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256()))
    return b"DKIM-Signature: " + value + seal + b"\r\n" + letter


def relaxed(field: bytes) -> bytes:
    """A header field as RFC 6376, 3.4.2 has it signed."""
    name, _colon, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


def relaxed_body(body: bytes) -> bytes:
    """A body as RFC 6376, 3.4.4 has it signed."""
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""
