from accounts.models import Community
from tests.household import Household

ROSSI = {"name": "Rossi family", "kind": "family", "timezone": "Europe/Rome", "language": "it"}


def test_an_administrator_adds_one(household: Household) -> None:
    answer = household.client("marco").post("/communities/add/", ROSSI, follow=True)
    assert "Rossi family is saved." in answer.text
    assert Community.objects.get(name="Rossi family").language == "it"


def test_a_name_is_given_once(household: Household) -> None:
    answer = household.client("marco").post("/communities/add/", {**ROSSI, "name": "Fioretti family"})
    assert answer.status_code == 422
    assert 'id="id_name_error"' in answer.text


def test_a_community_with_people_stays_of_its_kind(household: Household) -> None:
    url = f"/communities/{household.family.pk}/"
    household.client("marco").post(url, {**ROSSI, "kind": "business"})
    family = household.family.refreshed()
    assert (family.name, family.kind) == ("Rossi family", "family")
