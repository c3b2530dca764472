"""The long proofs are split so that each runs in exactly one part."""

import pytest

from tests.nightly import parse_part, part_of

NAMES = [f"tests/host/test_apply.py::test_proof_{number}" for number in range(200)]


def test_all_cases_of_one_test_fall_into_the_same_part() -> None:
    assert len({part_of(f"tests/test_x.py::test_y[{case}]", 7) for case in "abcdefgh"}) == 1


def test_every_part_gets_its_share() -> None:
    shares = [sum(part_of(name, 7) == part for name in NAMES) for part in range(1, 8)]
    assert sum(shares) == len(NAMES)
    assert min(shares) > 10


@pytest.mark.parametrize("text", ["", "3", "0/7", "8/7", "a/b", "-1/7"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - int() has words of its own
        parse_part(text)


def test_a_part_is_read() -> None:
    assert parse_part("3/7") == (3, 7)
