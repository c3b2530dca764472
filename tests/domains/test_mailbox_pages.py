import pytest
from django.test import Client

from accounts.models import User
from accounts.wishes import wishes
from domains.models import Alias, Mailbox, MailboxPerson
from tests.household import PASSWORD, Household

NEW = {"local": "bea", "whose": "new", "name": "Bea", "role": "protected", "password": PASSWORD, "quota": "500M"}


def added(client: Client, house: Household, **changes: object) -> tuple[int, str]:
    """Try to add a mailbox for Bea to the family's domain."""
    answer = client.post("/mailboxes/add/", {**NEW, "domain": house.home.pk, **changes}, follow=True)
    return answer.status_code, answer.text


def people_of(mailbox: Mailbox) -> set[str]:
    return set(mailbox.people.values_list("name", flat=True))


def test_a_mailbox_comes_with_its_person(household: Household) -> None:
    status, text = added(household.client("anna"), household)
    assert status == 200
    assert "The mailbox bea@myfamily.net is added." in text
    assert "on its way" in text
    mailbox = Mailbox.objects.get(address="bea@myfamily.net")
    assert (people_of(mailbox), mailbox.quota) == ({"Bea"}, 500 << 20)
    assert User.objects.get(address="bea@myfamily.net").check_password(PASSWORD)


def test_several_share_a_mailbox(household: Household) -> None:
    both = [household.people["emma"].pk, household.people["luca"].pk]
    typed = {"local": "games", "whose": "here", "people": both, "name": "", "password": "", "role": ""}
    assert added(household.client("anna"), household, **typed)[0] == 200
    assert people_of(Mailbox.objects.get(address="games@myfamily.net")) == {"Emma", "Luca"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("local", ""),
        ("local", "be\na"),
        ("local", "be\0a"),
        ("local", "|bea"),
        ("local", "#bea"),
        ("local", "/bea"),
        ("local", '"bea"'),
        ("local", "be a"),
        ("local", "bea+games"),
        ("local", "x" * 320),
        ("local", "bea@myfamily.net"),
        ("local", "EMMA"),
        ("local", "kids"),
        ("domain", "99999999999999999999999999"),
        ("domain", ""),
        ("quota", "-1"),
        ("quota", "lots"),
        ("quota", "9" * 40),
        ("name", ""),
        ("name", "Be\u202ea"),
        ("password", ""),
        ("password", "secret"),
        ("role", "guardian"),
        ("role", "member"),
        ("whose", "mine"),
        ("people", "99999999999999999999"),
    ],
)
def test_bad_input_is_refused_beside_its_field(household: Household, field: str, value: str) -> None:
    before = (User.objects.count(), Mailbox.objects.count())
    status, text = added(household.client("anna"), household, **{field: value})
    assert status == 422
    assert f'id="id_{field}_error"' in text
    assert PASSWORD not in text
    assert (User.objects.count(), Mailbox.objects.count()) == before


def test_a_guardian_adds_none_elsewhere(household: Household) -> None:
    assert added(household.client("anna"), household, domain=household.work.pk)[0] == 422


@pytest.mark.parametrize("name", ["anna", "marco", "gino"])
def test_a_guardian_gives_mailboxes_to_children_only(household: Household, name: str) -> None:
    typed = {"whose": "here", "people": [household.people[name].pk]}
    assert added(household.client("anna"), household, **typed)[0] == 422


