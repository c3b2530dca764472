"""Letters that seem to be proved and are not: signatures for a part, with weak keys, of others, or made to say more.

What rspamd says of DKIM, SPF and DMARC was read with an attacker's eye; each way that was found, or feared, is here.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.host.canary import Envelope, ask
from deploy.render.facts import PREFIX
from deploy.setup import world
from deploy.setup.templates import write
from tests.host.letters import HOUSE
from tests.host.machine import MailHost
from tests.host.outside import LOOPBACK, a_key, another_key, publish, shown, written
from tests.host.seals import Seal, hidden, short_key

pytestmark = pytest.mark.daemons
ROSA, EVIL = "rosa@strict.test", "evil@other.test"
PASS, FAIL, BAD, EVILS = f"pass {ROSA} dmarc", f"fail {ROSA} dmarc", "malformed", f"pass {EVIL} dmarc"
GOOD = Seal()
LETTER = written(body="Ciao!\r\n" + "x" * 500)
SIZE = len(world.relaxed_body(LETTER.partition(b"\r\n\r\n")[2]))
OVER = "t=1000000000; x=1000000100;"
MANY = b"".join(b"X-%d: y\r\n" % number for number in range(50_000))
ADDED = b"and this is not Rosa's\r\n" * 40


def record(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = key.public_key().public_bytes(serialization.Encoding.DER, form)
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode('ascii')}"


def published() -> dict[str, object]:
    """Domains with each its own policy; `.net`, which is a public suffix, so that they have subdomains."""
    found: dict[str, object] = {
        **world.publish("loose.net", a_key(), "reject", LOOPBACK),
        **world.publish("exact.net", a_key(), "reject; adkim=s; aspf=s", LOOPBACK),
        **world.publish("sub-only.net", a_key(), "none; sp=reject", ""),
        **world.publish("sampled.net", a_key(), "reject; pct=0", ""),
        **world.publish("partly.net", a_key(), "", LOOPBACK),
        "short._domainkey.strict.test": {"TXT": [record(short_key())]},
        "revoked._domainkey.strict.test": {"TXT": ["v=DKIM1; k=rsa; p="]},
    }
    for domain in ("loose.net", "exact.net", "sub-only.net", "sampled.net"):
        found[f"news.{domain}"] = {"TXT": [LOOPBACK]}
    return found


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)
    mailhost.put_live("rspamd/screened", "# Nobody.\n")
    publish(mailhost.layout)
    zone = mailhost.layout.etc / "dns" / "zone.json"
    write(zone, json.dumps(json.loads(zone.read_text()) | published(), indent=1, sort_keys=True))


def fact(host: MailHost, letter: bytes, sender: str = EVIL, helo: str = "mx.evil.test") -> str:
    """The fact From of a letter from loopback."""
    envelope = Envelope(sender, ("anna@house.test",), "127.0.0.1", helo)
    return dict(ask(host.layout, letter, envelope).added)[f"{PREFIX}From"]


def weak(**more: Any) -> Seal:
    """A signature that vouches for the body's first bytes: here, for all there are."""
    return replace(GOOD, tags=f"l={SIZE};", **more)


