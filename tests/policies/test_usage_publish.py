"""Versions are published, frozen and read; nothing of it is changed, taken back or said for another."""

from copy import copy

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import override

from accounts.models import AuditEntry
from accounts.services import join, remove_person
from accounts.wishes import Wish, wishes
from domains.services import delete_mailbox
from policies import publishing
from policies.household import HouseholdError, dump, load
from policies.models import Acknowledgement, Contact, UsagePolicy
from policies.sentences import usage as sentences
from tests.policies.uses import level, published, read

pytestmark = pytest.mark.django_db


def lines(policy, language="en"):
    with override(language):
        return {one["about"]: list(one["lines"].values()) for one in policy.paragraphs()}


def test_versions_are_counted_in_each_community(household):
    assert [published(household, before=text).number for text in ("one", "two")] == [1, 2]
    assert published(household, "rita").number == 1
    assert [row.before for row in UsagePolicy.objects.filter(community=household.family)] == ["two", "one"]


def test_a_version_keeps_its_rules_in_both_languages_as_they_were(household, monkeypatch):
    level(household, "luca", "explorer")
    policy = published(household)
    before = {language: lines(policy, language) for language in ("en", "it")}
    assert set(before["en"]) == {"everybody", "bound", "starter", "explorer"}
    assert before["it"]["everybody"] == [
        "Scrivi solo con i tuoi indirizzi: una lettera a nome di altri viene rifiutata."
    ]
    level(household, "luca", "trusted")
    monkeypatch.setattr(sentences, "OWN_NAME", "Now otherwise")
    stored = UsagePolicy.objects.get()
    assert {language: lines(stored, language) for language in ("en", "it")} == before
    assert "trusted" in lines(published(household, before="next"))


def test_who_publishes_has_read_it(household):
    policy = published(household)
    assert [row.user for row in policy.acknowledgements.all()] == [household.people["anna"]]
    assert policy.by == "anna@myfamily.net"


@pytest.mark.parametrize("who", ["emma", "luca", "olivia", "rita"])
def test_only_who_stands_above_writes(household, who):
    with pytest.raises(PermissionDenied), wishes(household.people[who], "test"):
        publishing.publish(household.people[who], household.family, "x", "")


def test_an_administrator_has_no_part_by_being_one(household):
    with wishes("test", "test"):
        household.person("sara", administrator=True)
    sara = household.people["sara"]
    for community in (household.family, household.business):
        assert not publishing.may_write(sara, community)
    assert [row.name for row in publishing.communities_of(sara)] == ["Fioretti business"]


def test_the_same_again_is_no_version(household):
    published(household)
    with pytest.raises(ValidationError, match="Version 1 says the same already"):
        published(household)
    level(household, "luca", "trusted")
    assert published(household).number == 2


def test_hostile_text_is_refused_or_kept_as_text(household):
    for text in ("a\u202eb", "x" * 5001, "y" * 100_000, "a\x00b", "a\u2028b"):
        with pytest.raises(ValidationError) as refused:
            published(household, before=text)
        assert "before" in refused.value.error_dict
    evil = "<script>alert(1)</script>\n\n%(x)s {{ 7|add:7 }}"
    assert published(household, before=evil + "\r\n", after="y" * 5000).before == evil


def test_what_is_published_is_never_changed_or_taken_away(household):
    policy = published(household)
    policy.before = "other"
    with pytest.raises(ValidationError, match="stays as it is"), wishes("anna@myfamily.net", "test"):
        policy.save()
    with pytest.raises(ValidationError, match="stays"), wishes("anna@myfamily.net", "test"):
        policy.acknowledgements.get().delete()
    with pytest.raises(ValidationError, match="stays"), wishes("anna@myfamily.net", "test"):
        policy.refreshed().delete()
    assert UsagePolicy.objects.get().before == "Ciao"
    assert Acknowledgement.objects.count() == 1


def test_nobody_reads_for_another(household):
    policy = published(household)
    with pytest.raises(ValidationError, match="somebody else"), wishes(household.people["anna"], "test"):
        publishing.acknowledge(household.people["emma"], policy)
    with pytest.raises(PermissionDenied), wishes(household.people["sara"], "test"):
        publishing.acknowledge(household.people["sara"], policy)
    assert Acknowledgement.objects.count() == 1


def test_it_is_read_once_and_the_newest_only(household):
    first = published(household)
    read(household, "emma", first)
    when = Acknowledgement.objects.get(user=household.people["emma"]).when
    read(household, "emma", first)
    assert Acknowledgement.objects.get(user=household.people["emma"]).when == when
    second = published(household, before="two")
    with pytest.raises(ValidationError, match="newer version"):
        read(household, "luca", first)
    read(household, "emma", second)
    assert Acknowledgement.objects.filter(user=household.people["emma"]).count() == 2


