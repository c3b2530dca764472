"""The long proofs are split so that each runs in exactly one part, and the parts take about as long as each other."""

import random

import pytest

from tests.nightly import dealt, parse_part

MINUTES = {
    f"tests/host/test_apply.py::test_proof_{number}": random.Random(number).uniform(0.5, 8) for number in range(30)
}


def test_every_part_gets_its_share() -> None:
    found = dealt(MINUTES, 7)
    assert found.keys() == MINUTES.keys()
    shares = [sum(MINUTES[name] for name in MINUTES if found[name] == part) for part in range(1, 8)]
    assert max(shares) - min(shares) < 2


def test_the_order_in_which_they_are_found_does_not_matter() -> None:
    assert dealt(dict(reversed(MINUTES.items())), 7) == dealt(MINUTES, 7)


@pytest.mark.parametrize("text", ["", "3", "0/7", "8/7", "a/b", "-1/7"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int() has words of its own
        parse_part(text)


def test_a_part_is_read() -> None:
    assert parse_part("3/7") == (3, 7)
