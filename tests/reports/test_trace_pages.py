"""Letters on their way are shown by pages, those under way among the others, with a few queries."""

import re
from typing import Any

import pytest
from django.test import Client

from tests.reports.conftest import Household
from tests.reports.test_letter_trace import EMMA, came_to, letter

pytestmark = pytest.mark.django_db


def test_many_letters_are_a_page_and_a_few_queries(
    client: Client, household: Household, django_assert_max_num_queries: Any
) -> None:
    for number in range(55):
        came_to(household, EMMA, name=f"4jXVLL50s7zJbj{number:02}", days=number)
    letter(EMMA, name="4jXVLL50s7zJbjw", over=False, days=1)  # is under way, and has been tried for nobody
    client.force_login(household.emma)
    answers = []
    for number in (1, 2, 3):
        with django_assert_max_num_queries(22):
            answers.append(client.get(f"/reports/trace/?page={number}").text)
    assert all("56 letters, the newest first" in text for text in answers)
    assert "Page 2 of 3" in answers[1]
    names = [re.findall("4jXVLL50s7zJbj(..|w)<", text) for text in answers]
    assert [len(found) for found in names] == [25, 25, 6]
    order = [f"{number:02}" for number in range(55)]
    assert [name for found in names for name in found] == [order[0], "w", *order[1:]]
