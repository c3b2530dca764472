import pytest

from accounts.models import Community
from accounts.wishes import wishes
from domains.models import Domain
from tests.household import Household


def typed(**changes: object) -> dict[str, object]:
    return {"name": "Rossi.example", "kind": "mail", "new_community": "Rossi family", "new_kind": "family", **changes}


def test_a_domain_comes_with_its_community(household: Household) -> None:
    answer = household.client("marco").post("/domains/add/", typed(), follow=True)
    assert "The domain rossi.example is added." in answer.text
    assert Domain.objects.get(name="rossi.example").community == Community.objects.get(name="Rossi family")


def test_a_name_in_another_alphabet_is_stored_as_dns_knows_it(household: Household) -> None:
    data = typed(name="München.example", community=household.family.pk)
    answer = household.client("marco").post("/domains/add/", data, follow=True)
    assert "münchen.example" in answer.text
    assert Domain.objects.filter(name="xn--mnchen-3ya.example").exists()


def test_other_kinds(household: Household) -> None:
    client = household.client("marco")
    assert client.post("/domains/add/", typed(kind="alias", alias_of=household.home.pk)).status_code == 302
    data = typed(name="friend.example", kind="backup", relay_to="mx.friend.example")
    assert client.post("/domains/add/", data).status_code == 302
    assert "another name of myfamily.net" in client.get("/domains/").text
    assert "backup for mx.friend.example" in client.get("/domains/").text


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": "rossi"}),
        ("name", {"name": "rossi.example\n"}),
        ("name", {"name": "x" * 320 + ".example"}),
        ("name", {"name": "MYFAMILY.net"}),
        ("new_community", {"new_community": ""}),
        ("new_community", {"new_community": "Fioretti family"}),
        ("alias_of", {"kind": "alias"}),
        ("relay_to", {"kind": "backup"}),
        ("relay_to", {"kind": "backup", "relay_to": "[127.0.0.1]"}),
        ("kind", {"kind": "x"}),
    ],
)
def test_bad_input_is_refused_beside_its_field(household: Household, field: str, changes: dict[str, object]) -> None:
    answer = household.client("marco").post("/domains/add/", typed(**changes))
    assert answer.status_code == 422
    assert f'id="id_{field}_error"' in answer.text
    assert (Domain.objects.count(), Community.objects.count()) == (2, 2)


def test_only_an_empty_domain_is_deleted(household: Household) -> None:
    client = household.client("marco")
    url = f"/domains/{household.home.pk}/delete/"
    assert "Not yet" in client.get(url).text
    answer = client.post(url)
    assert answer.status_code == 422
    assert "still holds addresses" in answer.text
    with wishes("test", "test"):
        empty = Domain(name="empty.example", community=household.family)
        empty.save()
    assert client.post(f"/domains/{empty.pk}/delete/").status_code == 302
    assert not Domain.objects.filter(pk=empty.pk).exists()
