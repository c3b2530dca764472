"""How long raw rows are kept is the host's choice, and a page says so."""

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from mailadmin.settings import env_days
from reports import signins
from reports.keeping import kept
from reports.models import FailedSignIn
from reports.parse import Failed
from tests.reports.conftest import NOW, Household


@pytest.mark.parametrize(("value", "days"), [("", 21), ("1", 1), ("400", 400)])
def test_it_is_a_number_of_days(monkeypatch: pytest.MonkeyPatch, value: str, days: int) -> None:
    monkeypatch.setenv("MAILADMIN_KEEP_DAYS", value)
    assert env_days("MAILADMIN_KEEP_DAYS", 21) == days


@pytest.mark.parametrize("value", ["0", "401", "-1", "3 weeks", "²", "9" * 5000])
def test_anything_else_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MAILADMIN_KEEP_DAYS", value)
    with pytest.raises(ImproperlyConfigured, match="write a number of days from 1 to 400"):
        env_days("MAILADMIN_KEEP_DAYS", 21)


def test_rows_go_after_so_many_days_and_the_page_says_how_many(
    client: Client, household: Household, settings: object
) -> None:
    settings.MAILADMIN_KEEP_DAYS = 5  # type: ignore[attr-defined]
    failed = [Failed(NOW - timedelta(days=ago), "imap", "emma@myfamily.net", "192.0.2.7") for ago in (6, 4)]
    signins.keep("primary", failed, NOW)
    signins.forget("primary", NOW)
    assert kept() == timedelta(days=5)
    assert FailedSignIn.objects.get().when == NOW - timedelta(days=4)
    client.force_login(household.emma)
    text = client.get("/reports/stored/").text
    assert "Kept for <strong>5 days</strong>." in text
    assert "Who could not sign in as one of our mailboxes" in text
    assert (
        "is kept for 5 days" in client.get(f"/reports/person/{household.emma.pk}/", headers={"HX-Request": "true"}).text
    )
