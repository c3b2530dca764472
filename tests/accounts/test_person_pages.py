import pytest
from django.test import Client

from accounts.models import User
from accounts.services import join
from accounts.wishes import wishes
from tests.household import PASSWORD, Household

NEW = {"name": "Bea", "address": "bea@myfamily.net", "role": "protected", "password": PASSWORD, "language": ""}


def added(client: Client, house: Household, **changes: object) -> tuple[int, str]:
    """Try to add Bea to the family."""
    answer = client.post("/people/add/", {**NEW, "community": house.family.pk, **changes}, follow=True)
    return answer.status_code, answer.text


def test_a_guardian_adds_a_child(household: Household) -> None:
    status, text = added(household.client("anna"), household, born="2018-05-03")
    assert status == 200
    assert "Bea is here now." in text
    bea = User.objects.get(address="bea@myfamily.net")
    assert (bea.memberships.get().role, str(bea.born)) == ("protected", "2018-05-03")


@pytest.mark.parametrize("role", ["guardian", "owner", "member", "king", ""])
def test_a_guardian_gives_no_other_role(household: Household, role: str) -> None:
    assert added(household.client("anna"), household, role=role)[0] == 422
    assert not User.objects.filter(name="Bea").exists()


def test_a_guardian_adds_nobody_elsewhere(household: Household) -> None:
    client = household.client("anna")
    assert added(client, household, community=household.business.pk, role="member")[0] == 422
    status, text = added(client, household, address="boss@mybusiness.com")
    assert status == 422
    assert "belongs to another community" in text


def test_a_guardian_makes_no_administrator(household: Household) -> None:
    client, luca = household.client("anna"), household.people["luca"]
    added(client, household, administrator="on")
    client.post(f"/people/{luca.pk}/edit/", {"name": "Luca", "administrator": "on", "address": "x@evil.example"})
    assert User.objects.filter(administrator=True).count() == 1
    assert luca.refreshed().address == "luca@myfamily.net"


@pytest.mark.parametrize("address", ["EMMA@myfamily.net", "emma@MYFAMILY.net"])
def test_an_address_is_given_once(household: Household, address: str) -> None:
    status, text = added(household.client("anna"), household, address=address)
    assert status == 422
    assert "Somebody signs in with this address already" in text
    assert 'value="Bea"' in text
    assert PASSWORD not in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Be\0a"),
        ("name", "Be\ta"),
        ("name", "x" * 101),
        ("address", "bea @myfamily.net"),
        ("address", '"bea"@myfamily.net'),
        ("address", "#bea@myfamily.net"),
        ("address", "/bea@myfamily.net"),
        ("born", "yesterday"),
        ("born", "1066-10-14"),
        ("password", "x" * 129),
        ("community", "99999999999999999999999"),
        ("community", "x"),
    ],
)
def test_bad_input_is_refused_beside_its_field(household: Household, field: str, value: str) -> None:
    status, text = added(household.client("marco"), household, **{field: value})
    assert status == 422
    assert f'id="id_{field}_error"' in text
    assert not User.objects.filter(address__contains="bea").exists()


def test_a_parent_gives_a_child_a_new_password(household: Household) -> None:
    emma = household.people["emma"]
    answer = household.client("anna").post(
        f"/people/{emma.pk}/password/", {"password": "a new and better one"}, follow=True
    )
    assert "Emma has a new password" in answer.text
    assert emma.refreshed().check_password("a new and better one")


def test_a_child_who_is_something_elsewhere_keeps_her_password(household: Household) -> None:
    with wishes("test", "test"):
        luca = household.people["luca"]
        join(luca, household.business, "member")
    answer = household.client("anna").post(f"/people/{luca.pk}/password/", {"password": "a new and better one"})
    assert answer.status_code == 403
    assert luca.refreshed().check_password(PASSWORD)


