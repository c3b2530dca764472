"""Back to what was wished before: wishes come back, passwords, suspensions and blocks never do."""

from typing import Any

import pytest

from accounts.models import AuditEntry, User, Wishes
from accounts.passwords import UNUSABLE
from accounts.rules import Refused
from accounts.wishes import wishes
from domains.models import Alias, Mailbox
from domains.services import delete_mailbox
from policies.household import HouseholdError, dump, rehearse, undo
from policies.household.undo import Stale
from policies.models import Acknowledgement, Contact, FilterRule
from tests.household import Household, hashed
from tests.policies.uses import published, read

EMMA = "emma@myfamily.net"


class Then:
    """The wishes of a moment, and the way back to them."""

    def __init__(self, house: Household) -> None:
        self.house, self.text, self.generation = house, dump(), Wishes.current()

    @property
    def marco(self) -> User:
        found: User = User.objects.get(address="marco@myfamily.net")
        return found

    def back(self) -> Any:
        would = rehearse(self.text, self.generation, self.marco)
        done = undo(self.text, self.generation, self.marco, would.shown)
        assert [(e.kind, e.what) for e in would.entries] == [(e.kind, e.what) for e in done.entries]
        return done


@pytest.fixture
def then(household: Household) -> Then:
    with wishes("test", "test"):
        emma = household.people["emma"]
        Contact(person=emma, address="nonna.rosa@gmail.com").save()
        FilterRule(
            mailbox=household.mailboxes["emma"], position=1, then=[{"action": "file", "folder": "Scuola"}]
        ).save()
    return Then(household)


def change(row: Any, **values: Any) -> None:
    row = row.refreshed()
    for name, value in values.items():
        setattr(row, name, value)
    with wishes("test", "test"):
        row.save()


def lose_emma(house: Household) -> None:
    with wishes("test", "test"):
        delete_mailbox(house.mailboxes["emma"].refreshed(), with_people=True)


def test_a_mailbox_comes_back_with_its_key_its_list_its_rules_and_no_password(then: Then) -> None:
    key = then.house.mailboxes["emma"].key
    lose_emma(then.house)
    assert not User.objects.filter(address=EMMA).exists()
    done = then.back()
    emma = User.objects.get(address=EMMA)
    assert Mailbox.objects.get(address=EMMA).key == key
    assert emma.password == UNUSABLE
    assert [person.address for person in done.without_password] == [EMMA]
    assert Contact.objects.get(person=emma).address == "nonna.rosa@gmail.com"
    assert FilterRule.objects.get(mailbox__address=EMMA).then == [{"action": "file", "folder": "Scuola"}]
    assert EMMA in Alias.objects.get(address="kids@myfamily.net").targets
    assert dump() == then.text


def test_a_rehearsal_leaves_nothing(then: Then) -> None:
    lose_emma(then.house)
    before, entries, generation = dump(secrets=True), AuditEntry.objects.count(), Wishes.current()
    would = rehearse(then.text, then.generation, then.marco)
    assert ("mailbox", EMMA) in [(entry.kind, entry.what) for entry in would.entries]
    assert (dump(secrets=True), AuditEntry.objects.count(), Wishes.current()) == (before, entries, generation)


def test_passwords_stay_the_newest(then: Then) -> None:
    new = hashed()[:-4] + "AAAA"
    change(then.house.people["luca"], password=new, name="Luca Maria")
    then.back()
    luca = User.objects.get(address="luca@myfamily.net")
    assert (luca.name, luca.password) == ("Luca", new)


def test_who_and_what_is_suspended_now_stays_so(then: Then) -> None:
    change(then.house.people["luca"], active=False)
    change(then.house.mailboxes["info"], active=False)
    change(then.house.mailboxes["gino"], quota=0)
    then.back()
    assert not User.objects.get(address="luca@myfamily.net").active
    assert not Mailbox.objects.get(address="info@mybusiness.com").active
    assert Mailbox.objects.get(address="gino@mybusiness.com").quota


def test_what_was_suspended_when_it_was_deleted_comes_back_suspended(then: Then) -> None:
    change(then.house.mailboxes["emma"], active=False)
    change(then.house.people["emma"], active=False)
    lose_emma(then.house)
    then.back()
    assert not Mailbox.objects.get(address=EMMA).active
    assert not User.objects.get(address=EMMA).active


def test_who_is_blocked_now_stays_so(then: Then) -> None:
    emma = then.house.people["emma"]
    change(Contact.objects.get(person=emma), kind="blocked")
    with wishes("test", "test"):
        Contact(person=emma, address="bullo@x.example", kind="blocked").save()
        Contact(community=then.house.family, address="@spam.example", kind="blocked").save()
        Contact(person=emma, address="amica@x.example").save()
    then.back()
    rows = Contact.objects.order_by("address").values_list("address", "kind")
    assert list(rows) == [
        ("@spam.example", "blocked"), ("bullo@x.example", "blocked"), ("nonna.rosa@gmail.com", "blocked"),
    ]  # fmt: skip


