"""Numbers instead of names."""

from hypothesis import given, strategies as st

from reports.pseudonyms import pseudonyms

THINGS = st.sets(st.text(min_size=1, max_size=8), max_size=60)


@given(THINGS)
def test_each_has_a_number_of_its_own_in_their_order(things: set[str]) -> None:
    numbers = pseudonyms("secret", 1, things)
    assert numbers.keys() == things
    assert list(numbers.values()) == sorted(set(numbers.values()))
    assert all(1_000 <= number <= 9_999 for number in numbers.values())


def test_a_number_stays_when_others_come_and_go() -> None:
    few = pseudonyms("secret", 1, [f"person {number}" for number in range(10)])
    many = pseudonyms("secret", 1, [f"person {number}" for number in range(30)])
    assert few.items() <= many.items()


def test_another_secret_or_community_has_other_numbers() -> None:
    things = [f"person {number}" for number in range(10)]
    first = pseudonyms("secret", 1, things)
    assert first != pseudonyms("other", 1, things)
    assert first != pseudonyms("secret", 2, things)
    assert sorted(things) != list(first)  # neither by name nor by when they came
