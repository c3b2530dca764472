import pytest
from django.test import Client

from accounts import services
from accounts.models import AuditEntry, User
from accounts.views import doors

MARCO = {
    "name": "Marco",
    "address": "Marco@MyFamily.net",
    "password": "correct horse battery",
    "again": "correct horse battery",
    "language": "it",
}
pytestmark = pytest.mark.django_db


def test_every_page_leads_here_while_there_is_nobody() -> None:
    for page in ("/", "/people/", "/me/", "/sign-in/"):
        answer = Client().get(page, follow=True)
        assert answer.redirect_chain[-1][0] == "/setup/"
        assert "Nobody is here yet" in answer.text


def test_it_makes_the_administrator_and_signs_her_in() -> None:
    client = Client()
    assert client.post("/setup/", MARCO).headers["Location"] == "/"
    marco = User.objects.get()
    assert (marco.address, marco.administrator, marco.language) == ("marco@myfamily.net", True, "it")
    assert client.get("/people/").status_code == 200
    assert AuditEntry.objects.get().who == "marco@myfamily.net"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", " ", "This field is required."),
        ("name", "Mar\nco", "holds a character that cannot be seen"),
        ("address", "marco", "is not an address"),
        ("address", "|x@myfamily.net", "is not an address"),
        ("address", "marco@myfamily.net\n", "holds a character that cannot be seen"),
        ("address", "a" * 310 + "@myfamily.net", "is not an address"),
        ("password", "short", "must have 8 to 128 characters"),
        ("password", "password123", "one of the most common ones"),
        ("again", "correct horse batterx", "The two passwords differ"),
        ("language", "tlh", "Select a valid choice"),
    ],
)
def test_it_says_what_is_wrong_beside_the_field(field: str, value: str, sentence: str) -> None:
    answer = Client().post("/setup/", {**MARCO, field: value})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert f'id="id_{field}_error"' in answer.text
    assert "correct horse" not in answer.text
    assert not User.objects.exists()


def test_of_two_at_once_one_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Client()
    assert first.post("/setup/", MARCO).status_code == 302
    # The second had opened the page and passed its first look before.
    looks = iter([True])
    monkeypatch.setattr(doors, "nobody_yet", lambda: next(looks, services.nobody_yet()))
    answer = Client().post("/setup/", {**MARCO, "name": "Eve", "address": "eve@evil.example"})
    assert answer.status_code == 422
    assert "Somebody was faster" in answer.text
    assert User.objects.get().name == "Marco"
