"""Password hashes in the form Dovecot reads, `{SCHEME}hash`: the only module that knows schemes.

In: a password, a hash from outside. Out: a hash, yes or no. Uses libpass. Raises `rules.Refused`.
Sources: doc.dovecot.org "Password Schemes"; RFC 9106 (Argon2); crypt(5).
"""

import re
from functools import cache
from typing import Any, Final

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from passlib.hash import argon2, bcrypt, sha512_crypt

from accounts.rules import Refused, gettext_noop as _, password as typed_password

# Every scheme with the exact text of its hashes and the most that checking one may cost: a hash from a file must not
# stop the mail host (Dovecot's auth may use 256 MB) or the panel.
B64: Final = r"[A-Za-z0-9+/]"
SCHEMES: Final[dict[str, tuple[Any, str, dict[str, int]]]] = {
    "ARGON2ID": (
        argon2,
        rf"\$argon2id\$v=19\$m=(?P<memory>[0-9]{{1,6}}),t=(?P<time>[0-9]{{1,2}}),p=(?P<lanes>[0-9])"
        rf"\${B64}{{11,86}}\${B64}{{22,86}}",
        {"memory": 65536, "time": 10, "lanes": 4},
    ),
    "SHA512-CRYPT": (
        sha512_crypt,
        r"\$6\$(?:rounds=(?P<rounds>[1-9][0-9]{3,6})\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}",
        {"rounds": 1_000_000},
    ),
    "BLF-CRYPT": (bcrypt, r"\$2[aby]\$(?P<cost>0[4-9]|1[0-9])\$[./A-Za-z0-9]{53}", {"cost": 14}),
}
NEW: Final = argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=1)
UNUSABLE: Final = "!"  # nobody signs in with it
LONGEST: Final = 1024  # characters that are checked at all


@cache
def common() -> CommonPasswordValidator:
    """Django's list of the twenty thousand most common passwords."""
    return CommonPasswordValidator()


def new(value: object) -> str:
    """The hash of a new password; refuse one that is too short, too long or too common."""
    text = typed_password(value)
    try:
        common().validate(text)
    except ValidationError:
        raise Refused(_("This password is one of the most common ones: choose another.")) from None
    return hashed(text)


def hashed(text: str) -> str:
    """`{ARGON2ID}` of any text, without judging it."""
    return "{ARGON2ID}" + str(NEW.hash(text))


def known(value: object) -> str:
    """A hash from outside, if it is of a listed scheme, well-formed and not too costly to check."""
    text = value if isinstance(value, str) else ""
    scheme, found = parsed(text)
    if not found:
        raise Refused(
            _("The password hash is not of a known scheme: use one of %(schemes)s."),
            schemes=", ".join(f"{{{token}}}" for token in SCHEMES),
        )
    for cost, limit in SCHEMES[scheme][2].items():
        if int(found[cost] or 0) > limit:
            raise Refused(
                _("The password hash is too costly to check: %(cost)s is over %(limit)d."), cost=cost, limit=limit
            )
    return text


def parsed(text: str) -> tuple[str, re.Match[str] | None]:
    """Scheme and match of a stored hash."""
    scheme, brace, rest = text.removeprefix("{").partition("}")
    if not text.startswith("{") or not brace or scheme not in SCHEMES:
        return "", None
    return scheme, re.fullmatch(SCHEMES[scheme][1], rest)


def verify(text: str, stored: str) -> bool:
    """True when the password belongs to the stored hash."""
    scheme, found = parsed(stored)
    if not found or len(text) > LONGEST or "\0" in text:
        return False
    try:
        return bool(SCHEMES[scheme][0].verify(text, found[0]))
    except ValueError:
        return False
