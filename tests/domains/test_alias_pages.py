import pytest

from accounts.wishes import wishes
from domains.models import Alias
from tests.household import Household


def typed(house: Household, targets: str, local: str = "new", **more: object) -> dict[str, object]:
    return {"local": local, "domain": house.home.pk, "targets": targets, **more}


def test_an_alias_leads_here_and_outside(household: Household) -> None:
    data = typed(household, "Emma@myfamily.net\r\n\r\n nonna.rosa@gmail.com ", internal="on", expires="2027-06-30")
    answer = household.client("anna").post("/aliases/add/", data, follow=True)
    assert "The alias new@myfamily.net is added." in answer.text
    alias = Alias.objects.get(address="new@myfamily.net")
    assert alias.targets == ["emma@myfamily.net", "nonna.rosa@gmail.com"]
    assert (alias.internal, str(alias.expires)) == (True, "2027-06-30")


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        ("", "This field is required."),
        ("\n \n", "name at least one address"),
        ("emma@myfamily.net, luca@myfamily.net", "is not an address"),
        ("|/bin/sh@myfamily.net", "is not an address"),
        ("/etc/passwd", "is not an address"),
        (":include:/etc/passwd", "is not an address"),
        ("emma@myfamily.net\tx", "holds a character that cannot be seen"),
        ("emma@myfamily.net\0", "Null characters are not allowed."),
        ("nobody@myfamily.net", "is not an address here"),
        ("new@myfamily.net", "in a circle: new@myfamily.net → new@myfamily.net"),
        ("\n".join(f"a{n}@example.org" for n in range(101)), "at most 100"),
    ],
)
def test_bad_targets_are_refused_beside_the_field(household: Household, targets: str, sentence: str) -> None:
    answer = household.client("marco").post("/aliases/add/", typed(household, targets))
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="id_targets_error"' in answer.text
    assert not Alias.objects.filter(address="new@myfamily.net").exists()


@pytest.mark.parametrize("local", ["", "emma", "KIDS", "a+b", "x\n", "#x", "x" * 320])
def test_a_bad_address_is_refused_beside_the_field(household: Household, local: str) -> None:
    answer = household.client("anna").post("/aliases/add/", typed(household, "emma@myfamily.net", local))
    assert answer.status_code == 422
    assert 'id="id_local_error"' in answer.text


@pytest.mark.parametrize(
    "targets",
    [
        "marco@myfamily.net",
        "marco+x@myfamily.net",
        "emma@myfamily.net\nmarco@myfamily.net",
        "parents@myfamily.net",
        "marco@old.example",
        "info@mybusiness.com",
        "nobody@mybusiness.com",  # not even whether it is there
    ],
)
def test_a_guardian_leads_no_letters_to_others(household: Household, targets: str) -> None:
    with wishes("test", "test"):
        old = household.home.__class__(name="old.example", kind="alias", alias_of=household.home)
        old.save()
    answer = household.client("anna").post("/aliases/add/", typed(household, targets))
    assert answer.status_code == 422
    assert "is not yours to lead letters to" in answer.text
    assert household.client("anna").post("/aliases/add/", typed(household, "anna@myfamily.net")).status_code == 302


def test_a_guardian_makes_no_catch_all(household: Household) -> None:
    answer = household.client("anna").post("/aliases/add/", typed(household, "anna@myfamily.net", "", catch_all="on"))
    assert answer.status_code == 422
    assert not Alias.objects.filter(address="@myfamily.net").exists()
    data = typed(household, "marco@myfamily.net", "", catch_all="on")
    assert household.client("marco").post("/aliases/add/", data).status_code == 302
    assert Alias.objects.get(address="@myfamily.net").catch_all


def test_a_guardian_takes_no_letters_from_a_catch_all(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("@myfamily.net", "marco")
    answer = household.client("anna").post("/aliases/add/", typed(household, "anna@myfamily.net", "shop"))
    assert answer.status_code == 422
    assert "reach somebody else until now" in answer.text


def test_a_guardian_changes_no_alias_of_others(household: Household) -> None:
    parents = household.aliases["parents@myfamily.net"]
    client = household.client("anna")
    assert "an administrator can change it" in client.get(f"/aliases/{parents.pk}/").text
    assert client.post(f"/aliases/{parents.pk}/", {"targets": "anna@myfamily.net"}).status_code == 403
    assert client.post(f"/aliases/{parents.pk}/delete/").status_code == 403
    kids = household.aliases["kids@myfamily.net"]
    assert (
        client.post(f"/aliases/{kids.pk}/", {"targets": "emma@myfamily.net\nparents@myfamily.net"}).status_code == 422
    )
    assert client.post(f"/aliases/{kids.pk}/", {"targets": "emma@myfamily.net"}).status_code == 302


def test_a_circle_is_refused_with_its_way(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("a@myfamily.net", "kids@myfamily.net")
    kids = household.aliases["kids@myfamily.net"]
    answer = household.client("anna").post(f"/aliases/{kids.pk}/", {"targets": "a@myfamily.net"})
    assert answer.status_code == 422
    assert "kids@myfamily.net → a@myfamily.net → kids@myfamily.net" in answer.text


def test_the_page_says_what_goes_with_an_alias(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("all@myfamily.net", "kids@myfamily.net")
    kids = household.aliases["kids@myfamily.net"]
    client = household.client("anna")
    assert "all@myfamily.net" in client.get(f"/aliases/{kids.pk}/delete/").text
    assert client.post(f"/aliases/{kids.pk}/delete/").status_code == 302
    assert not Alias.objects.filter(address__in=["all@myfamily.net", "kids@myfamily.net"]).exists()
