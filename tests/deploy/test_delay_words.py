"""Why a letter waits, in plain words, for what mail servers really say."""

import pytest

from deploy.delay_words import reason


@pytest.mark.parametrize(
    ("noted", "words"),
    [
        ("deferred transport", "does not send letters outside"),
        ("connect to mx.y.example[192.0.2.1]:25: Connection timed out", "does not answer"),
        ("connect to mx.y.example[192.0.2.1]:25: Connection refused", "does not answer"),
        ("lost connection with mx.y.example[192.0.2.1] while sending RCPT TO", "does not answer"),
        ("Host or domain name not found. Name service error for name=y.example type=MX", "cannot be found"),
        ("host mx[192.0.2.1] said: 450 4.2.0 <x@y>: Recipient address rejected: Greylisted", "does not know yet"),
        ("host mx[192.0.2.1] said: 452 4.2.2 Mailbox full (in reply to RCPT TO command)", "mailbox is full"),
        ("host mx[192.0.2.1] said: 550 5.1.1 <x@y>: Recipient address rejected: User unknown", "no such address"),
        ("host mx[192.0.2.1] said: 554 5.7.1 Service unavailable; client blocked", "rules are against it"),
        ("host mx[192.0.2.1] said: 421 4.7.0 Too many messages", "only a few letters"),
        ("TLS is required, but was not offered by host mx[192.0.2.1]", "safe connection"),
        ("Command output: procmail: full disk", "mailbox here"),
        ("host mx[192.0.2.1] said: 451 something local", "come back later"),
        ("host mx[192.0.2.1] said: 550 <script>alert(1)</script>", "did not take it"),
        ("", ""),
        (" \t", ""),
    ],
)
def test_a_reason_is_a_sentence(noted: str, words: str) -> None:
    found = reason(noted)
    assert words in found
    assert bool(words) == bool(found)
    assert "<" not in found