def test_a_childs_password_is_no_key_to_somebody_elses_mailbox(household: Household) -> None:
    with wishes("test", "test"):
        household.mailbox("garage", household.home, "marco", "luca")
        household.mailbox("home", household.home, "anna", "marco", "emma")
    client, luca, emma = household.client("anna"), household.people["luca"], household.people["emma"]
    for url in (f"/people/{luca.pk}/password/", f"/mailboxes/{household.mailboxes['luca'].pk}/password/"):
        assert client.post(url, {"password": "a new and better one"}).status_code == 403
    assert luca.refreshed().check_password(PASSWORD)
    assert client.post(f"/people/{emma.pk}/password/", {"password": "a new and better one"}).status_code == 302


def test_disabling_can_be_undone(household: Household) -> None:
    client, emma = household.client("anna"), household.people["emma"]
    answer = client.post(f"/people/{emma.pk}/disable/", follow=True)
    assert "Emma is disabled." in answer.text
    assert f'action="/people/{emma.pk}/enable/"' in answer.text
    assert not emma.refreshed().active
    client.post(f"/people/{emma.pk}/enable/")
    assert emma.refreshed().active


def test_nobody_disables_herself(household: Household) -> None:
    marco = household.people["marco"]
    answer = household.client("marco").post(f"/people/{marco.pk}/disable/")
    assert answer.status_code == 422
    assert "You cannot disable yourself" in answer.text
    assert marco.refreshed().active


def test_the_last_administrator_stays_one(household: Household) -> None:
    marco = household.people["marco"]
    typed = {"name": "Marco", "address": marco.address, "language": ""}
    answer = household.client("marco").post(f"/people/{marco.pk}/edit/", typed)
    assert answer.status_code == 422
    assert "make somebody else an administrator first" in answer.text
    assert marco.refreshed().administrator


def test_a_role_is_given_and_taken_by_who_may(household: Household) -> None:
    rita, sara = household.people["rita"], household.people["sara"]
    typed = {"community": household.business.pk, "role": "manager"}
    assert household.client("olivia").post(f"/people/{sara.pk}/role/", typed).status_code == 302
    assert sara.memberships.get().role == "manager"
    assert household.client("rita").post(f"/people/{rita.pk}/role/", {**typed, "role": "owner"}).status_code == 403
    answer = household.client("rita").post(f"/people/{household.people['ivo'].pk}/role/", typed)
    assert answer.status_code == 422  # a manager makes no managers


@pytest.mark.parametrize(
    ("who", "community", "role", "level"),
    [("luca", "family", "guardian", ""), ("ivo", "business", "owner", ""), ("olivia", "business", "member", "open")],
)
def test_a_new_role_leaves_the_level_of_the_old_one(
    household: Household, who: str, community: str, role: str, level: str
) -> None:
    person = household.people[who]
    typed = {"community": getattr(household, community).pk, "role": role}
    assert household.client("marco").post(f"/people/{person.pk}/role/", typed).status_code == 302
    row = person.memberships.get()
    assert (row.role, row.level, row.protection) == (role, level, "")


def test_a_person_with_mailboxes_is_not_removed(household: Household) -> None:
    client, gino = household.client("olivia"), household.people["gino"]
    answer = client.post(f"/people/{gino.pk}/delete/")
    assert answer.status_code == 422
    assert "Something still depends on this" in answer.text
    assert gino.memberships.exists()


def test_the_list_shows_whom_one_may_know_of(household: Household) -> None:
    text = household.client("anna").get("/people/").text
    assert "emma@myfamily.net" in text
    assert "gino" not in text
    assert "gino" in household.client("anna").get("/people/", {"q": "gino"}).text  # as what was searched
    assert "Nobody here is called" in household.client("anna").get("/people/", {"q": "gino"}).text
    assert "gino@mybusiness.com" in household.client("marco").get("/people/", {"q": "GIN"}).text


def test_a_strangers_name_is_only_text(household: Household) -> None:
    with wishes("test", "test"):
        household.person("emma", name="<script>alert(1)</script>")
    for page in ("/people/", f"/people/{household.people['emma'].pk}/", "/"):
        assert "<script>alert" not in household.client("anna").get(page).text


def test_a_page_number_that_is_none_shows_the_nearest(household: Household) -> None:
    for number in ("0", "-1", "x", "999", "9" * 30):
        assert household.client("anna").get("/people/", {"page": number}).status_code == 200
    assert household.client("anna").get("/people/99999999999999999999/").status_code == 404
