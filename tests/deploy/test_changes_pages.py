"""The pages of what was changed, by role; going back and pausing as an administrator does."""

import re
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User, Wishes
from accounts.wishes import wishes
from deploy.models import MailHost, Release
from deploy.services import kept
from domains.models import Mailbox
from domains.services import delete_mailbox
from policies.household import dump
from policies.models import Contact
from tests.household import Household
from tests.test_urls_rights import names

VERBS = {  # and how each may be asked
    "list": {"get"}, "show": {"get"}, "community": {"get"}, "files-found": {"get"}, "files": {"post"},
    "resume": {"post"}, "pause": {"get", "post"}, "undo": {"get", "post"},
}  # fmt: skip
ROLES = ("marco", "anna", "emma", "olivia", "rita", "sara")


def test_every_address_of_these_pages_is_asked_for_here() -> None:
    ours = {name for name in names() if name.startswith("changes-")}
    assert ours == {f"changes-{verb}" for verb in VERBS}


@pytest.mark.parametrize("method", ["get", "post", "put", "delete"])
def test_nobody_reaches_them_without_signing_in_and_other_methods_do_nothing(household: Household, method: str) -> None:
    one, host = released(), MailHost.objects.get()
    for verb, posts in VERBS.items():
        pk = household.family.pk if verb == "community" else host.pk if verb in ("pause", "resume") else one.pk
        url = reverse(f"changes-{verb}", args=[] if verb == "list" else [pk, 1] if verb == "files-found" else [pk])
        answer = getattr(Client(), method)(url)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/sign-in/"), url
        if method in ("put", "delete") or method not in posts:
            assert getattr(household.client("marco"), method)(url).status_code == 405, url


def released(**values: Any) -> Release:
    """The newest wishes are live."""
    now, host = datetime.now(UTC), MailHost.objects.get()
    MailHost.objects.update(applied=Wishes.current(), seen=now)
    facts = {"author": "anna@myfamily.net", "status": "live", "folder": 1, "generation": Wishes.current()}
    return host.releases.create(**{**facts, "started": now, "ended": now, "dump": kept.packed(dump()), **values})


def lose_emma(house: Household, who: str = "anna") -> None:
    with wishes(house.people[who], "test"):
        delete_mailbox(house.mailboxes["emma"].refreshed(), with_people=True)


def shown_generation(text: str) -> str:
    found = re.search(r'name="generation" value="(\d+)"', text)
    assert found, text
    return found[1]


def test_the_first_line_answers_is_everything_live(household: Household) -> None:
    client = household.client("marco")
    released()
    assert "Everything is live." in client.get("/changes/").text
    with wishes(household.people["anna"], "test"):
        Contact(person=household.people["emma"], address="nonna.rosa@gmail.com", direction="in").save()
    text = client.get("/changes/").text
    assert "changes are on their way" in text
    assert "Anna let nonna.rosa@gmail.com write to Emma." in text
    MailHost.objects.update(error="The disk is <full>.", failed=Wishes.current())
    text = client.get("/changes/").text
    assert "A change could not be made live." in text
    assert "The disk is &lt;full&gt;." in text


def test_a_release_shows_its_author_its_words_its_log_and_its_error(household: Household) -> None:
    released()
    with wishes(household.people["anna"], "test"):
        household.alias("nuova@myfamily.net", "emma")
    one = released(status="failed", error="Not <today>.", log="Postfix was reloaded.\nline two")
    for url in ("/changes/", f"/changes/{one.pk}/"):
        text = household.client("marco").get(url).text
        assert "Anna made the alias nuova@myfamily.net lead to emma@myfamily.net." in text
        assert "Not &lt;today&gt;." in text
        assert "failed" in text
    assert "Postfix was reloaded." in text
    assert "data-exact" not in text


@pytest.mark.parametrize("who", ROLES)
def test_releases_are_for_administrators(household: Household, who: str) -> None:
    one, host, client = released(), MailHost.objects.get(), household.client(who)
    may = who == "marco"
    for url in ("/changes/", f"/changes/{one.pk}/", f"/changes/{one.pk}/undo/", f"/changes/hosts/{host.pk}/pause/"):
        assert client.get(url).status_code == (200 if may else 403), url
    assert client.post(f"/changes/{one.pk}/undo/", {"generation": "0"}).status_code == (422 if may else 403)
    assert client.post(f"/changes/hosts/{host.pk}/pause/", {"reason": ""}).status_code == (422 if may else 403)
    assert client.post(f"/changes/hosts/{host.pk}/resume/").status_code == (422 if may else 403)
    assert client.post(f"/changes/{one.pk}/files/").status_code == (302 if may else 403)
    assert client.get(f"/changes/{one.pk}/files/1/").status_code in ((200, 404) if may else (403,))
    others = re.compile(r"/changes/(?!of/|audit/)")  # a guardian or an owner reads what concerns her own community
    assert bool(others.search(client.get("/").text)) == may


@pytest.mark.parametrize(
    ("who", "family", "business"),
    [
        ("anna", 200, 404),
        ("marco", 200, 200),
        ("olivia", 404, 200),
        ("rita", 404, 404),
        ("emma", 404, 404),
        ("sara", 404, 404),
    ],
)
def test_a_community_s_changes_are_for_its_guardians_and_owners(
    household: Household, who: str, family: int, business: int
) -> None:
    client = household.client(who)
    for community, wanted in ((household.family, family), (household.business, business)):
        url = f"/changes/of/{community.pk}/"
        assert client.get(url).status_code == wanted
        assert (url in client.get("/").text) == (wanted == 200)
    assert client.get("/changes/of/7777/").status_code == 404


