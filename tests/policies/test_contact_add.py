"""Adding to a list: what is shown before it is saved, what is refused, what needs a second look."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.wishes import Wishes, wishes
from policies.models import Answer, Contact
from tests.policies.letters import STRANGER, asked_out, held

pytestmark = pytest.mark.django_db
NONNA = "nonna.rosa@gmail.com"
FIELDS = {"direction": "both", "kind": "allowed", "assurance": "proven"}


def send(household, owner, address="", lines="", who="anna", **fields):
    verb, first = ("paste", {"lines": lines}) if lines else ("add", {"address": address})
    return household.client(who).post(reverse(f"contact-{verb}", args=[owner]), {**FIELDS, **first, **fields})


def shown(answer, status=200):
    assert answer.status_code == status, answer.text
    return " ".join(answer.text.split())


def listed(owner, address=NONNA, **facts):
    whose = "community" if hasattr(owner, "kind") else "person"
    with wishes("anna@myfamily.net", "test"):
        Contact(address=address, **{whose: owner}, **facts).save()


def level(household, who, token):
    with wishes("a test", "test"):
        row = household.people[who].memberships.get()
        row.level = token
        row.save()


def test_what_changes_is_shown_before_it_is_saved(household):
    emma, before = household.people["emma"], Wishes.current()
    held(household.mailboxes["emma"], STRANGER)
    held(household.mailboxes["emma"], STRANGER)
    held(household.mailboxes["luca"], STRANGER)
    text = shown(send(household, emma, STRANGER, name="Zia Carla"))
    assert "1 more person may write to Emma, and be written to." in text
    assert "2 waiting letters will be delivered now." in text
    assert Wishes.current() == before
    assert not Contact.objects.exists()
    assert not Answer.objects.exists()
    assert not AuditEntry.objects.filter(door="rehearsal").exists()


def test_saving_does_what_was_shown(household):
    emma = household.people["emma"]
    letter, other = held(household.mailboxes["emma"], STRANGER), held(household.mailboxes["luca"], STRANGER)
    answer = send(household, emma, STRANGER, name="Zia Carla", save="yes")
    row = Contact.objects.get()
    assert (row.person, row.address, row.name, row.by) == (emma, STRANGER, "Zia Carla", "anna@myfamily.net")
    assert answer["Location"] == f"/family/{emma.pk}/people/?generation={Wishes.current()}"
    text = answer.client.get(answer["Location"]).text
    assert f"{STRANGER} is on the list. 1 waiting letter will be delivered now." in text
    assert f'action="/family/{emma.pk}/people/{row.pk}/remove/"' in text
    assert [one.question.letter for one in Answer.objects.all()] == [letter]
    assert other.questions.filter(answer=None).exists()


def test_a_domain_answers_for_everybody_there(household):
    held(household.mailboxes["emma"], "maestra@scuola.example")
    held(household.mailboxes["emma"], "maestra@notscuola.example")
    held(household.mailboxes["emma"], "x@blog.scuola.example")
    text = shown(send(household, household.people["emma"], "@Scuola.Example"))
    assert "Everybody at scuola.example may write to Emma, and be written to." in text
    assert "1 waiting letter will be delivered now." in text


def test_a_letter_out_goes_when_its_last_stranger_is_listed(household):
    asked_out(household.mailboxes["emma"], STRANGER, "altra@example.org")
    assert "delivered" not in shown(send(household, household.people["emma"], STRANGER))
    text = shown(send(household, household.people["emma"], lines=f"{STRANGER}\naltra@example.org"))
    assert "1 waiting letter will be delivered now." in text


def test_what_is_not_proven_still_waits(household):
    held(household.mailboxes["emma"], STRANGER, fact="none {} -")
    assert "delivered" not in shown(send(household, household.people["emma"], STRANGER))
    assert "1 waiting letter" in shown(send(household, household.people["emma"], STRANGER, assurance="unproven"))


def test_the_list_of_a_family_is_for_all_its_children(household):
    for who in ("emma", "luca"):
        held(household.mailboxes[who], STRANGER)
    text = shown(send(household, household.family, STRANGER))
    assert "1 more person may write to Fioretti family, and be written to." in text
    assert "2 waiting letters will be delivered now." in text
    assert send(household, household.family, STRANGER, save="yes").status_code == 302
    assert Contact.objects.get().community == household.family
    assert Answer.objects.count() == 2


def test_a_blocked_entry_delivers_nothing(household):
    held(household.mailboxes["emma"], STRANGER)
    text = shown(send(household, household.people["emma"], STRANGER, kind="blocked"))
    assert "1 more is blocked." in text
    assert "delivered" not in text
    send(household, household.people["emma"], STRANGER, kind="blocked", save="yes")
    assert Answer.objects.get().choice == "block"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("@gmail.com", "This lets in anyone in the world with an address at @gmail.com."),
        ("@co.uk", "This lets in everyone who owns a name that ends in @co.uk."),
        ("@myfamily.net", "@myfamily.net is a domain of this host"),
    ],
)
def test_danger_is_refused_unless_typed_again(household, entry, words):
    emma = household.people["emma"]
    text = shown(send(household, emma, entry))
    assert words in text
    assert 'name="again-1"' in text
    for again in ({}, {"again-1": ""}, {"again-1": "@gmail.co"}):
        refused = shown(send(household, emma, entry, save="yes", **again), 422)
        assert "This is not the same: type it again, or cancel." in refused
        assert not Contact.objects.exists()
    assert send(household, emma, entry, save="yes", **{"again-1": entry.upper()}).status_code == 302
    assert Contact.objects.get().confirmed


def test_a_dangerous_line_may_be_one_of_several(household):
    emma, lines = household.people["emma"], f"{NONNA}\n@gmail.com"
    assert shown(send(household, emma, lines=lines, save="yes"), 422)
    assert not Contact.objects.exists()
    assert send(household, emma, lines=lines, save="yes", **{"again-2": "@gmail.com"}).status_code == 302
    assert Contact.objects.count() == 2


def test_an_entry_that_can_never_act_is_warned_of(household):
    listed(household.family, "bully@example.org", kind="blocked")
    listed(household.people["emma"], "lupo@example.org", kind="blocked")
    emma = household.people["emma"]
    text = shown(send(household, emma, "bully@example.org"))
    assert "It can never act: bully@example.org is blocked" in text
    assert "After saving nothing is otherwise than before." in text
    assert "It can never act: lupo@example.org" in shown(send(household, emma, "lupo+x@example.org"))
    listed(household.family, "@evil.example", kind="blocked")
    assert "never act" in shown(send(household, emma, "@evil.example"))
    assert "never act" not in shown(send(household, emma, "good@evil.example"))  # an address counts before its domain


@pytest.mark.parametrize("whose", ["emma", "family"])
def test_an_entry_that_is_covered_already_is_warned_of(household, whose):
    emma = household.people["emma"]
    listed(emma if whose == "emma" else household.family, "@scuola.example")
    text = shown(send(household, emma, "maestra@scuola.example"))
    assert "It is covered already: the list has @scuola.example." in text
    assert "nothing is otherwise" in text
    assert "covered" not in shown(send(household, emma, "maestra@scuola.example", assurance="unproven"))


def test_the_family_needs_no_entry(household):
    assert "No entry is needed" in shown(send(household, household.people["emma"], "luca@myfamily.net"))
    assert "No entry is needed" not in shown(send(household, household.people["emma"], "gino@mybusiness.com"))


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("inside", "It has no effect at this level"),
        ("standard", "At this level anyone may write anyway"),
        ("partners", ""),
    ],
)
def test_an_entry_without_effect_at_this_level_is_warned_of(household, token, words):
    level(household, "gino", token)
    text = shown(send(household, household.people["gino"], STRANGER, who="olivia"))
    assert words in text
    assert ("nothing is otherwise" in text) == bool(words)


def test_a_look_alike_of_a_listed_address_is_shown_letter_for_letter(household):
    listed(household.people["emma"])
    text = shown(send(household, household.people["emma"], "nonna.r0sa@gmail.com"))
    assert f"It looks like {NONNA}, which is listed, and is another address." in text
    assert "nonna.r<mark>0</mark>sa@gmail.com" in text
    assert not Contact.objects.filter(address="nonna.r0sa@gmail.com").exists()


def test_what_is_on_the_list_stays_as_it_is(household):
    listed(household.people["emma"], name="Nonna")
    text = shown(send(household, household.people["emma"], NONNA, name="Other", save="yes"))
    assert "Stands in the list already" in text
    assert 'name="save"' not in text
    assert Contact.objects.get().name == "Nonna"


@pytest.mark.parametrize(
    "address",
    ["", "rosa", "rosa@", "@", "a b@example.org", "rosa@localhost", "a@example.org\nb@example.org", "|x@a.it"],
)
def test_what_is_no_address_is_refused(household, address):
    answer = household.client("anna").post(
        reverse("contact-add", args=[household.people["emma"]]), {**FIELDS, "address": address, "save": "yes"}
    )
    assert answer.status_code == 422
    assert not Contact.objects.exists()


def test_nobody_blocks_a_guardian_here(household):
    text = shown(send(household, household.people["emma"], "marco@myfamily.net", kind="blocked"), 422)
    assert "it cannot be blocked" in text


def test_several_are_understood_line_by_line(household):
    lines = f'"Nonna Rosa" <{NONNA}>\r\n\r\n  Giulia <Giulia@Libero.IT>\n@scuola.example\nno address\nx@y\n{NONNA}'
    emma = household.people["emma"]
    text = shown(send(household, emma, lines=lines))
    assert "2 more people may write to Emma, and be written to." in text
    assert "<strong>Line 5:</strong> “no address” is not an address" in text
    assert "<strong>Line 6:</strong>" in text
    assert text.count("Stands in the list already") == 1
    assert "Save 3 entries" in text
    assert send(household, emma, lines=lines, save="yes").status_code == 302
    found = set(Contact.objects.values_list("address", "name"))
    assert found == {(NONNA, "Nonna Rosa"), ("giulia@libero.it", "Giulia"), ("@scuola.example", "")}


def test_nothing_to_save_is_not_saved(household):
    text = shown(send(household, household.people["emma"], lines="no address", save="yes"))
    assert 'name="save"' not in text
    assert not Contact.objects.exists()


def test_too_many_lines_are_refused(household):
    lines = "\n".join(f"a{number}@example.org" for number in range(101))
    assert "paste at most 100 at once" in shown(send(household, household.people["emma"], lines=lines), 422)


def test_one_can_go_back_and_change_what_was_typed(household):
    text = shown(send(household, household.people["emma"], NONNA, name="Nonna", change="yes"))
    assert f'value="{NONNA}"' in text
    assert "Before it is saved" not in text


def test_a_link_brings_the_address_along(household):
    url = reverse("contact-add", args=[household.people["emma"]]) + f"?address={NONNA}&name=Nonna"
    text = household.client("anna").get(url).text
    assert f'value="{NONNA}"' in text


def test_the_number_of_queries_does_not_grow_with_the_lines(household):
    emma, client, counts = household.people["emma"], household.client("anna"), []
    url = reverse("contact-paste", args=[emma])
    for lines in (2, 40):
        text = "\n".join(f"a{number}@example.org" for number in range(lines))
        client.post(url, {**FIELDS, "lines": text, "change": "yes"})
        with CaptureQueriesContext(connection) as captured:
            client.post(url, {**FIELDS, "lines": text})
        written = [query for query in captured if query["sql"].startswith(("INSERT", "UPDATE"))]
        counts.append((len(captured), len(written)))
    each = (counts[1][0] - counts[0][0]) / 38
    assert each <= 12  # the rehearsal writes each entry as saving would
