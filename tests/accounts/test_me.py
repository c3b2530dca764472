from django.test import Client

from tests.household import PASSWORD, Household

NEW = "a new and better one"


def test_a_password_is_changed_with_the_old_one(household: Household) -> None:
    here, elsewhere = household.client("emma"), household.client("emma")
    answer = here.post("/me/password/", {"old": PASSWORD, "password": NEW}, follow=True)
    assert "Your password is changed" in answer.text
    assert elsewhere.get("/me/").status_code == 302  # signed out
    assert household.people["emma"].refreshed().check_password(NEW)


def test_without_the_old_password_nothing_changes(household: Household) -> None:
    answer = household.client("emma").post("/me/password/", {"old": "wrong", "password": NEW})
    assert answer.status_code == 422
    assert "not your present password" in answer.text
    assert household.people["emma"].refreshed().check_password(PASSWORD)


def test_the_panel_speaks_the_chosen_language(household: Household) -> None:
    client = household.client("emma")
    client.post("/me/", {"language": "it", "theme": ""})
    assert '<html lang="it"' in client.get("/me/").text


def test_the_theme_stays_on_the_device(household: Household) -> None:
    client = household.client("emma")
    client.post("/me/", {"language": "", "theme": "dark"})
    assert 'data-bs-theme="dark" data-chosen' in client.get("/").text
    assert "data-chosen" not in household.client("emma").get("/").text
    client.post("/me/", {"language": "", "theme": ""})
    assert "data-chosen" not in client.get("/").text


def test_a_made_up_theme_stands_nowhere(household: Household) -> None:
    client = Client()
    client.cookies["theme"] = '"><script>'
    assert "<script>" not in client.get("/sign-in/").text.replace('<script src="', "")
