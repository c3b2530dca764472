"""Who reads, acknowledges and writes the acceptable-use policy of a community: every address, every role."""

import pytest
from django.test import Client
from django.urls import reverse

from tests.household import Household
from tests.policies.uses import published
from tests.test_urls_rights import GONE, METHODS, NO, OK, USAGE, VISITORS, ask, everything, kept  # noqa: F401  fixtures

MEMBERS = {  # whose policy -> who belongs there, and who of them writes it
    "family": ({"anna", "marco", "emma", "luca"}, {"anna", "marco"}),
    "business": ({"marco", "olivia", "oscar", "rita", "sara", "gino"}, {"marco", "olivia", "oscar", "rita"}),
}


@pytest.fixture
def written(kept: Household) -> Household:  # noqa: F811
    """A version in each community."""
    published(kept)
    published(kept, "rita")
    return kept


def usage_arguments(house: Household, address: str, name: str) -> list[int]:
    """What stands in the address for this community."""
    community = house.family if name == "family" else house.business
    return [community.pk, *([1] if address == "usage-version" else [])]


@pytest.mark.parametrize("who", VISITORS)
def test_it_is_there_for_who_belongs_and_written_by_who_stands_above(written: Household, who: str) -> None:
    client, wrong = written.client(who), []
    for address, statuses in USAGE.items():
        for name, (members, writers) in MEMBERS.items():
            url = reverse(address, args=usage_arguments(written, address, name))
            for method, status in zip(("get", "post"), statuses, strict=True):
                wanted = status
                if status != 405 and who not in members:
                    wanted = GONE
                elif address == "usage-write" and who not in writers:
                    wanted = NO
                if (found := ask(client, method, url, {"version": "1"})[0]) != wanted:
                    wrong.append(f"{method} {url} ({name}): {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


def test_nobody_reaches_it_without_signing_in(written: Household) -> None:
    for address in USAGE:
        url = reverse(address, args=usage_arguments(written, address, "family"))
        for method in METHODS:
            status, to = ask(Client(), method, url, {})
            assert (status, to.partition("?")[0]) == (302, "/sign-in/"), f"{method} {url}: {status} {to}"


def test_a_community_that_is_not_there_is_not_there(written: Household) -> None:
    client = written.client("anna")
    for number in (0, 999_999, 10**17):
        assert client.get(f"/use/{number}/").status_code == GONE
    assert client.get(f"/use/{10**30}/").status_code == GONE
    assert client.get(f"/use/{written.family.pk}/").status_code == OK