# What a letter is called, how it is made, and the fact From.
SIGNED: list[tuple[str, Callable[[], bytes], str]] = [
    ("whole", lambda: GOOD.on(LETTER), PASS),
    ("whole, its bytes as they are", lambda: replace(GOOD, simple=True).on(LETTER), PASS),
    ("upper case", lambda: replace(GOOD, domain="STRICT.Test").on(LETTER), PASS),
    ("l=0", lambda: replace(GOOD, tags="l=0;").on(LETTER), FAIL),
    ("l= of all", lambda: weak().on(LETTER), FAIL),
    ("l= and more", lambda: weak().on(LETTER) + ADDED, FAIL),
    ("l= with blanks", lambda: replace(GOOD, tags=f"l\r\n = {SIZE} ;").on(LETTER) + ADDED, FAIL),
    ("l= of a part", lambda: replace(GOOD, tags="l=9;", upto=9).on(LETTER), FAIL),
    ("l=, its bytes as they are", lambda: weak(simple=True).on(LETTER) + ADDED, FAIL),
    ("l= beside a whole one of the same", lambda: GOOD.on(weak().on(LETTER)), FAIL),
    ("l= of another beside a whole one", lambda: GOOD.on(weak(domain="other.test").on(LETTER)), PASS),
    ("a whole one of another beside l=", lambda: replace(GOOD, domain="other.test").on(weak().on(LETTER)), FAIL),
    ("l= put in by another", lambda: hidden(replace(GOOD, simple=True), LETTER, f"l={SIZE}") + ADDED, FAIL),
    ("l= put in where it shows", lambda: hidden(GOOD, LETTER, f"l={SIZE}") + ADDED, FAIL),
    ("over", lambda: replace(GOOD, tags=OVER).on(LETTER), FAIL),
    ("over, x= put in by another", lambda: hidden(replace(GOOD, simple=True, tags=OVER), LETTER, "x=2999999999"), FAIL),
    ("of tomorrow", lambda: replace(GOOD, tags="t=4000000000;").on(LETTER), FAIL),
    ("a short key", lambda: replace(GOOD, key=short_key(), selector="short").on(LETTER), FAIL),
    ("SHA-1", lambda: replace(GOOD, method="rsa-sha1").on(LETTER), FAIL),
    ("without From", lambda: replace(GOOD, names=("to", "subject", "date")).on(LETTER), FAIL),
    ("a key taken back", lambda: replace(GOOD, selector="revoked").on(LETTER), FAIL),
    ("a false one first", lambda: replace(GOOD, key=another_key()).on(GOOD.on(LETTER)), PASS),  # one of two holds
    ("a false one last", lambda: GOOD.on(replace(GOOD, key=another_key()).on(LETTER)), PASS),
    ("a dot at the end", lambda: replace(GOOD, domain="strict.test.").on(LETTER), FAIL),
    ("a slash in the name", lambda: replace(GOOD, domain="other.test/.strict.test").on(LETTER), FAIL),
    ("an escape in the name", lambda: replace(GOOD, domain="other.test\\.strict.test").on(LETTER), FAIL),
    ("another dot in the name", lambda: replace(GOOD, domain="other.test。strict.test").on(LETTER), FAIL),
    ("a NUL in the name", lambda: replace(GOOD, domain="other.test\0.strict.test").on(LETTER), BAD),
    ("a name like a verdict", lambda: replace(GOOD, domain=f"{'a.' * 2045}strict.test:+x").on(LETTER), FAIL),
    ("a line more", lambda: GOOD.on(LETTER) + b"x\r\n", FAIL),
    ("another From", lambda: GOOD.on(LETTER).replace(b"From: rosa", b"From: anna"), "fail anna@strict.test dmarc"),
    ("From another, resent", lambda: b"Resent-From: rosa@strict.test\r\n" + written(f"From: {EVIL}"), EVILS),
    ("resent by another", lambda: b"Resent-From: evil@other.test\r\n" + GOOD.on(LETTER), PASS),
    ("many headers", lambda: MANY + GOOD.on(LETTER), PASS),
    ("a second From after many", lambda: GOOD.on(LETTER).replace(b"To:", MANY + b"From: a@b.test\r\nTo:", 1), BAD),
    ("many From", lambda: b"From: rosa@strict.test\r\n" * 5_000 + LETTER, BAD),
    ("a From of three megabytes", lambda: GOOD.on(written(f'From: "{"x" * 3_000_000}" <{ROSA}>')), PASS),
]


@pytest.mark.parametrize(("make", "said"), [row[1:] for row in SIGNED], ids=[row[0] for row in SIGNED])
def test_a_signature_proves_what_it_covers(mailhost: MailHost, make: Callable[[], bytes], said: str) -> None:
    assert fact(mailhost, make()) == said