def test_a_guardian_adds_a_child_beside_a_catch_all_that_is_not_hers(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("@myfamily.net", "marco")
    assert added(household.client("anna"), household, local="zoe")[0] == 200


def test_a_guardian_reads_nobodys_letters(household: Household) -> None:
    client, anna = household.client("anna"), household.people["anna"]
    emma, marco = household.mailboxes["emma"], household.mailboxes["marco"]
    answer = client.post(f"/mailboxes/{emma.pk}/", {"quota": "1G", "people": [anna.pk, household.people["emma"].pk]})
    assert answer.status_code == 422
    assert client.post(f"/mailboxes/{marco.pk}/", {"quota": "1G", "people": [anna.pk]}).status_code == 403
    assert (people_of(emma), people_of(marco)) == ({"Emma"}, {"Marco"})


def test_a_guardian_sees_another_guardians_mailbox_without_a_handle(household: Household) -> None:
    answer = household.client("anna").get(f"/mailboxes/{household.mailboxes['marco'].pk}/")
    assert answer.status_code == 200
    assert "An administrator can change this mailbox." in answer.text
    assert '<form method="post" novalidate' not in answer.text


def test_an_administrator_is_out_of_reach_even_below(household: Household) -> None:
    with wishes("test", "test"):
        household.person("gino", administrator=True)
    box = household.mailboxes["gino"]
    assert household.client("olivia").post(f"/mailboxes/{box.pk}/suspend/").status_code == 403
    assert (
        household.client("olivia").post(f"/mailboxes/{box.pk}/password/", {"password": "mine now, ha"}).status_code
        == 403
    )


def test_a_mailbox_is_never_nobodys(household: Household) -> None:
    box = household.mailboxes["emma"]
    answer = household.client("anna").post(f"/mailboxes/{box.pk}/", {"quota": "1G"})
    assert answer.status_code == 422
    assert "is nobody&#x27;s" in answer.text
    assert MailboxPerson.objects.filter(mailbox=box).exists()


def test_a_password_is_its_persons(household: Household) -> None:
    box = household.mailboxes["emma"]
    answer = household.client("anna").post(
        f"/mailboxes/{box.pk}/password/", {"password": "a new and better one"}, follow=True
    )
    assert "Emma has a new password" in answer.text
    shared = household.mailboxes["info"]
    assert household.client("olivia").get(f"/mailboxes/{shared.pk}/password/").status_code == 403


def test_suspending_can_be_undone(household: Household) -> None:
    client, box = household.client("anna"), household.mailboxes["emma"]
    answer = client.post(f"/mailboxes/{box.pk}/suspend/", follow=True)
    assert "emma@myfamily.net is suspended." in answer.text
    assert f'action="/mailboxes/{box.pk}/resume/"' in answer.text
    assert not box.refreshed().active
    client.post(f"/mailboxes/{box.pk}/resume/")
    assert box.refreshed().active


def test_the_page_says_what_goes_with_a_mailbox(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("princess@myfamily.net", "emma")
    box = household.mailboxes["emma"]
    text = household.client("anna").get(f"/mailboxes/{box.pk}/delete/").text
    assert "kids@myfamily.net" in text
    assert "princess@myfamily.net" in text
    assert box.key in text
    assert "Emma has no other mailbox" in text


def test_it_is_deleted_when_its_address_is_typed(household: Household) -> None:
    client, box = household.client("anna"), household.mailboxes["emma"]
    url = f"/mailboxes/{box.pk}/delete/"
    assert client.post(url, {"typed": "luca@myfamily.net"}).status_code == 422
    assert client.post(url, {"typed": " Emma@myfamily.net "}).headers["Location"].startswith("/mailboxes/?generation=")
    assert not Mailbox.objects.filter(address="emma@myfamily.net").exists()
    assert Alias.objects.get(address="kids@myfamily.net").targets == ["luca@myfamily.net"]
    assert User.objects.filter(name="Emma").exists()


def test_its_person_goes_too_when_that_is_ticked(household: Household) -> None:
    url = f"/mailboxes/{household.mailboxes['emma'].pk}/delete/"
    household.client("anna").post(url, {"typed": "emma@myfamily.net", "with_people": "on"})
    assert not User.objects.filter(name="Emma").exists()


def test_nobody_removes_herself_with_her_mailbox(household: Household) -> None:
    url = f"/mailboxes/{household.mailboxes['marco'].pk}/delete/"
    client = household.client("marco")
    assert "with_people" not in client.get(url).text
    client.post(url, {"typed": "marco@myfamily.net", "with_people": "on"})
    assert User.objects.filter(name="Marco").exists()


def test_an_alias_of_another_community_is_in_the_way(household: Household) -> None:
    with wishes("test", "test"):
        household.alias("secret@mybusiness.com", "emma")
    answer = household.client("anna").get(f"/mailboxes/{household.mailboxes['emma'].pk}/delete/")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_the_list_has_pages_and_is_searched(household: Household) -> None:
    with wishes("test", "test"):
        for number in range(30):
            household.mailbox(f"box{number:02}", household.home, "luca")
    client = household.client("anna")
    assert "Page 1 of 2" in client.get("/mailboxes/").text
    assert (
        "box29@" in client.get("/mailboxes/", {"page": 2}).text
        or "marco@" in client.get("/mailboxes/", {"page": 2}).text
    )
    text = client.get("/mailboxes/", {"q": "BOX07"}).text
    assert "box07@myfamily.net" in text
    assert "box08@myfamily.net" not in text
