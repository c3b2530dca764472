"""Who looks after a host sees domains and no names."""

import pytest

from accounts.hidden import hidden_address, without_names


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("emma@myfamily.net", "…@myfamily.net"),
        ("x@xn--mnchen-3ya.example", "…@münchen.example"),
        ('"a@b"@myfamily.net', "…@myfamily.net"),
        ("postmaster", "…"),
        ("", ""),
    ],
)
def test_of_an_address_the_domain_is_left(address: str, shown: str) -> None:
    assert hidden_address(address) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("550 5.1.1 <Emma+a@y.example>: unknown", "550 5.1.1 <…@y.example>: unknown"),
        ("user emma+a has no mailbox, nor has EMMA", "user … has no mailbox, nor has …"),
        ("dilemma stays", "dilemma stays"),
        ("ask postmaster@y.example or [help@y.example]", "ask …@y.example or […@y.example]"),
        ('to "two words"@y.example', "to …@y.example"),
        ("450 come @ five", "450 come @ five"),
    ],
)
def test_a_relays_words_are_told_without_names(text: str, shown: str) -> None:
    assert without_names(text, ["emma+a@y.example", '"two words"@y.example', "two words@y.example"]) == shown
