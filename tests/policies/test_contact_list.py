"""A list: what its page says, changing, blocking, removing entries, and taking that back."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.wishes import Wishes, wishes
from policies.models import Answer, Contact
from tests.policies.letters import STRANGER, held

pytestmark = pytest.mark.django_db
NONNA = "nonna.rosa@gmail.com"


def listed(owner, address=NONNA, by="anna@myfamily.net", **facts):
    whose = "community" if hasattr(owner, "kind") else "person"
    with wishes(by, "test"):
        row = Contact(address=address, **{whose: owner}, **facts)
        row.save()
    return row


def url(owner, row=None, verb=""):
    return reverse(f"contact-{verb or 'list'}", args=[owner, *([row.pk] if row else [])])


def page(household, owner, who="anna", query=""):
    answer = household.client(who).get(url(owner) + query)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_an_empty_list_says_what_it_is_for(household):
    text = page(household, household.people["emma"])
    assert "Whoever stands here may write with <bdi>Emma</bdi>" in text
    assert "Add the first one" in text


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"name": "Nonna Rosa"}, "Really Nonna Rosa: the provider confirms it"),
        ({}, f"Really {NONNA}: the provider confirms it"),
        ({"assurance": "pinned", "evidence": "ip:192.0.2.0/24"}, "Same as when Anna allowed it on"),
        ({"assurance": "pinned"}, "Not recognised yet: the first letter asks you"),
        ({"assurance": "unproven"}, "Anyone can write this name; Anna accepted it on"),
        ({"kind": "blocked"}, "Letters are kept back, and nobody is asked"),
        ({"address": "rita@mybusiness.com", "name": "Rita"}, "Really Rita: signs in here"),
    ],
)
def test_each_entry_says_how_it_is_proved(household, facts, words):
    listed(household.people["emma"], **facts)
    assert words in page(household, household.people["emma"])


def test_an_entry_for_letters_out_claims_no_proof(household):
    listed(household.people["emma"], direction="out")
    text = page(household, household.people["emma"])
    assert "may be written to" in text
    assert "Really" not in text


def test_who_wrote_an_entry_and_when_stands_beside_it(household):
    listed(household.people["emma"], by="marco@myfamily.net")
    assert "<bdi>Marco</bdi>, " in page(household, household.people["emma"])


def test_one_list_is_not_another(household):
    listed(household.people["luca"])
    listed(household.family, "doctor@clinic.example")
    text = page(household, household.people["emma"])
    assert NONNA not in text
    assert "doctor@" not in text
    assert f'href="/family/community/{household.family.pk}/people/"' in text
    family = page(household, household.family)
    assert "doctor@clinic.example" in family
    assert "for everybody in <bdi>Fioretti family</bdi> who has a level" in family


def test_a_long_list_is_searched_by_name_and_address(household):
    for number in range(30):
        listed(household.people["emma"], f"amica{number}@example.org", name=f"Amica {number}")
    assert "30 entries" in page(household, household.people["emma"])
    text = page(household, household.people["emma"], query="?q=amica%2029")
    assert "amica29@example.org" in text
    assert "amica28@example.org" not in text
    assert "No entry has" in page(household, household.people["emma"], query="?q=nobody")


def test_an_entry_is_changed_and_that_is_taken_back(household):
    emma, client = household.people["emma"], household.client("anna")
    row = listed(emma, name="Nonna")
    fields = {"name": "Nonna Rosa", "direction": "in", "kind": "always", "assurance": "unproven"}
    answer = client.post(url(emma, row, "edit"), fields)
    assert answer["Location"] == f"{url(emma)}?generation={Wishes.current()}"
    row = row.refreshed()
    assert [getattr(row, name) for name in fields] == list(fields.values())
    undo = f"{url(emma)}{AuditEntry.objects.latest('pk').pk}/restore/"
    assert f'action="{undo}"' in client.get(answer["Location"]).text
    assert client.post(undo).status_code == 302
    row = row.refreshed()
    assert [getattr(row, name) for name in fields] == ["Nonna", "both", "allowed", "proven"]


def test_a_change_of_nothing_offers_nothing_to_take_back(household):
    emma, client = household.people["emma"], household.client("anna")
    row = listed(emma, name="Nonna")
    fields = {"name": "Nonna", "direction": "both", "kind": "allowed", "assurance": "proven"}
    answer = client.post(url(emma, row, "edit"), fields)
    assert answer.status_code == 302
    assert "/restore/" not in client.get(answer["Location"]).text


@pytest.mark.parametrize(
    "wrong", [{"direction": "up"}, {"kind": "maybe"}, {"assurance": ""}, {"name": "x" * 101}, {"name": "a\u202eb"}]
)
def test_an_entry_that_cannot_be_is_refused(household, wrong):
    emma = household.people["emma"]
    row = listed(emma)
    fields = {"name": "", "direction": "both", "kind": "allowed", "assurance": "proven", **wrong}
    answer = household.client("anna").post(url(emma, row, "edit"), fields)
    assert answer.status_code == 422
    assert row.refreshed().values() == row.values()


def test_an_entry_is_removed_and_put_back_as_it_was(household):
    emma, client = household.people["emma"], household.client("anna")
    row = listed(emma, name="Nonna", assurance="pinned", evidence="spf:example.org", direction="in")
    answer = client.post(url(emma, row, "remove"))
    text = client.get(answer["Location"]).text
    assert f"{NONNA} is no longer on the list." in text
    assert not Contact.objects.exists()
    undo = f"{url(emma)}{AuditEntry.objects.latest('pk').pk}/restore/"
    assert f'action="{undo}"' in text
    assert client.post(undo).status_code == 302
    assert Contact.objects.get().values() == row.values()


def test_an_entry_is_blocked_and_that_is_taken_back(household):
    emma, client = household.people["emma"], household.client("anna")
    row = listed(emma)
    letter = held(household.mailboxes["emma"], NONNA, station="in-6", reason="content")
    answer = client.post(url(emma, row, "block"))
    assert row.refreshed().kind == "blocked"
    assert Answer.objects.get().question.letter == letter
    text = client.get(answer["Location"]).text
    assert f"{NONNA} is blocked." in text
    assert client.post(f"{url(emma)}{changed().pk}/restore/").status_code == 302
    assert row.refreshed().kind == "allowed"


def changed():
    return AuditEntry.objects.filter(kind="contact").latest("pk")


def test_a_guardian_is_not_blocked(household):
    emma = household.people["emma"]
    row = listed(emma, "marco@myfamily.net")
    answer = household.client("anna").post(url(emma, row, "block"))
    assert answer.status_code == 422
    assert "it cannot be blocked" in answer.text
    assert row.refreshed().kind == "allowed"


def test_only_the_last_change_of_an_entry_can_be_taken_back(household):
    emma, client = household.people["emma"], household.client("anna")
    row = listed(emma)
    client.post(url(emma, row, "block"))
    first = changed()
    with wishes("marco@myfamily.net", "test"):
        later = row.refreshed()
        later.direction = "in"
        later.save()
    answer = client.post(f"{url(emma)}{first.pk}/restore/")
    assert answer.status_code == 422
    assert "Somebody has changed this entry since" in answer.text
    assert row.refreshed().kind == "blocked"


def test_nothing_else_is_taken_back_here(household):
    emma, luca, client = household.people["emma"], household.people["luca"], household.client("anna")
    row = listed(luca)
    client.post(url(luca, row, "remove"))
    assert client.post(f"{url(emma)}{changed().pk}/restore/").status_code == 403  # another list
    added = AuditEntry.objects.filter(kind="contact", before__isnull=True).latest("pk")
    assert client.post(f"{url(luca)}{added.pk}/restore/").status_code == 404
    other = AuditEntry.objects.exclude(kind="contact").latest("pk")
    assert client.post(f"{url(luca)}{other.pk}/restore/").status_code == 404


def test_a_wider_entry_answers_what_waits(household):
    emma = household.people["emma"]
    row = listed(emma, STRANGER, direction="out")
    held(household.mailboxes["emma"], STRANGER)
    fields = {"name": "", "direction": "both", "kind": "allowed", "assurance": "proven"}
    household.client("anna").post(url(emma, row, "edit"), fields)
    assert Answer.objects.get().choice == "always"


def test_an_entry_of_another_list_is_not_there(household):
    row = listed(household.people["luca"])
    for verb in ("edit", "block", "remove"):
        assert household.client("anna").post(url(household.people["emma"], row, verb)).status_code == 404
    assert Contact.objects.get().kind == "allowed"


def test_the_number_of_queries_does_not_grow(household):
    emma, client, counts = household.people["emma"], household.client("anna"), []
    for round_ in (1, 20):
        for number in range(round_):
            listed(emma, f"amica{number}.{round_}@example.org", by=f"{'marco' if number % 2 else 'anna'}@myfamily.net")
        client.get(url(emma))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(emma))
        counts.append(len(captured))
    assert counts[0] == counts[1]