def test_a_block_that_went_with_its_person_comes_back_with_her(then: Then) -> None:
    with wishes("test", "test"):
        Contact(person=then.house.people["emma"], address="bullo@x.example", kind="blocked").save()
    lose_emma(then.house)
    then.back()
    assert Contact.objects.get(address="bullo@x.example").kind == "blocked"


def test_nobody_opens_the_letters_of_who_had_the_address_before(then: Then) -> None:
    """Another Emma has the address now. Going back gives the mailbox its old folder: her password must not open it."""
    key = then.house.mailboxes["emma"].key
    lose_emma(then.house)
    with wishes("test", "test"):
        then.house.settle("emma", then.house.home, "protected")
    assert Mailbox.objects.get(address=EMMA).key != key
    done = then.back()
    assert Mailbox.objects.get(address=EMMA).key == key
    assert User.objects.get(address=EMMA).password == UNUSABLE
    assert [person.address for person in done.without_password] == [EMMA]


def test_who_came_back_and_has_a_new_password_keeps_it(then: Then) -> None:
    lose_emma(then.house)
    then.back()
    change(User.objects.get(address=EMMA), password=hashed())
    change(then.house.people["luca"], name="L")
    then.back()
    assert User.objects.get(address=EMMA).password == hashed()


def test_somebody_who_moved_to_another_address_leaves_no_password_at_the_old_one(then: Then) -> None:
    """Luca signs in with what was Emma's address meanwhile."""
    lose_emma(then.house)
    change(then.house.people["luca"], address=EMMA)
    then.back()
    assert User.objects.get(address=EMMA).password == UNUSABLE
    assert User.objects.get(address="luca@myfamily.net").password == UNUSABLE


def test_undo_is_a_generation_like_any_other_and_can_be_undone(then: Then) -> None:
    lose_emma(then.house)
    without = Then(then.house)
    then.back()
    assert Wishes.current() == without.generation + 1
    assert set(AuditEntry.objects.filter(generation=Wishes.current()).values_list("who", "door")) == {
        ("marco@myfamily.net", "undo")
    }
    without.back()
    assert not Mailbox.objects.filter(address=EMMA).exists()
    assert dump() == without.text


def test_it_acts_only_over_what_was_shown(then: Then) -> None:
    lose_emma(then.house)
    shown = Wishes.current()
    change(then.house.people["luca"], name="L")
    before = dump(secrets=True)
    with pytest.raises(Stale):
        undo(then.text, then.generation, then.marco, shown)
    assert dump(secrets=True) == before


def test_nothing_to_change_makes_no_generation(then: Then) -> None:
    assert rehearse(then.text, then.generation, then.marco).entries == []
    assert then.back().entries == []
    assert Wishes.current() == then.generation


def test_nobody_undoes_away_her_own_rights(then: Then) -> None:
    change(then.house.people["anna"], administrator=True)
    anna = User.objects.get(address="anna@myfamily.net")
    with pytest.raises(Refused, match="no administrator then"):
        undo(then.text, then.generation, anna, Wishes.current())
    assert User.objects.get(pk=anna.pk).administrator


@pytest.mark.parametrize("text", ["x = [", "[[animal]]\nname = 'x'\n"])
def test_a_text_that_cannot_be_loaded_is_refused(then: Then, text: str) -> None:
    before = dump(secrets=True)
    with pytest.raises(HouseholdError):
        undo(text, then.generation, then.marco, Wishes.current())
    assert dump(secrets=True) == before


def test_what_others_have_read_comes_back_with_a_community(household: Household) -> None:
    """The rules for using mail that were published, and who has read them, are not lost with an undo."""
    read(household, "emma", published(household))
    then = Then(household)
    change(household.family, name="Casa Fioretti")
    then.back()
    assert Acknowledgement.objects.filter(policy__community__name="Fioretti family", user__address=EMMA).exists()


def test_who_got_another_address_since_stays_suspended_and_blocked(household: Household) -> None:
    text, generation = dump(), Wishes.current()
    emma = User.objects.get(address="emma@myfamily.net")
    with wishes("anna@myfamily.net", "test"):
        emma.active = False
        emma.save()
        Contact(person=emma, address="evil@outside.example", kind=Contact.Kind.BLOCKED).save()
    for address in ("emma.two@myfamily.net", "emma.three@myfamily.net"):
        with wishes("marco@myfamily.net", "test"):
            emma.address = address
            emma.save()
    undo(text, generation, User.objects.get(address="marco@myfamily.net"), Wishes.current())
    back = User.objects.get(address="emma@myfamily.net")
    assert not back.active
    assert Contact.objects.filter(person=back, address="evil@outside.example", kind=Contact.Kind.BLOCKED).exists()


def test_whom_a_community_of_another_name_blocks_stays_blocked(then: Then) -> None:
    with wishes("test", "test"):
        Contact(community=then.house.family, address="evil@outside.example", kind=Contact.Kind.BLOCKED).save()
    change(then.house.family, name="Casa Fioretti")
    then.back()
    assert Contact.objects.filter(
        community__name="Fioretti family", address="evil@outside.example", kind=Contact.Kind.BLOCKED
    ).exists()
