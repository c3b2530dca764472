"""Which folders a mailbox has: who may ask the host, what it answers, and that a silent host keeps nobody waiting."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, User
from accounts.wishes import wishes
from deploy import services
from deploy.host import helper
from deploy.host.helper import HelperError
from deploy.models import HostRequest, MailHost
from deploy.services import folders
from deploy.services.requests import PATIENCE
from deploy.tasks import answer_asked
from tests.household import Household

THERE = "INBOX\nScuola\nScuola/Compiti\nJunk\na.b\n~x\nFatture 2026\nNatale é\n\nbad\x01\n".encode()


def url(household: Household, whose: str, *more: int) -> str:
    return reverse("mailbox-folders-found" if more else "mailbox-folders", args=[household.mailboxes[whose].pk, *more])


def says(monkeypatch: pytest.MonkeyPatch, data: "bytes | Exception") -> list[str]:
    """A helper that says this; whom it was asked about."""
    asked: list[str] = []

    def fetch(_layout: Any, verb: str, login: str) -> bytes:
        assert verb == "folders"
        asked.append(login)
        if isinstance(data, Exception):
            raise data
        return data

    monkeypatch.setattr(helper, "fetch", fetch)
    monkeypatch.setattr(services, "layout", lambda: None)
    return asked


def test_the_folders_are_asked_for_and_offered(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, client = says(monkeypatch, THERE), household.client("anna")
    first = client.post(url(household, "anna"))
    request = HostRequest.objects.get()
    found = url(household, "anna", request.pk)
    assert f'hx-get="{found}"' in first.text
    assert client.get(found).status_code == 204
    answer_asked("primary")
    assert asked == ["anna@myfamily.net"]
    text = client.get(found).text
    names = ["Archive", "Junk", "Trash", "Scuola", "Scuola/Compiti", "Fatture 2026", "Natale é"]
    assert [part.partition('"')[0] for part in text.split('<option value="')[1:]] == names
    assert 'hx-swap-oob="true"' in text
    assert "hx-get" not in text


def test_a_host_that_is_about_to_answer_is_not_asked_again(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, THERE)
    client = household.client("anna")
    for _time in range(5):
        client.post(url(household, "anna"))
    assert HostRequest.objects.count() == 1
    answer_asked("primary")
    client.post(url(household, "anna"))
    assert HostRequest.objects.count() == 2


@pytest.mark.parametrize("error", [HelperError("The root helper does not answer."), HelperError("no such verb")])
def test_a_host_that_does_not_say_offers_what_rules_name(
    household: Household, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    says(monkeypatch, error)
    client = household.client("anna")
    client.post(url(household, "anna"))
    answer_asked("primary")
    text = client.get(url(household, "anna", HostRequest.objects.get().pk)).text
    assert text.count("<option") == 3
    assert "hx-get" not in text


def test_without_a_host_nobody_waits(household: Household, settings: Any, tmp_path: Path) -> None:
    settings.MAILADMIN_HOST_CONFIG = tmp_path / "host.json"
    MailHost.objects.all().delete()
    text = household.client("anna").post(url(household, "anna")).text
    assert text.count("<option") == 3
    assert "hx-get" not in text
    MailHost.objects.create(name="primary")
    household.client("anna").post(url(household, "anna"))
    answer_asked("primary")
    assert folders.names(HostRequest.objects.get()) == []


@pytest.mark.parametrize(
    ("who", "whose", "may"),
    [
        ("emma", "emma", True),
        ("anna", "emma", True),  # starter: held letters are seen
        ("anna", "luca", False),  # explorer: what is in his letters stays with him
        ("luca", "luca", True),
        ("rita", "gino", False),
        ("gino", "gino", True),
    ],
)
def test_folders_are_told_to_who_may_see_what_is_in_letters(
    household: Household, monkeypatch: pytest.MonkeyPatch, who: str, whose: str, may: bool
) -> None:
    with wishes("test", "test"):
        row = Membership.objects.get(user=household.people["luca"])
        row.level = "explorer"
        row.save()
    asked = says(monkeypatch, THERE)
    answer = household.client(who).post(url(household, whose))
    assert answer.status_code == 200
    answer_asked("primary")
    assert bool(asked) == may
    assert HostRequest.objects.exists() == may


def test_the_agent_looks_at_the_rights_once_more(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = says(monkeypatch, THERE)
    household.client("anna").post(url(household, "emma"))
    with wishes("test", "test"):
        Membership.objects.get(user=household.people["anna"]).delete()
    answer_asked("primary")
    assert asked == []
    assert folders.names(HostRequest.objects.get()) == []


def test_what_another_asked_is_not_there(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, THERE)
    household.client("emma").post(url(household, "emma"))
    answer_asked("primary")
    request = HostRequest.objects.get()
    assert "Scuola" not in household.client("anna").get(url(household, "emma", request.pk)).text
    assert "Scuola" not in household.client("emma").get(url(household, "emma", request.pk + 1)).text
    assert household.client("luca").get(url(household, "emma", request.pk)).status_code == 404


def test_what_is_over_is_forgotten(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, THERE)
    household.client("anna").post(url(household, "anna"))
    request = HostRequest.objects.get()
    HostRequest.objects.update(state="running", asked=timezone.now() - PATIENCE)
    answer_asked("primary")  # the agent that had begun was killed
    assert "hx-get" not in household.client("anna").get(url(household, "anna", request.pk)).text
    HostRequest.objects.update(expires=timezone.now() - timedelta(seconds=1))
    answer_asked("primary")
    assert not HostRequest.objects.exists()


def test_a_person_who_is_gone_is_told_nothing(household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = says(monkeypatch, THERE)
    household.client("gino").post(url(household, "gino"))
    with wishes("test", "test"):
        household.person("gino", active=False)
    assert not User.objects.get(name="Gino").active
    answer_asked("primary")
    assert asked == []