def test_a_guardian_reads_her_own_family_s_changes_only(household: Household) -> None:
    with wishes(household.people["marco"], "test"):
        Contact(person=household.people["emma"], address="nonna.rosa@gmail.com").save()
        Contact(person=household.people["anna"], address="bullo@x.example", kind="blocked").save()
        household.alias("nuovi@mybusiness.com", "gino")
        household.alias("nuova@myfamily.net", "emma")
    text = household.client("anna").get(f"/changes/of/{household.family.pk}/").text
    assert "Marco let nonna.rosa@gmail.com and Emma write to each other." in text
    assert "nuova@myfamily.net" in text
    assert "mybusiness.com" not in text
    assert "undo" not in text.lower().replace("mailadmin", "")
    text = household.client("olivia").get(f"/changes/of/{household.business.pk}/").text
    assert "nuovi@mybusiness.com" in text
    assert "myfamily.net" not in text
    assert "nonna" not in text


def test_older_changes_are_a_page_further(household: Household) -> None:
    for number in range(60):
        with wishes(household.people["anna"], "test"):
            household.person("luca", name=f"Luca {number}")
    client, url = household.client("anna"), f"/changes/of/{household.family.pk}/"
    first = client.get(url).text
    older = re.search(r'href="(\?before=\d+)"', first)
    assert older
    assert "Anna added" not in first
    assert client.get(url + older[1]).status_code == 200
    assert client.get(url + "?before=x").status_code == 404


def test_going_back_is_shown_then_done_and_can_be_undone(household: Household) -> None:
    then, client = released(), household.client("marco")
    key = household.mailboxes["emma"].key
    lose_emma(household)
    later = released()
    text = client.get(f"/changes/{then.pk}/undo/").text
    assert "Marco added the mailbox emma@myfamily.net." in text
    assert "comes back without a password" in text
    assert not Mailbox.objects.filter(address="emma@myfamily.net").exists()
    answer = client.post(f"/changes/{then.pk}/undo/", {"generation": shown_generation(text)}, follow=True)
    assert "It is as it was then." in answer.text
    assert "Emma is back and has no password" in answer.text
    assert Mailbox.objects.get(address="emma@myfamily.net").key == key
    undone = released(author="marco@myfamily.net")
    text = client.get("/changes/").text
    assert "undone" in text
    text = client.get(f"/changes/{later.pk}/undo/").text
    client.post(f"/changes/{later.pk}/undo/", {"generation": shown_generation(text)})
    assert not Mailbox.objects.filter(address="emma@myfamily.net").exists()
    assert undone.pk


def test_wishes_that_changed_meanwhile_are_shown_anew(household: Household) -> None:
    then, client = released(), household.client("marco")
    lose_emma(household)
    text = client.get(f"/changes/{then.pk}/undo/").text
    with wishes("test", "test"):
        household.person("luca", name="L")
    answer = client.post(f"/changes/{then.pk}/undo/", {"generation": shown_generation(text)})
    assert answer.status_code == 422
    assert "Somebody changed something meanwhile" in answer.text
    assert "Marco changed the name or the details of L" in answer.text
    assert not User.objects.filter(address="emma@myfamily.net").exists()
    assert shown_generation(answer.text) == str(Wishes.current())


def test_what_nobody_can_go_back_to_says_so(household: Household) -> None:
    client = household.client("marco")
    for kept_text, said in (
        (None, "Nothing is kept of this release"),
        (zlib.compress(b"7\nx"), "format 7; this one understands 1"),
        (kept.packed("x = ["), "no TOML"),
        (kept.packed('[[animal]]\nname = "x"\n'), "animal"),
    ):
        one = released(dump=kept_text)
        answer = client.get(f"/changes/{one.pk}/undo/")
        text = answer.text.replace("&quot;", '"')
        assert answer.status_code == 422
        assert said in text
        assert "nothing is changed" in text


def test_a_host_is_paused_and_goes_on(household: Household) -> None:
    released()
    host, client = MailHost.objects.get(), household.client("marco")
    text = client.get(f"/changes/hosts/{host.pk}/pause/").text
    assert "bedtime" in text
    assert client.post(f"/changes/hosts/{host.pk}/pause/", {"reason": "<b>moving</b>"}).status_code == 302
    assert client.post(f"/changes/hosts/{host.pk}/pause/", {"reason": "again"}).status_code == 422
    with wishes(household.people["anna"], "test"):
        household.alias("nuova@myfamily.net", "emma")
    text = client.get("/changes/").text
    assert "changes wait, because a mail host is paused" in text
    assert "&lt;b&gt;moving&lt;/b&gt;" in text
    assert "by Marco" in text
    home = client.get("/").text
    assert "is paused by Marco" in home
    assert "Everything you saved is live" not in home
    state = household.client("anna").get(f"/state/{Wishes.current()}/", headers={"HX-Request": "true"})
    assert "waits" in state.text
    assert "paused by Marco" in state.text
    assert "hx-trigger" not in state.text
    assert client.post(f"/changes/hosts/{host.pk}/resume/").status_code == 302
    assert MailHost.objects.get().paused is None
    assert client.post(f"/changes/hosts/{host.pk}/resume/").status_code == 422
    acts = AuditEntry.objects.filter(kind="act", door="pause").order_by("pk").values_list("who", "after")
    assert [(facts or {}).get("reason") for _who, facts in acts] == ["<b>moving</b>", None]


def test_a_longer_history_asks_the_database_no_more(household: Household, django_assert_max_num_queries: Any) -> None:
    client = household.client("marco")
    for _time in range(40):
        released(dump=None)
    with django_assert_max_num_queries(75):
        assert "Page 1 of 2" in client.get("/changes/").text
