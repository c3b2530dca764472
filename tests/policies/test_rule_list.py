"""The rules of a mailbox as a person sees them: in order, moved, switched, removed, and how one comes to them."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.wishes import wishes
from domains.models import Mailbox
from policies import filing
from policies.models import FilterRule
from policies.rights import filed_mailboxes, may_file
from tests.policies.filed import HOMEWORK, SCHOOL, plain, shown_rules, stored, text_of, url

pytestmark = pytest.mark.django_db


# The list


def test_an_empty_list_says_what_rules_are_for(household):
    text = text_of(household.client("anna").get(url(household)))
    assert "Rules sort letters by themselves" in text
    assert f'href="{url(household, "anna", "add")}"' in text
    assert "Nobody gets an answer by itself." in text
    assert "not sorted out" in text
    assert "No letter goes on to another address by itself." in text


def test_rules_are_sentences_in_their_order(household):
    rows = stored(
        household, "anna", ([HOMEWORK], [SCHOOL]), ([], [{"action": "copy", "folder": "Tutto"}, {"action": "flag"}])
    )
    with wishes("test", "test"):
        filing.switch_rule(household.people["anna"], rows[1], on=False)
    text = text_of(household.client("anna").get(url(household)))
    assert shown_rules(text) == [
        "When the subject contains “compiti”, file it in “Scuola”.",
        "With every letter: put a copy in “Tutto” and flag it.",
    ]
    assert "<strong><bdi>compiti</bdi></strong>" in text
    assert "2 rules sort the letters, from the first to the last. 1 of them is off." in text
    on, off = text.split('<li class="card rule')[1:]
    assert "Switch off" in on
    assert "Switch on" in off


def test_how_often_a_rule_acted_stands_beside_it(household, monkeypatch):
    first, second, _third = stored(household, "anna", *[([HOMEWORK], [{"action": "flag"}])] * 3)
    monkeypatch.setattr(filing, "acted", lambda mailbox: {first.key: 12, second.key: 1})
    text = text_of(household.client("anna").get(url(household)))
    said = [plain(found) for found in re.findall(r'<p class="rule-note">(.*?)</p>', text)]
    assert [found.partition(" ")[2] for found in said] == [
        "on acted 12 times in 30 days",
        "on acted 1 time in 30 days",
        "on not once in 30 days",
    ]


def test_who_else_wrote_a_rule_stands_beside_it(household):
    stored(household, "emma", ([HOMEWORK], [SCHOOL]), by="marco")
    assert "<bdi>Marco</bdi>, " in text_of(household.client("emma").get(url(household, "emma")))
    assert "<bdi>Marco</bdi>, " not in text_of(household.client("marco").get(url(household, "emma")))


def test_what_can_never_act_says_why(household):
    stored(household, "anna", ([], [SCHOOL]), ([HOMEWORK], [{"action": "flag"}]))
    text = text_of(household.client("anna").get(url(household)))
    assert text.count("It can never act") == 1
    assert "“With every letter: file it in “Scuola”.”" in plain(text)


def test_what_somebody_wrote_is_text_and_nothing_else(household):
    evil = "<script>alert(1)</script> %(value)s {{ 7 }} \" ' &amp; %s"
    stored(household, "anna", ([{**HOMEWORK, "value": evil}], [{"action": "file", "folder": "<b>(words)s"}]))
    client = household.client("anna")
    text = client.get(url(household)).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; %(value)s {{ 7 }} &quot; &#x27; &amp;amp; %s" in text
    assert "&lt;b&gt;(words)s" in text
    row = FilterRule.objects.get()
    assert "<script>alert" not in client.get(url(household, "anna", "edit", row.key)).text


def test_the_number_of_queries_does_not_grow(household):
    client, counts = household.client("anna"), []
    for round_ in (1, 20):
        rows = [([{**HOMEWORK, "value": f"{n} {round_}"}], [SCHOOL, {"action": "forward", "to": "marco@myfamily.net"}])
                for n in range(round_)]  # fmt: skip
        stored(household, "anna", *rows)
        client.get(url(household))
        with CaptureQueriesContext(connection) as captured:
            client.get(url(household))
        counts.append(len(captured))
    assert counts[0] == counts[1]


# Order, on and off, away and back


def order(household, who="anna"):
    return [row.then[0]["folder"] for row in filing.rules_of(household.mailboxes[who])]


@pytest.fixture
def three(household):
    """Three rules that file in A, B and C."""
    rows = [([{**HOMEWORK, "value": name}], [{"action": "file", "folder": name}]) for name in "ABC"]
    return stored(household, "anna", *rows)


@pytest.mark.parametrize(
    ("which", "to", "wanted"),
    [(0, "2", "BAC"), (0, "3", "BCA"), (2, "1", "CAB"), (1, "2", "ABC"), (1, "99", "ACB"), (1, "0", "BAC")],
)
def test_a_rule_is_moved(household, three, which, to, wanted):
    client = household.client("anna")
    answer = client.post(url(household, "anna", "move", three[which].key), {"to": to})
    assert answer.status_code == 302
    assert "".join(order(household)) == wanted
    place = wanted.index("ABC"[which]) + 1
    assert answer["Location"].endswith(f"&page=1#rule-{three[which].key}")
    assert f"The rule has place {place} now." in client.get(answer["Location"]).text


@pytest.mark.parametrize("to", ["", "up", "-1", "1.5", "9" * 9, "²"])
def test_no_place_is_no_place(household, three, to):
    answer = household.client("anna").post(url(household, "anna", "move", three[0].key), {"to": to})
    assert "This is no place in the list" in text_of(answer, 422)
    assert order(household) == ["A", "B", "C"]


def test_many_rules_have_pages_and_a_move_leads_to_the_right_one(household):
    rows = [([{**HOMEWORK, "value": str(n)}], [{"action": "flag"}]) for n in range(60)]
    made, client = stored(household, "anna", *rows), household.client("anna")
    text = text_of(client.get(url(household) + "?page=2"))
    assert len(shown_rules(text)) == 10
    assert 'data-first="51" data-all="60"' in text
    answer = client.post(url(household, "anna", "move", made[50].key), {"to": "50"})
    assert "&page=1#" in answer["Location"]
    answer = client.post(url(household, "anna", "move", made[50].key), {"to": "51"})
    assert "&page=2#" in answer["Location"]


def test_a_rule_is_switched(household, three):
    client = household.client("anna")
    for on in ("no", "yes"):
        assert client.post(url(household, "anna", "switch", three[1].key), {"on": on}).status_code == 302
        assert [row.active for row in filing.rules_of(household.mailboxes["anna"])] == [True, on == "yes", True]


def test_a_rule_is_removed_and_put_back_where_it_was(household, three):
    client = household.client("anna")
    answer = client.post(url(household, "anna", "remove", three[1].key))
    text = client.get(answer["Location"]).text
    assert "The rule is removed." in text
    assert order(household) == ["A", "C"]
    undo = re.search(r'action="(/rules/\d+/restore/\d+/)"', text)
    assert undo
    client.post(undo[1])
    assert order(household) == ["A", "B", "C"]
    assert filing.rules_of(household.mailboxes["anna"])[1].key == three[1].key


def test_only_the_last_change_of_this_mailbox_is_taken_back(household, three):
    client, mailbox = household.client("anna"), household.mailboxes["anna"]
    client.post(url(household, "anna", "switch", three[0].key), {"on": "no"})
    first = AuditEntry.objects.latest("pk")
    client.post(url(household, "anna", "switch", three[0].key), {"on": "yes"})
    answer = client.post(reverse("filing-restore", args=[mailbox.pk, first.pk]))
    assert "Somebody has changed this since" in text_of(answer, 422)
    last = AuditEntry.objects.latest("pk")
    emma = household.mailboxes["emma"]
    assert client.post(reverse("filing-restore", args=[emma.pk, last.pk])).status_code == 404
    new = AuditEntry.objects.filter(kind="filterrule", before__isnull=True).latest("pk")
    assert client.post(reverse("filing-restore", args=[mailbox.pk, new.pk])).status_code == 404
    other = AuditEntry.objects.exclude(kind="filterrule").latest("pk")
    assert client.post(reverse("filing-restore", args=[mailbox.pk, other.pk])).status_code == 404


def test_a_rule_of_another_mailbox_is_not_there(household, three):
    client = household.client("anna")
    for verb in ("edit", "move", "switch", "remove"):
        assert client.post(url(household, "emma", verb, three[0].key), {"to": "1"}).status_code == 404
    assert order(household) == ["A", "B", "C"]


# Who, and from where


def test_the_links_are_there_for_whom_the_pages_are(household):
    with wishes("test", "test"):
        household.settle("ulla", household.home, "guardian")
        household.people["ulla"].memberships.get().refreshed().delete()
        household.person("ulla", administrator=True)
        household.person("ivo", administrator=True)
        household.mailbox("sales", household.work, "sara", "gino")
        household.mailbox("both", household.home, "emma", "luca")
        household.mailbox("mixed", household.home, "emma", "sara")
    for person in household.people.values():
        wanted = {mailbox.pk for mailbox in Mailbox.objects.all() if may_file(person, mailbox)}
        assert filed_mailboxes(person) == wanted, person


@pytest.mark.parametrize(
    ("who", "page", "whose", "there"),
    [
        ("gino", "/", "gino", True),
        ("emma", "/", "emma", True),
        ("anna", "/", "anna", True),
        ("gino", "/people/{person}/addresses/", "gino", True),
        ("rita", "/people/{person}/addresses/", "gino", True),
        ("anna", "/family/{person}/", "emma", True),
        ("anna", "/mailboxes/{mailbox}/", "emma", True),
        ("rita", "/mailboxes/{mailbox}/", "gino", True),
        ("marco", "/mailboxes/{mailbox}/", "gino", False),
        ("marco", "/people/{person}/addresses/", "gino", False),
    ],
)
def test_one_comes_to_the_rules_from_where_the_mailbox_is(household, who, page, whose, there):
    if who == "marco":
        with wishes("test", "test"):
            household.people["marco"].memberships.get(community=household.business).refreshed().delete()
    numbers = {"person": household.people[whose].pk, "mailbox": household.mailboxes[whose].pk}
    text = text_of(household.client(who).get(page.format(**numbers)))
    assert (f'href="{url(household, whose)}"' in text) == there


def test_home_says_what_the_rules_do(household):
    stored(household, "gino", ([HOMEWORK], [SCHOOL]), ([], [{"action": "flag"}]))
    with wishes("test", "test"):
        filing.set_forwarding(household.people["gino"], household.mailboxes["gino"], to=["sara@mybusiness.com"])
    text = plain(household.client("gino").get("/").text)
    assert "2 rules" in text
    assert "letters go on to sara@mybusiness.com" in text


@pytest.mark.parametrize(
    ("who", "whose", "back"),
    [("anna", "anna", "/"), ("anna", "emma", "/family/{}/"), ("emma", "emma", "/"), ("rita", "gino", "/family/{}/")],
)
def test_the_page_leads_back(household, who, whose, back):
    text = text_of(household.client(who).get(url(household, whose)))
    assert f'<p class="up"><a href="{back.format(household.people[whose].pk)}">' in text
