"""The one way to write: nothing else writes, every change leaves its trace, and one generation says so."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from accounts.models import AuditEntry, Community, Membership, User, Wishes
from accounts.wishes import OutsideWishes, Wish, WishQuerySet, wishes, wishes_changed
from policies.household import load
from policies.models import Answer, HeldLetter

# Rows of these apps that are no wishes, each with its reason.
NO_WISHES = {
    "Wishes": "the generation itself",
    "AuditEntry": "the trace itself",
    "HeldLetter": "what lies on the mail host, as its agent sees it",
    "Question": "what such a letter asks",
    "Decision": "what the mail host decided",
    "Notice": "a letter that was sent",
    "Reply": "an answer that was sent",
    "RuleAct": "what a rule did",
}
HOUSEHOLD = """
[[community]]
name = "Rossi"
domains = ["rossi.example"]
[[community.use]]
number = 1
read = [{ person = "ada@rossi.example" }]
[[person]]
address = "ada@rossi.example"
name = "Ada"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person.contact]]
address = "zio@outside.example"
[[mailbox]]
address = "ada@rossi.example"
[[mailbox.rule]]
then = [{ action = "flag" }]
[mailbox.vacation]
text = "Away"
from = 2026-12-24
until = 2027-01-02
[mailbox.spam]
over = 8
[mailbox.forward]
to = ["ada@outside.example"]
[[alias]]
address = "mamma@rossi.example"
to = ["ada@rossi.example"]
"""


def wish_models() -> list[type[models.Model]]:
    labels = ("accounts", "domains", "policies")
    found = [model for label in labels for model in apps.get_app_config(label).get_models(include_auto_created=True)]
    return [model for model in found if model.__name__ not in NO_WISHES]


def test_every_model_of_these_apps_is_a_wish():
    assert {model.__name__ for model in wish_models()} >= {
        "Community", "User", "Membership", "Domain", "Mailbox", "MailboxPerson", "Alias", "Contact", "Answer",
    }  # fmt: skip
    for model in wish_models():
        assert issubclass(model, Wish), model
        for manager in (model._default_manager, model._base_manager):
            assert isinstance(manager.get_queryset(), WishQuerySet), model


def answered() -> None:
    """Somebody answers a letter that is held."""
    now = datetime.now(UTC)
    letter = HeldLetter.objects.create(host="primary", direction="in", key="0" * 16, name="x", arrived=now)
    with wishes("Ada", "test"):
        Answer(question=letter.questions.create(address="zio@outside.example"), choice="no").save()


@pytest.mark.parametrize("model", wish_models(), ids=lambda model: model.__name__)
def test_no_row_is_written_outside(db, model):
    load(HOUSEHOLD, "a test")
    answered()
    row = model._default_manager.first()
    assert row is not None
    attempts: list[Any] = [
        row.save,
        row.delete,
        lambda: row.save(update_fields=["last_login", "password"]),
        lambda: model._default_manager.update(pk=1),
        model._default_manager.all().delete,
        lambda: model._base_manager.filter(pk=row.pk).delete(),
        lambda: model._default_manager.bulk_create([row]),
        lambda: model._default_manager.bulk_update([row], ["id"]),
        model._default_manager.create,
    ]
    for attempt in attempts:
        with pytest.raises(OutsideWishes):
            attempt()


def test_people_of_a_mailbox_are_not_written_behind_the_back(db):
    load(HOUSEHOLD, "a test")
    ada = User.objects.get()
    for attempt in (ada.mailboxes.clear, lambda: ada.communities.set([])):
        with pytest.raises(OutsideWishes), wishes("a test", "test"):
            attempt()
    assert ada.mailboxes.exists()


def test_every_model_leaves_its_trace_through_the_file(db):
    load(HOUSEHOLD, "Marco")
    kinds = set(AuditEntry.objects.values_list("kind", flat=True))
    assert kinds == {model._meta.model_name for model in wish_models()} - {"answer"}  # no file answers letters
    assert set(AuditEntry.objects.values_list("who", "door", "generation")) == {("Marco", "load", 1)}


def test_one_block_is_one_generation_and_one_signal(db, django_capture_on_commit_callbacks):
    heard: list[int] = []

    def listener(generation: int, **_kwargs: object) -> None:
        heard.append(generation)

    wishes_changed.connect(listener)
    with django_capture_on_commit_callbacks(execute=True), wishes("Marco", "test"):
        for name in ("Rossi", "Verdi"):
            with wishes("nobody", "inner"):
                Community(name=name).save()
    assert heard == [1]
    assert Wishes.current() == 1
    assert {entry.who for entry in AuditEntry.objects.all()} == {"Marco"}


def test_what_changes_nothing_counts_nothing(db):
    load(HOUSEHOLD, "Marco")
    with wishes("Marco", "test"):
        for person in User.objects.all():
            person.save()
    assert Wishes.current() == 1


def test_what_fails_leaves_nothing(db):
    def fail() -> None:
        with wishes("Marco", "test"):
            Community(name="Rossi").save()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (Community.objects.count(), AuditEntry.objects.count(), Wishes.current()) == (0, 0, 0)


def test_the_trace_has_before_and_after_and_no_secret(db):
    load(HOUSEHOLD, "Marco")
    ada = User.objects.get()
    ada.set_password("una parola lunga")
    ada.name = "Ada Rossi"
    with wishes(ada, "panel"):
        ada.save()
    entry = AuditEntry.objects.latest("pk")
    assert (entry.who, entry.what) == ("ada@rossi.example", "ada@rossi.example")
    assert entry.before == {"name": "Ada", "password": "•••"}
    assert entry.after == {"name": "Ada Rossi", "password": "•••"}
    assert not any("argon2" in str(row.before) + str(row.after) for row in AuditEntry.objects.all())


def test_the_trace_is_a_chain(db):
    load(HOUSEHOLD, "Marco")
    previous = ""
    for entry in AuditEntry.objects.order_by("pk"):
        assert entry.digest == entry.sealed(previous)
        previous = entry.digest
    entry.who = "somebody else"
    assert entry.digest != entry.sealed(previous)


def test_the_trace_is_never_rewritten(db):
    load(HOUSEHOLD, "Marco")
    entry = AuditEntry.objects.latest("pk")
    for attempt in (entry.save, entry.delete):
        with pytest.raises(OutsideWishes):
            attempt()


def test_the_database_says_no_where_no_door_did(db):
    load(HOUSEHOLD, "Marco")
    membership = Membership.objects.get()
    again = Membership(community=membership.community, user=membership.user, role="guardian")
    with pytest.raises(IntegrityError), transaction.atomic(), wishes("Marco", "test"):
        super(Wish, again).save()
