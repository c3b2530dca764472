"""The world outside, for tests: domains that publish what a test wants, and letters that they signed or did not."""

import json
from collections.abc import Callable
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.host.canary import Answer, Envelope, ask
from deploy.host.layout import Layout
from deploy.setup import world
from deploy.setup.templates import write

LOOPBACK = "v=spf1 ip4:127.0.0.1 -all"
FAILS = "SERVFAIL"
Sign = Callable[[bytes], bytes]


@cache
def a_key() -> rsa.RSAPrivateKey:
    """One key for all test domains: to make one takes a while."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def another_key() -> rsa.RSAPrivateKey:
    """A key that nobody publishes."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


# What each domain publishes, all of it signed with the one key. `.test` is nobody's (RFC 6761).
DOMAINS: dict[str, object] = {
    **world.publish("strict.test", a_key()),
    **world.publish("example.net", a_key()),
    **world.publish("other.test", a_key(), "none", LOOPBACK),
    **world.publish("spf.test", None, "quarantine", LOOPBACK),
    **world.publish("dkim-only.test", a_key(), "", ""),
    **world.publish("spf-only.test", None, "", LOOPBACK),
    **world.publish("silent.test", None, "", ""),
    **world.publish("xn--strct-uva.test", a_key()),
    **world.publish("strict.test.evil.test", a_key(), "none", LOOPBACK),
    **world.publish("notstrict.test", a_key(), "none", LOOPBACK),
    **world.publish("unsure.test", a_key(), "", LOOPBACK),
    "_dmarc.unsure.test": FAILS,
    **world.publish("waiting.test", None, "", ""),
    "mail._domainkey.waiting.test": FAILS,
    **world.publish("slow.test", None, "reject", ""),
    "mail._domainkey.slow.test": FAILS,
    "waiting-spf.test": FAILS,
    "_dmarc.twice.test": {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]},
}


def publish(layout: Layout) -> None:
    """Let the resolver know the test domains beside the example's."""
    path = layout.etc / "dns" / "zone.json"
    write(path, json.dumps(json.loads(path.read_text()) | DOMAINS, indent=1, sort_keys=True))


def signed(domain: str, key: rsa.RSAPrivateKey | None = None) -> Sign:
    """As the provider of a domain signs."""
    return lambda letter: world.sign(letter, domain, key or a_key())


def written(author: str = "From: rosa@strict.test", *more: str, body: str = "Ciao!") -> bytes:
    """A letter of these header lines."""
    lines = [author, "To: anna@house.test", "Date: Mon, 23 Nov 2026 10:00:00 +0000", "Message-ID: <1@strict.test>"]
    return "\r\n".join([*lines, "Subject: Ciao", *more, "", body, ""]).encode("utf-8", "surrogateescape")


def shown(layout: Layout, letter: bytes, sender: str = "rosa@strict.test", login: str = "") -> Answer:
    """What the filter finds when the letter comes from loopback."""
    return ask(layout, letter, Envelope(sender, ("anna@house.test",), "127.0.0.1", "mx.strict.test", login))