def test_who_has_not_read_it_stands_first(household):
    policy = published(household)
    read(household, "luca", policy)
    found = [(one.person.name, one.when is not None) for one in publishing.readers(policy)]
    assert found == [("Emma", False), ("Marco", False), ("Anna", True), ("Luca", True)]
    with wishes("test", "test"):
        household.person("emma", active=False)
        household.person("luca", active=False)
    assert [one.person.name for one in publishing.readers(policy)] == ["Marco", "Anna", "Luca"]


def test_in_two_communities_there_are_two_policies(household):
    family, business = published(household), published(household, "rita")
    marco = household.people["marco"]
    read(household, "marco", family)
    found = {row.name: (row.newest, row.read) for row in publishing.communities_of(marco)}
    assert found == {"Fioretti business": (business.number, False), "Fioretti family": (1, True)}
    published(household, before="two")
    assert {row.read for row in publishing.communities_of(marco)} == {False}


def test_a_person_takes_along_that_she_has_read(household):
    policy = published(household, "rita")
    read(household, "ivo", policy)
    with wishes("test", "test"):
        household.aliases["team@mybusiness.com"].delete()
        delete_mailbox(household.mailboxes["ivo"])
        remove_person(household.people["ivo"])
    assert [row.user.name for row in policy.acknowledgements.all()] == ["Rita"]
    assert AuditEntry.objects.filter(kind="acknowledgement", after__isnull=True).exists()


def test_who_has_left_is_still_told_as_a_reader(household):
    policy = published(household, "rita")
    read(household, "ivo", policy)
    with wishes("test", "test"):
        household.people["ivo"].memberships.get().delete()
    assert [(one.person.name, one.here) for one in publishing.readers(policy) if one.when] == [
        ("Ivo", False),
        ("Rita", True),
    ]


def test_the_number_is_given_once(household):
    policy = published(household)
    policy.pk = None
    with pytest.raises(IntegrityError), transaction.atomic(), wishes("test", "test"):
        super(Wish, copy(policy)).save(force_insert=True)


def test_the_blocked_of_the_whole_family_are_told_and_no_names(household):
    with wishes("test", "test"):
        Contact(community=household.family, address="bully@outside.example", kind="blocked", direction="in").save()
        Contact(person=household.people["emma"], address="zia@outside.example", name="Zia").save()
    policy = published(household)
    assert "Letters from whoever is blocked on the list of the family do not reach you." in lines(policy)["bound"]
    assert not any("are refused" in line for line in lines(policy)["bound"])
    assert "example" not in str(policy.generated)


def test_a_file_restores_versions_and_who_read_them(household):
    policy = published(household, before="Ciao\n\n„x“", after="Fine")
    read(household, "emma", policy)
    published(household, before="two")
    text, before = dump(secrets=True), [row.values() for row in UsagePolicy.objects.all()]
    load("", "a test", prune=True)
    assert not UsagePolicy.objects.exists()
    load(text, "a test")
    assert [row.values() for row in UsagePolicy.objects.all()] == before
    assert Acknowledgement.objects.count() == 3
    assert dump(secrets=True) == text


def test_a_file_takes_no_version_and_no_reader_away(household):
    text = dump(secrets=True)
    policy = published(household)
    read(household, "emma", policy)
    assert load(text, "a test", prune=True).removed == []
    assert Acknowledgement.objects.count() == 2


USE = '[[community]]\nname = "Fioretti family"\ndomains = ["myfamily.net"]\n[[community.use]]\n'


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('number = 1\nbefore = "other"', r"\[\[community.use\]\] 1 \(1\), number: This version is published"),
        ('before = "x"', "number: is missing"),
        ("number = 0", "not the number of a version"),
        ("number = 1\ntext = 2", "is no key here"),
        ("number = 2\nrules = 7", "rules: The rules of a version"),
        ('number = 2\nbefore = "a\\u202eb"', "before: .*cannot be seen"),
        ("number = 2\nwhen = 2026-01-01", "when: .*not a moment"),
        ('number = 2\nread = ["x"]', "read: each names a person"),
        ('number = 2\nread = [{ person = "nobody@x.example" }]', r"\[\[read\]\] 1 .*nobody here"),
        ('number = 1\nread = [{ person = "anna@myfamily.net", when = 2020-01-01T00:00:00Z }]', "stays as it is"),
    ],
)
def test_a_file_is_refused_with_its_place(household, text, sentence):
    published(household)
    with pytest.raises(HouseholdError, match=sentence):
        load(USE + text, "a test")
    assert UsagePolicy.objects.count() == 1


def test_by_hand_a_file_needs_only_a_number(household):
    load(USE + 'number = 1\nbefore = "Ciao"', "a test")
    load(USE + 'number = 1\nbefore = "Ciao"', "a test")
    assert "starter" in lines(UsagePolicy.objects.get())


def test_who_comes_to_a_business_has_read_nothing(household):
    published(household, "rita")
    with wishes("test", "test"):
        join(household.people["anna"], household.business, "member")
    assert {row.name: row.read for row in publishing.communities_of(household.people["anna"])} == {
        "Fioretti business": False,
        "Fioretti family": False,
    }
