"""DKIM signatures of every kind, good and bad, for letters of test domains (RFC 6376); `world.sign` makes the usual."""

import base64
import hashlib
import re
import subprocess
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from deploy.setup import world
from tests.host.outside import a_key

METHODS = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1()}  # noqa: S303  to see that it counts no more


@cache
def short_key() -> rsa.RSAPrivateKey:
    """A key that can be broken in a day. The library makes none so short."""
    pem = subprocess.run(["openssl", "genrsa", "768"], capture_output=True, check=True).stdout
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


@dataclass(frozen=True, slots=True)
class Seal:
    """How a letter is signed. `tags`: more of them, `l=7; `. `upto`: how much of the body, in bytes, is vouched for."""

    domain: str = "strict.test"
    selector: str = world.SELECTOR
    key: rsa.RSAPrivateKey | None = None
    tags: str = ""
    names: tuple[str, ...] = world.SIGNED
    method: str = "rsa-sha256"
    simple: bool = False  # the header's bytes are signed as they are, not folded into one form
    upto: int | None = None

    def on(self, letter: bytes) -> bytes:
        """The letter with this signature."""
        return b"%s%s\r\n%s" % (*self.parts(letter), letter)

    def parts(self, letter: bytes) -> tuple[bytes, bytes]:
        """The signature's header field up to `b=`, and what stands there."""
        head, _blank, body = letter.partition(b"\r\n\r\n")
        fields = re.split(rb"\r\n(?![ \t])", head)
        chosen = [field for name in self.names for field in fields if field.lower().startswith(name.encode() + b":")]
        names = b":".join(field.partition(b":")[0] for field in chosen)
        name = self.method.partition("-")[2]
        digest = base64.b64encode(hashlib.new(name, world.relaxed_body(body)[: self.upto]).digest())
        form = "simple" if self.simple else "relaxed"
        beginning = f"v=1; a={self.method}; c={form}/relaxed; d={self.domain}; s={self.selector}; {self.tags}"
        field = b"DKIM-Signature: %s h=%s; bh=%s; b=" % (beginning.encode(), names, digest)
        text = b"\r\n".join([*chosen, field] if self.simple else map(world.relaxed, [*chosen, field]))
        sealed = (self.key or a_key()).sign(text, padding.PKCS1v15(), METHODS[name])
        return field, base64.b64encode(sealed)


def hidden(seal: Seal, letter: bytes, tags: str) -> bytes:
    """A letter whose signature was given more tags by somebody without the key: in an encoded word, after the seal.

    rspamd reads the words decoded, and hashes the bytes, from which all of `b=` is taken.
    """
    field, sealed = seal.parts(letter)
    word = (sealed + b"; " + tags.encode()).replace(b"=", b"=3D").replace(b";", b"=3B").replace(b" ", b"_")
    return b"%s=?utf-8?q?%s?=\r\n%s" % (field, word, letter)
