"""Why another mail server did not take a letter, in plain words. In: what Postfix noted. Out: a sentence in the
reader's language. Nothing is touched or raised.

The first that fits counts: what Postfix itself says, then codes (RFC 3463), then the usual words of others. Whatever a
stranger has his server say decides about nothing but the sentence.
"""

import re
from collections.abc import Sequence
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

# The sentence, and the patterns of which one is enough.
KNOWN: Final[Sequence[tuple[Promise, tuple[str, ...]]]] = (
    (_("This host does not send letters outside just now."), (r"deferred transport",)),
    (_("It could not be delivered in time."), (r"status=expired", r"expired in queue")),
    (
        _("The recipient's domain cannot be found: perhaps it is misspelt."),
        (r"host or domain name not found", r"name service error", r"domain not found"),
    ),
    (
        _("The recipient's mail server does not answer."),
        (r"timed out", r"connection refused", r"no route to", r"unreachable", r"lost connection", r"is down"),
    ),
    (_("No safe connection to the recipient's mail server came about."), (r"\btls\b", r"certificate")),
    (
        _("The recipient's mail server asks everybody it does not know yet to come back a little later."),
        (r"gr[ea]ylist", r"(?:come back|try again) (?:a little )?later"),
    ),
    (
        _("The recipient's mailbox is full."),
        (r"\b[45]\.2\.2\b", r"quota", r"mailbox (?:is )?full", r"insufficient (?:system )?storage"),
    ),
    (
        _("There is no such address."),
        (r"\b[45]\.1\.1\b", r"user unknown", r"unknown user", r"no such user", r"does not exist", r"no mailbox"),
    ),
    (_("The recipient's mailbox is closed."), (r"\b[45]\.2\.1\b", r"disabled", r"inactive", r"suspended")),
    (_("The letter is too large."), (r"\b[45]\.3\.4\b", r"message size", r"too (?:large|big)")),
    (
        _("The recipient's mail server takes only a few letters at a time."),
        (r"\brate\b", r"too many", r"throttl", r"\b421\b"),
    ),
    (
        _("The recipient's mail server does not want it: its rules are against it."),
        (r"\b[45]\.7\.\d", r"spam", r"block ?list", r"blacklist", r"reputation", r"policy", r"denied", r"rejected"),
    ),
    (_("The mailbox here could not take it just now."), (r"command output", r"command died", r"temporary failure")),
    (_("The recipient's mail server asks to come back later."), (r"\b4\d\d\b", r"\b4\.\d+\.\d")),
)


def reason(noted: str) -> str:
    """The sentence for what was noted; one that says little where it is not known, and none for nothing."""
    if not noted.strip():
        return ""
    fits = (sentence for sentence, patterns in KNOWN if re.search("|".join(patterns), noted, re.IGNORECASE))
    return str(next(fits, gettext("The recipient's mail server did not take it.")))
