"""Hashes as Dovecot reads them."""

import pytest
from passlib.hash import bcrypt, sha512_crypt

from accounts import passwords
from accounts.rules import Refused

# Always the same salts: a test is named by its values, and has one name in every process.
BCRYPT = "{BLF-CRYPT}" + bcrypt.using(rounds=4, salt="ciaociaociaociaociaoc.").hash("ciao a tutti")
SHA512 = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=1000, salt="ciao").hash("ciao a tutti")


def test_a_new_password_opens_and_no_other_does():
    stored = passwords.new("ciao a tutti")
    assert stored.startswith("{ARGON2ID}$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify("ciao a tutti", stored)
    assert not passwords.verify("ciao a tutte", stored)


@pytest.mark.parametrize("stored", [BCRYPT, SHA512])
def test_hashes_from_elsewhere_are_known_and_open(stored):
    assert passwords.known(stored) == stored
    assert passwords.verify("ciao a tutti", stored)
    assert not passwords.verify("", stored)
    assert not passwords.verify("x" * 100_000, stored)


@pytest.mark.parametrize(
    "stored",
    [
        "", "!", "*", "plain", "{PLAIN}ciao", "{CRYPT}x", "{MD5}x", "{ARGON2ID}", "{ARGON2ID}$argon2id$", BCRYPT + "\n",
        BCRYPT + ":0:0::", SHA512.replace("rounds=1000", "rounds=9999999"), "{BLF-CRYPT}$2b$31$" + "a" * 53,
        "{ARGON2ID}$argon2id$v=19$m=999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", SHA512 + "%n", None, 5,
        "{argon2id}$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
    ],
)  # fmt: skip
def test_an_unknown_malformed_or_costly_hash_is_refused(stored):
    with pytest.raises(Refused, match="hash"):
        passwords.known(stored)


def test_nobody_signs_in_with_an_unusable_hash():
    assert not passwords.verify("", passwords.UNUSABLE)
    assert not passwords.verify("!", passwords.UNUSABLE)


@pytest.mark.parametrize("text", ["password", "12345678", "Password1"])
def test_the_most_common_passwords_are_refused(text):
    with pytest.raises(Refused, match="common"):
        passwords.new(text)
