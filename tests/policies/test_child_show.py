"""The page of somebody who is looked after: level, switches, numbers; and another level."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Membership
from accounts.wishes import Wishes, wishes
from policies.models import Contact
from tests.policies.letters import STRANGER, held

pytestmark = pytest.mark.django_db


def url(household, who="emma"):
    return f"/family/{household.people[who].pk}/"


def level_url(household, who="emma"):
    return f"{url(household, who)}level/{Membership.objects.get(user=household.people[who]).pk}/"


def page(household, who="emma", viewer="anna"):
    answer = household.client(viewer).get(url(household, who))
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def rows(text):
    """What each line of the table of switches says."""
    return [line.partition("</tr>")[0] for line in text.split('<tr role="row"')[2:]]


def test_it_says_level_switches_people_and_what_waits(household):
    held(household.mailboxes["emma"], STRANGER)
    held(household.mailboxes["luca"], STRANGER)
    held(household.mailboxes["emma"], STRANGER, reason="spam")
    with wishes("a test", "test"):
        for number in range(3):
            Contact(person=household.people["emma"], address=f"amica{number}@example.org").save()
        Contact(person=household.people["emma"], address="bully@example.org", kind="blocked").save()
    text = page(household)
    assert "3 entries are on the list. 1 is blocked." in text
    assert "1 letter waits for an answer." in text
    assert "1 letter is kept back without asking." in text
    assert "Starter (6–9)" in text
    found = rows(text)
    assert len(found) == 8
    assert "only people on the list; others wait" in found[0]
    assert "for others you are asked first" in found[1]
    assert "from 07:00 to 20:00" in found[5]
    assert "20 letters a day, to at most 5 people each" in found[7]


def test_what_nothing_enforces_yet_says_so(household):
    found = rows(page(household))
    idle = ["not yet active" in line for line in found]
    assert idle == [False, False, True, True, True, False, False, True]


def test_an_exception_is_shown_with_its_last_day(household):
    with wishes("a test", "test"):
        row = Membership.objects.get(user=household.people["emma"])
        row.overrides = [{"incoming": "anyone", "until": "2199-12-31"}, {"outgoing": "anyone", "until": "2020-01-01"}]
        row.save()
    incoming, outgoing, *_rest = rows(page(household))
    assert "anyone" in incoming
    assert "an exception until Dec. 31, 2199" in incoming
    assert "asked first" in outgoing
    assert "exception" not in outgoing


def test_in_a_business_the_words_are_others(household):
    with wishes("a test", "test"):
        row = Membership.objects.get(user=household.people["ivo"])
        row.level = "inside"
        row.save()
    text = page(household, "ivo", "rita")
    assert "Inside only" in text
    assert "only your own people; others are refused" in text


def test_a_level_is_changed_and_exceptions_stay(household):
    exception = [{"hours": "always", "until": "2199-12-31"}]
    with wishes("a test", "test"):
        row = Membership.objects.get(user=household.people["emma"])
        row.overrides = exception
        row.save()
    before, client = Wishes.current(), household.client("anna")
    assert 'value="starter" ' in client.get(level_url(household)).text
    answer = client.post(level_url(household), {"level": "learner"})
    assert answer["Location"] == f"{url(household)}?generation={before + 1}"
    row = row.refreshed()
    assert (row.level, row.overrides, row.role, row.protection) == ("learner", exception, "protected", "minor")
    assert "Emma has the level Learner (10–12) from now on." in client.get(answer["Location"]).text
    assert AuditEntry.objects.latest("pk").who == "anna@myfamily.net"


@pytest.mark.parametrize("level", ["", "inside", "king", "starter "])
def test_another_word_is_no_level(household, level):
    answer = household.client("anna").post(level_url(household), {"level": level})
    assert answer.status_code == 422
    assert Membership.objects.get(user=household.people["emma"]).level == "starter"


def test_what_a_level_promises_and_does_not_do_yet_is_said_before_it_is_chosen(household):
    text = household.client("anna").get(level_url(household)).text
    assert "anyone; you are told of new contacts (not yet active)" in text


def test_the_membership_of_somebody_else_is_not_there(household):
    other = Membership.objects.get(user=household.people["luca"])
    assert household.client("anna").get(f"{url(household)}level/{other.pk}/").status_code == 404


def test_from_a_persons_page_one_comes_here(household):
    link = f'href="{url(household)}"'
    person = f"/people/{household.people['emma'].pk}/"
    assert link in household.client("anna").get(person).text
    with wishes("a test", "test"):
        household.person("ivo", administrator=True)
    assert link not in household.client("ivo").get(person).text


def test_the_number_of_queries_does_not_grow(household):
    counts = []
    for round_ in (1, 30):
        for number in range(round_):
            held(household.mailboxes["emma"], f"zia{number}.{round_}@example.org")
            with wishes("a test", "test"):
                Contact(person=household.people["emma"], address=f"amica{number}.{round_}@example.org").save()
        client = household.client("anna")
        client.get(url(household))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(household))
        counts.append(len(captured))
    assert counts[0] == counts[1]
