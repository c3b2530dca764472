"""Whose letters somebody answers is asked on every page of hers: the work grows as the people do, and no faster."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, models

from accounts.models import Membership, User
from accounts.wishes import wishes
from domains.models import Mailbox, MailboxPerson
from policies.rights import held_keys, held_mailboxes, kept_people
from tests.household import Household

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(300)]
FEW, TIMES = 200, 4


def hire(house: Household, first: int, last: int) -> None:
    """Members of the business, each with a mailbox of her own."""
    numbers = range(first, last)

    def made(rows: list[Any]) -> list[Any]:
        return models.QuerySet(type(rows[0])).bulk_create(rows)

    with wishes("test", "test"):
        people = made([User(address=f"m{one}@mybusiness.com", name=f"M {one}") for one in numbers])
        made([Membership(community=house.business, user=one, role="member", level="partners") for one in people])
        boxes = made([Mailbox(address=one.address, domain=house.work) for one in people])
        made([MailboxPerson(mailbox=box, user=one) for box, one in zip(boxes, people, strict=True)])


def steps(ask: Callable[[], object]) -> int:
    """How many hundreds of steps SQLite's machine makes."""
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    connection.ensure_connection()
    connection.connection.set_progress_handler(count, 100)
    try:
        ask()
    finally:
        connection.connection.set_progress_handler(None, 0)
    return counted


@pytest.mark.parametrize("what", ["keys", "mailboxes"])
def test_four_times_the_people_are_not_sixteen_times_the_work(household: Household, what: str) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite alone tells its steps")
    olivia = household.people["olivia"]
    asks: dict[str, Callable[[], object]] = {
        "keys": lambda: held_keys(kept_people(olivia)),
        "mailboxes": lambda: held_mailboxes(olivia),
    }
    hire(household, 0, FEW)
    few = steps(asks[what])
    hire(household, FEW, TIMES * FEW)
    many = steps(asks[what])
    assert len(held_keys(kept_people(olivia))) > TIMES * FEW
    assert many < 1.5 * TIMES * few
