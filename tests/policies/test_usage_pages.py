"""The pages of the acceptable-use policy: what each person reads, says and writes."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.wishes import wishes
from policies.models import Acknowledgement, Contact, UsagePolicy
from tests.policies.uses import level, published, read

pytestmark = pytest.mark.django_db
NOTICE = "There are new rules for using mail:"


def text_of(answer):
    return " ".join(answer.text.split())


def page(household, who="emma", url="/use/", status=200):
    answer = household.client(who).get(url)
    assert answer.status_code == status
    return text_of(answer)


def use(household, more=""):
    return f"/use/{household.family.pk}/{more}"


def test_while_there_is_none_who_may_write_is_asked_to(household):
    text = page(household, "anna")
    assert "House rules: <bdi>Fioretti family</bdi>" in text
    assert f'href="{use(household, "write/")}"' in text
    assert "Nobody has written down rules" not in text
    text = page(household, "emma")
    assert "Nobody has written down rules for using mail yet." in text
    assert "write/" not in text


def test_each_page_tells_of_new_rules_until_they_are_read(household):
    assert NOTICE not in page(household, url="/")
    policy = published(household)
    for url in ("/", "/me/", "/nowhere/"):
        text = page(household, url=url, status=404 if url == "/nowhere/" else 200)
        assert NOTICE in text
        assert f'<a href="{use(household)}">read them</a>' in text
    assert NOTICE not in page(household)  # here they are read
    assert NOTICE not in page(household, "anna", "/")
    read(household, "emma", policy)
    assert NOTICE not in page(household, url="/")
    published(household, before="two")
    assert NOTICE in page(household, url="/")


def test_a_child_reads_and_says_so(household):
    published(household, before="Be kind.\n\nAlways.")
    client = household.client("emma")
    text = text_of(client.get("/use/"))
    assert "<p>Be kind.</p> <p>Always.</p>" in text
    assert "Version 1, published on" in text
    assert "by <bdi>Anna</bdi>" in text
    assert 'name="version" value="1"' in text
    answer = client.post(use(household, "acknowledge/"), {"version": "1"}, follow=True)
    text = text_of(answer)
    assert "Thank you: it is noted that you have read this." in text
    assert "You have read it:" in text
    assert "I have read this" not in text
    assert Acknowledgement.objects.filter(user=household.people["emma"]).count() == 1


def test_a_version_that_is_old_meanwhile_is_not_taken_as_read(household):
    published(household)
    published(household, before="The newest words")
    answer = household.client("emma").post(use(household, "acknowledge/"), {"version": "1"}, follow=True)
    assert "There is a newer version now, this one: read it, then say so once more." in text_of(answer)
    assert "The newest words" in answer.text
    assert not Acknowledgement.objects.filter(user=household.people["emma"]).exists()


@pytest.mark.parametrize("version", ["", "0", "2", "x", "-1", "1.0", "٣", "9" * 30, "1' OR 1"])
def test_a_version_that_is_not_there_is_not_read(household, version):
    published(household)
    answer = household.client("emma").post(use(household, "acknowledge/"), {"version": version})
    assert answer.status_code == 404
    assert Acknowledgement.objects.count() == 1


def test_whose_name_is_sent_along_does_not_matter(household):
    published(household)
    sent = {"version": "1", "user": household.people["luca"].pk, "author": "luca@myfamily.net"}
    household.client("emma").post(use(household, "acknowledge/"), sent)
    assert set(Acknowledgement.objects.values_list("user__name", flat=True)) == {"Anna", "Emma"}


def test_parents_see_who_has_read_it_and_children_see_their_own_state(household):
    policy = published(household)
    read(household, "luca", policy)
    text = page(household, "anna")
    assert "2 people have not read it yet: <bdi>Emma, Marco</bdi>." in text
    assert text.count("not yet read") == 2
    assert text.count("read on ") == 2
    text = page(household, "luca")
    assert "Who has read it" not in text
    assert "<bdi>Emma</bdi>" not in text
    assert "You have read it:" in text
    for who in ("emma", "marco"):
        read(household, who, policy)
    assert "Everybody has read it." in page(household, "anna")


def test_old_versions_stay_readable(household):
    first = published(household, before="The first words")
    read(household, "luca", first)
    published(household, before="The second words")
    assert f'href="{use(household, "1/")}"' in page(household, "luca")
    text = page(household, "luca", use(household, "1/"))
    assert "The first words" in text
    assert "This is an old version: it no longer counts." in text
    assert "I have read this" not in text
    assert "What counts for you today" not in text
    text = page(household, "anna", use(household, "1/"))
    assert text.count("not read</span>") == 2
    assert "not yet read" not in text
    page(household, "anna", use(household, "3/"), status=404)


def test_what_changed_since_is_told_with_the_difference(household):
    level(household, "luca", "explorer")
    published(household)
    assert "The rules have changed since" not in page(household, "luca")
    level(household, "luca", "trusted")
    text = page(household, "luca")
    assert "The rules have changed since" in text
    added, gone = text.split("Holds today and does not stand in this version:")[1].split(
        "Stands in this version and holds no more:"
    )
    gone = gone.partition("</section>")[0]
    assert "Level: Trusted (16–17)" in added
    assert "Anybody may write to you.</li>" in added
    assert "Level: Explorer (13–15)" in gone
    assert "Anybody may write to you whose letter proves who wrote it." in gone
    assert "Starter" not in added + gone
    assert "Publish a new version" not in text
    assert "Publish a new version" in page(household, "anna")
    published(household)
    assert "The rules have changed since" not in page(household, "anna")


def test_an_exception_is_told_to_the_child_and_the_parents_only(household):
    published(household)
    level(household, "emma", "starter", incoming="anyone", hours="08:00-09:00")
    with wishes("test", "test"):
        Contact(person=household.people["emma"], address="zia@outside.example", name="Zia Carla").save()
    for who, title in (("emma", "What counts for you today"), ("anna", "What <bdi>Emma</bdi> reads here about today")):
        text = page(household, who)
        part = text.split(title)[1].partition("</section>")[0]
        assert "Anybody may write to you.</li>" in part
        assert "Who may write: an exception until Dec. 31, 2199" in part
        assert "1 entry is on the list." in part
        assert "Your mail is open from 08:00 to 09:00." in part
        assert "without an exception" not in part
        assert "Zia" not in text
        assert "outside.example" not in text
    text = page(household, "luca")
    assert "an exception until" not in text
    assert "What stands above for this level, without an exception." in text
    assert "Emma" not in text
    assert "The rules have changed since" not in text  # they are those of the level


def test_in_a_business_nobody_sees_the_state_of_others(household):
    published(household, "rita")
    level(household, "gino", "partners")
    text = page(household, "sara")
    assert "Acceptable-use policy: <bdi>Fioretti business</bdi>" in text
    assert "What counts for you today" in text
    assert "What stands above for this level, without an exception." not in text  # it does not stand above yet
    for name in ("Gino", "Ivo", "Olivia"):
        assert name not in text
    assert "reads here about today" not in page(household, "olivia")


def test_who_belongs_to_two_communities_has_both(household):
    published(household)
    published(household, "rita")
    text = page(household, "marco")
    assert "House rules: <bdi>Fioretti family</bdi>" in text
    assert "Acceptable-use policy: <bdi>Fioretti business</bdi>" in text
    assert text.count("not yet read") == 2
    home = page(household, "marco", "/")
    assert home.count(NOTICE) == 2
    assert "read them (<bdi>Fioretti family</bdi>)" in home


def test_an_administrator_who_belongs_nowhere_has_no_rules(household):
    with wishes("test", "test"):
        household.settle("ulla", household.home, "guardian")
        household.people["ulla"].memberships.get().delete()
        household.person("ulla", administrator=True)
    published(household)
    assert "You belong to no family and no business here" in page(household, "ulla")
    assert "Rules for using mail" not in page(household, "ulla", "/")
    for more in ("", "1/", "write/"):
        page(household, "ulla", use(household, more), status=404)


def write(household, who="anna", status=200, **sent):
    answer = household.client(who).post(use(household, "write/"), sent, follow=True)
    assert answer.status_code == status
    return text_of(answer)


def test_a_version_is_written_looked_at_and_published(household):
    text = page(household, "anna", use(household, "write/"))
    assert "Level: Starter (6–9)" in text
    text = write(household, before="Be kind.", after="Ask us.")
    assert "Before it is published" in text
    assert "<p>Be kind.</p>" in text
    assert 'type="hidden" name="before" value="Be kind."' in text
    assert not UsagePolicy.objects.exists()
    text = write(household, before="Be kind.", after="Ask us.", change="yes")
    assert "Be kind.</textarea>" in text
    assert not UsagePolicy.objects.exists()
    text = write(household, before="Be kind.", after="Ask us.", publish="yes")
    assert "It is published: everybody is asked to read it." in text
    assert "3 people have not read it yet: <bdi>Emma, Luca, Marco</bdi>." in text
    assert "Be kind.</textarea>" in page(household, "anna", use(household, "write/"))  # the next one begins with it
    assert "Version 1 says the same already." in write(
        household, status=422, before="Be kind.", after="Ask us.", publish="yes"
    )
    assert UsagePolicy.objects.count() == 1


HOSTILE = "</textarea></div></article><script>alert(1)</script><img src=x onerror=alert(2)> {{ 7|add:7 }} %(x)s &lt;"


def test_hostile_text_is_text(household):
    write(household, before=HOSTILE, after=HOSTILE, publish="yes")
    for who, more in (("anna", ""), ("emma", ""), ("anna", "write/"), ("emma", "1/")):
        text = page(household, who, use(household, more))
        assert text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "{{ 7|add:7 }} %(x)s &amp;lt;" in text
    assert "<script>alert" not in write(household, before=HOSTILE + "!")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ("\u202eevil", "holds a character that cannot be seen"),
        ("x" * 100_000, "The text is too long: at most 5000 characters."),
        ("x" * 5001, "The text is too long: at most 5000 characters."),
    ],
)
def test_what_cannot_be_published_is_said_beside_it(household, sent, sentence):
    for button in ({}, {"publish": "yes"}):
        text = write(household, status=422, before="ok", after=sent, **button)
        assert sentence in text
        assert "\u202e" not in text.split("<textarea")[0]
    assert not UsagePolicy.objects.exists()


def test_the_rules_are_in_the_language_of_the_reader(household):
    published(household)
    answer = household.client("emma").get("/use/", headers={"Accept-Language": "it"})
    assert "Regole di casa" in answer.text
    assert "Scrivi solo con i tuoi indirizzi" in answer.text
    assert "You write under" not in answer.text


def test_more_people_and_versions_are_no_more_queries(household):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as found:
            page(household, "olivia")
        return len(found)

    published(household, "rita")
    before = queries()
    with wishes("test", "test"):
        for number in range(5):
            household.settle(f"new{number}", household.work, "member")
    for number in range(5):
        published(household, "rita", before=f"text {number}")
    assert queries() == before
