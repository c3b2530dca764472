"""The page of what waits: who asks what, and how the page says it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership
from accounts.wishes import wishes
from policies.models import Contact, HeldLetter, Question
from tests.policies.letters import STRANGER, asked_out, held

pytestmark = pytest.mark.django_db


def page(household, who="anna", url="/waiting/"):
    answer = household.client(who).get(url)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def level(person, token):
    with wishes("a test", "test"):
        row = Membership.objects.get(user=person)
        row.level = token
        row.save()


def test_when_nothing_waits_it_says_so_kindly(household):
    text = page(household)
    assert "Nothing waits for you" in text
    assert "have a good day" in text
    assert "<form class" not in text


def test_a_stranger_is_shown_by_address_name_proof_and_the_beginning_of_the_letter(household):
    held(household.mailboxes["emma"], STRANGER)
    text = page(household)
    assert "1 letter waits for you" in text
    assert f'<bdi class="address ask-address">{STRANGER}</bdi>' in text
    assert "wants to write to <bdi>Emma</bdi>" in text
    assert "calls himself “<bdi>Zia Carla</bdi>”" in text
    assert "Really gmail.com: the provider confirms it" in text
    assert "quanti anni compi domenica?" in text
    assert "5 minutes ago" in text
    for choice in ("once", "always", "no", "block"):
        assert f'name="choice" value="{choice}"' in text


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("pass {} login", "Really zia.carla@gmail.com: signed in here"),
        ("fail {} dmarc", "Only claims to be: gmail.com says that it did not send this letter"),
        ("fail {} login", "Only claims to be: nobody signed in here has written it"),
        ("fail {} unchecked", "Only claims to be: nothing could be checked"),
        ("none {} -", "Only claims to be: gmail.com confirms nothing"),
        ("malformed", "Nobody can say who wrote it"),
    ],
)
def test_proof_is_said_in_words(household, fact, words):
    held(household.mailboxes["emma"], STRANGER, fact=fact)
    assert words in page(household)


def test_letters_of_one_sender_to_one_person_are_one_card(household):
    for minutes in (1, 2, 3, 4, 5):
        held(household.mailboxes["emma"], STRANGER, minutes=minutes, subject=f"Auguri {minutes}.")
    held(household.mailboxes["luca"], STRANGER)
    text = page(household)
    assert "6 letters wait for you" in text
    assert text.count('<article class="card ask"') == 2
    assert text.count('value="once"') == 4  # for each of the three newest of Emma's, and for Luca's
    assert text.count('value="always"') == 2
    assert "Auguri 3." in text
    assert "Auguri 4." not in text
    assert "and 2 older letters" in text


def test_two_mailboxes_of_one_person_are_one_card(household):
    with wishes("a test", "test"):
        household.mailboxes["second"] = household.mailbox("emmina", household.home, "emma")
    held(household.mailboxes["emma"], STRANGER)
    held(household.mailboxes["second"], STRANGER)
    text = page(household)
    assert "2 letters wait" in text
    assert text.count('<article class="card ask"') == 1


def test_an_entry_is_made_from_the_letter_that_proves_most(household):
    held(household.mailboxes["emma"], STRANGER, fact="none {} -", minutes=1)
    proven = held(household.mailboxes["emma"], STRANGER, minutes=2)
    text = page(household)
    assert "Only claims to be" in text
    assert "Really gmail.com" in text
    together = text[text.index("All these letters together") :]
    assert f'action="/waiting/questions/{proven.questions.get().pk}/"' in together


def test_a_letter_out_asks_about_each_stranger(household):
    asked_out(household.mailboxes["emma"], "giulia@libero.it", "marta@libero.it")
    text = page(household)
    assert "1 letter waits for you" in text
    assert text.count("<bdi>Emma</bdi> wants to write to") == 2
    assert "Let this one go" in text
    assert "Really" not in text


def test_a_look_alike_is_warned_of_and_needs_a_second_click(household):
    letter = held(household.mailboxes["emma"], "nonna.r0sa@gmail.com", like="nonna.rosa@gmail.com")
    text = page(household)
    assert 'this looks like <bdi class="address">nonna.rosa@gmail.com</bdi>' in text
    number = letter.questions.get().pk
    assert f'href="/waiting/questions/{number}/?choice=once"' in text
    assert f'href="/waiting/questions/{number}/?choice=always"' in text
    assert 'value="once"' not in text
    assert 'value="block"' in text
    second = page(household, url=f"/waiting/questions/{number}/?choice=always")
    assert '<bdi class="address">nonna.r<mark>0</mark>sa@gmail.com</bdi>' in second
    assert '<bdi class="address">nonna.r<mark>o</mark>sa@gmail.com</bdi>' in second


def test_letters_of_other_alphabets_are_marked(household):
    held(household.mailboxes["emma"], "rosa@xn--gmil-63d.com")
    text = page(household)
    assert "rosa@gm<mark>а</mark>il.com" in text
    assert "<code>rosa@xn--gmil-63d.com</code>" in text


def test_nobody_is_asked_about_spam_and_the_blocked_but_they_are_counted(household):
    held(household.mailboxes["emma"], "win@prize.example", reason="spam")
    held(household.mailboxes["emma"], "bully@example.org", reason="blocked", station="in-2")
    text = page(household)
    assert "Nothing waits for you" in text
    assert "2 letters are kept back without asking you" in text
    Question(letter=HeldLetter.objects.first(), address="win@prize.example").save()  # whatever the agent wrote
    assert "Nothing waits for you" in page(household)
    silent = page(household, url="/waiting/silent/")
    assert "win@prize.example" in silent
    assert "The sender is blocked." in silent
    assert 'value="once"' not in silent


def test_at_some_levels_what_is_in_a_letter_stays_with_whom_it_is_to(household):
    held(household.mailboxes["luca"], STRANGER)
    level(household.people["luca"], "explorer")
    text = page(household)
    assert STRANGER in text
    assert "Zia Carla" in text
    assert "stays with <bdi>Luca</bdi>" in text
    assert "quanti anni" not in text
    assert "Tanti auguri" not in text


def test_a_business_is_asked_and_reads_nothing(household):
    level(household.people["gino"], "partners")
    held(household.mailboxes["gino"], STRANGER)
    for who in ("olivia", "rita", "marco"):
        text = page(household, who)
        assert STRANGER in text
        assert "quanti anni" not in text
    assert STRANGER not in page(household, "anna")


def test_at_a_level_without_a_list_nobody_is_offered_an_entry(household):
    level(household.people["gino"], "inside")
    held(household.mailboxes["gino"], STRANGER)
    text = page(household, "olivia")
    assert 'value="once"' in text
    assert 'value="always"' not in text


def test_a_mailbox_of_several_is_answered_by_who_keeps_the_lists_of_all(household):
    held(household.mailboxes["info"], STRANGER)
    assert "wants to write to <bdi>Paolo, Sara</bdi>" in page(household, "olivia")
    with wishes("a test", "test"):
        household.people["sara"].memberships.get().refreshed().delete()
        Membership(user=household.people["sara"], community=household.family, role="protected").save()
    assert STRANGER not in page(household, "olivia")
    assert STRANGER not in page(household, "anna")
    assert STRANGER in page(household, "marco")  # guardian there and owner here


@pytest.mark.parametrize("who", ["emma", "luca", "sara", "ivo"])
def test_for_whom_nobody_is_looked_after_there_is_no_such_page(household, who):
    held(household.mailboxes["emma"], STRANGER)
    for url in ("/waiting/", "/waiting/summary/", "/waiting/silent/"):
        assert household.client(who).get(url).status_code == 404


def test_an_administrator_sees_nothing_for_being_one(household):
    with wishes("a test", "test"):
        household.person("ivo", administrator=True)
    held(household.mailboxes["emma"], STRANGER)
    assert household.client("ivo").get("/waiting/").status_code == 404


def test_many_cards_are_several_pages(household):
    for number in range(13):
        held(household.mailboxes["emma"], f"zia{number}@example.org", minutes=number)
    assert "zia9@" in page(household)
    assert "zia10@" not in page(household)
    assert "zia12@" in page(household, url="/waiting/?page=2")


def test_the_number_of_queries_does_not_grow(household):
    client = household.client("anna")
    counts = []
    for round_ in range(2):
        for number in range(1 + 20 * round_):
            for who in ("emma", "luca"):
                held(household.mailboxes[who], f"zia{number}.{round_}@example.org", STRANGER)
                asked_out(household.mailboxes[who], f"amica{number}.{round_}@example.org")
                held(household.mailboxes[who], "win@prize.example", reason="spam")
        with wishes("a test", "test"):
            for number in range(1 + 20 * round_):
                Contact(person=household.people["emma"], address=f"altra{number}.{round_}@example.org").save()
        found = []
        for url in ("/waiting/", "/waiting/summary/", "/waiting/silent/", "/"):
            client.get(url)
            with CaptureQueriesContext(connection) as captured:
                client.get(url)
            found.append(len(captured))
        counts.append(found)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 28


def test_the_first_page_shows_what_waits_and_whom_one_looks_after(household):
    held(household.mailboxes["emma"], STRANGER)
    with wishes("a test", "test"):
        Contact(person=household.people["emma"], address="nonna.rosa@gmail.com").save()
    home = page(household, url="/")
    assert 'hx-get="/waiting/summary/"' in home
    assert '<span class="waits">1</span>' in home
    fragment = household.client("anna").get("/waiting/summary/", headers={"HX-Request": "true"}).text
    text = " ".join(fragment.split())
    assert "<!doctype" not in text
    assert "1 letter waits for you" in text
    assert 'value="once"' in text
    assert "Starter (6–9)" in text
    assert "1 contact<" in text
    assert "1 waits" in text
    assert "waiting/summary" not in household.client("emma").get("/").text
    assert "waiting/summary" not in household.client("ivo").get("/").text