@pytest.mark.parametrize(
    ("author", "signer", "sender", "said"),
    [
        ("a@loose.net", "loose.net", EVIL, "pass a@loose.net dmarc"),
        ("a@loose.net", "news.loose.net", EVIL, "fail a@loose.net dmarc"),  # publishes no key
        ("a@news.loose.net", "loose.net", EVIL, "pass a@news.loose.net dmarc"),
        ("a@loose.net", "", "x@news.loose.net", "pass a@loose.net dmarc"),
        ("a@loose.net.evil.net", "loose.net", EVIL, "none a@loose.net.evil.net dkim:loose.net"),
        ("a@exact.net", "exact.net", EVIL, "pass a@exact.net dmarc"),
        ("a@exact.net", "", "x@exact.net", "pass a@exact.net dmarc"),
        ("a@exact.net", "", "x@news.exact.net", "fail a@exact.net dmarc"),
        ("a@news.exact.net", "exact.net", EVIL, "fail a@news.exact.net dmarc"),
        ("a@sub-only.net", "", EVIL, "fail a@sub-only.net dmarc"),
        ("a@news.sub-only.net", "", EVIL, "fail a@news.sub-only.net dmarc"),
        ("a@sampled.net", "", EVIL, "fail a@sampled.net dmarc"),
        ("a@partly.net", "", "x@partly.net", "pass a@partly.net spf"),
        ("a@news.partly.net", "partly.net", "x@partly.net", "none a@news.partly.net dkim:partly.net"),
        ("a@net", "loose.net", EVIL, BAD),
        ("a@co.uk", "loose.net", EVIL, "none a@co.uk dkim:loose.net"),
    ],
)
def test_a_policy_says_what_proves_a_domain(
    mailhost: MailHost, author: str, signer: str, sender: str, said: str
) -> None:
    letter = written(f"From: {author}")
    assert fact(mailhost, replace(GOOD, domain=signer).on(letter) if signer else letter, sender) == said


def test_a_weak_signature_is_no_evidence(mailhost: MailHost) -> None:
    letter = written("From: a@silent.test", body="Ciao!")
    network = "none a@silent.test ip:127.0.0.0/24"
    assert fact(mailhost, replace(GOOD, domain="other.test").on(letter), "") == "none a@silent.test dkim:other.test"
    assert fact(mailhost, replace(GOOD, domain="other.test", tags="l=7;").on(letter), "") == network


def test_a_weak_signature_beside_another_proof_does_no_harm(mailhost: MailHost) -> None:
    letter = replace(GOOD, tags="l=7;", domain="exact.net").on(written("From: a@exact.net"))
    assert fact(mailhost, letter, "a@exact.net") == "pass a@exact.net dmarc"
    assert fact(mailhost, letter, EVIL) == "fail a@exact.net dmarc"
    letter = replace(GOOD, tags="l=7;", domain="partly.net").on(written("From: a@partly.net"))
    assert fact(mailhost, letter, EVIL) == "none a@partly.net spf:other.test"


ENVELOPES = [
    "", "@strict.test", "rosa@strict.test ", "rosa@strict.test@other.test", '"rosa@strict.test"@other.test',
    '"a@other.test"@strict.test', "rosa@other.test,rosa@strict.test", "rosa@strict.test,a@other.test",
    "a@other.test>strict.test", "@strict.test:a@other.test", "@other.test:rosa@strict.test", "rosa@[strict.test]",
    "rosa@strict.test.", "a@other.test/strict.test", "a@other.test。strict.test", f"a@{'x.' * 200}strict.test",
    "rösa@strict.test", "rosa@strìct.test",
]  # fmt: skip


@pytest.mark.parametrize("helo", ["strict.test", "other.test", "spf-only.test"])
@pytest.mark.parametrize("sender", ENVELOPES)
def test_no_envelope_proves_another_domain(mailhost: MailHost, sender: str, helo: str) -> None:
    """Any may write from loopback but strict.test itself."""
    assert fact(mailhost, LETTER, sender, helo) == FAIL


def test_the_null_sender_is_proved_by_the_name_of_its_host(mailhost: MailHost) -> None:
    """RFC 7208, 2.4, and RFC 7489, 3.1.2: for DMARC. For a domain without a policy it proves nothing."""
    assert fact(mailhost, written("From: a@spf.test"), "", "spf.test") == "pass a@spf.test dmarc"
    assert fact(mailhost, written("From: a@spf.test"), "", "other.test") == "fail a@spf.test dmarc"
    assert fact(mailhost, written("From: a@spf-only.test"), "", "spf-only.test").startswith("none")


def test_a_login_of_ours_is_no_proof_at_the_other_door(mailhost: MailHost) -> None:
    letter = written("From: anna@house.test", "Sender: anna@house.test")
    assert shown(mailhost.layout, letter, "anna@house.test").facts.verdict != "pass"
