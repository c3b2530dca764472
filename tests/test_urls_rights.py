"""Every address of the panel, every method, every role: what POLICY.md's table says, as what a browser gets.

A new address without a row here fails. An object is one that the role manages (`own`), one of its community that it
does not manage (`above`), or one of another community (`foreign`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.wishes import AuditEntry, wishes
from policies.models import Contact, HeldLetter
from tests.household import Household
from tests.policies.letters import held

NAMES = {
    "administrator": "marco",
    "guardian": "anna",
    "protected": "emma",
    "owner": "olivia",
    "manager": "rita",
    "member": "sara",
}
METHODS, WHOSE = ("get", "post", "put", "patch", "delete"), ("own", "above", "foreign")
PEOPLE = {  # role -> whose things are its own, above it, foreign
    "administrator": ("luca", "anna", "gino"),
    "guardian": ("luca", "marco", "gino"),
    "protected": ("luca", "marco", "gino"),
    "owner": ("gino", "oscar", "luca"),
    "manager": ("gino", "olivia", "luca"),
    "member": ("gino", "olivia", "luca"),
}
OK, IN, NO, GONE, ODD, BAD = 200, 302, 403, 404, 405, 422
MANAGERS = frozenset({"administrator", "guardian", "owner", "manager"})
EVERYBODY = frozenset(NAMES)
ADMINISTRATORS, NOBODY = frozenset({"administrator"}), frozenset[str]()


@dataclass(frozen=True)
class Row:
    """Who may look and who may send, and what the others get. `kind`: which object the address names."""

    looks: frozenset[str]
    sends: frozenset[str]
    kind: str = ""
    others: int = NO  # what a signed-in role gets that has no part in it
    above_looks: frozenset[str] = NOBODY  # who may look at what stands above her
    send: dict[str, str] = field(default_factory=dict)
    sent: int = BAD  # the answer to `send` from somebody who may


TABLE: dict[str, Row] = {
    "home": Row(EVERYBODY, NOBODY),
    "me": Row(EVERYBODY, EVERYBODY, send={"language": "xx"}),
    "me-password": Row(EVERYBODY, EVERYBODY),
    "keys": Row(EVERYBODY, NOBODY),
    "deploy-state": Row(EVERYBODY, NOBODY, kind="generation"),
    "person-list": Row(MANAGERS, NOBODY),
    "person-add": Row(MANAGERS, MANAGERS),
    "person-show": Row(MANAGERS, NOBODY, "person", GONE, above_looks=MANAGERS),
    "person-addresses": Row(MANAGERS, NOBODY, "person", GONE, above_looks=MANAGERS),
    "person-edit": Row(MANAGERS, MANAGERS, "person", GONE),
    "person-password": Row(MANAGERS, MANAGERS, "person", GONE),
    "person-disable": Row(NOBODY, MANAGERS, "person", GONE, sent=IN),
    "person-enable": Row(NOBODY, MANAGERS, "person", GONE, sent=IN),
    "person-role": Row(MANAGERS, MANAGERS, "person", GONE),
    "person-leave": Row(NOBODY, ADMINISTRATORS, "membership", sent=IN),
    "person-delete": Row(MANAGERS, MANAGERS, "person", GONE, sent=BAD),  # there are mailboxes yet
    "community-list": Row(ADMINISTRATORS, NOBODY),
    "community-add": Row(ADMINISTRATORS, ADMINISTRATORS),
    "community-edit": Row(ADMINISTRATORS, ADMINISTRATORS, "community"),
    "domain-list": Row(ADMINISTRATORS, NOBODY),
    "domain-add": Row(ADMINISTRATORS, ADMINISTRATORS),
    "domain-show": Row(ADMINISTRATORS, NOBODY, "domain"),
    "domain-delete": Row(ADMINISTRATORS, ADMINISTRATORS, "domain"),
    "mailbox-list": Row(MANAGERS, NOBODY),
    "mailbox-add": Row(MANAGERS, MANAGERS),
    "people-found": Row(MANAGERS, NOBODY),
    "mailbox-edit": Row(MANAGERS, MANAGERS, "mailbox", GONE, above_looks=MANAGERS),
    "mailbox-password": Row(MANAGERS, MANAGERS, "mailbox", GONE),
    "mailbox-suspend": Row(NOBODY, MANAGERS, "mailbox", GONE, sent=IN),
    "mailbox-resume": Row(NOBODY, MANAGERS, "mailbox", GONE, sent=IN),
    "mailbox-delete": Row(MANAGERS, MANAGERS, "mailbox", GONE),
    "alias-list": Row(MANAGERS, NOBODY),
    "alias-add": Row(MANAGERS, MANAGERS),
    "alias-edit": Row(MANAGERS, MANAGERS, "alias", GONE, above_looks=MANAGERS),
    "alias-delete": Row(MANAGERS, MANAGERS, "alias", GONE, sent=IN),
    "audit-list": Row(frozenset({"administrator", "guardian", "owner"}), NOBODY),
    "report-host": Row(ADMINISTRATORS, NOBODY),
    "letter-trace": Row(EVERYBODY, NOBODY),
    "drift-list": Row(ADMINISTRATORS, NOBODY),
    "queue-show": Row(ADMINISTRATORS, NOBODY),
    "queue-ask": Row(NOBODY, ADMINISTRATORS, sent=IN),
    "queue-retry": Row(NOBODY, ADMINISTRATORS, sent=IN),
    "usage-list": Row(EVERYBODY, NOBODY),
    "report-seen": Row(EVERYBODY, NOBODY),
    "report-stored": Row(EVERYBODY, NOBODY),
    "schedule-list": Row(EVERYBODY, NOBODY),
}
# Pages with rules of their own, tested in sentences below or in files of their own; doors are open to everybody.
DOORS, WAITING = {"setup", "sign-in", "sign-out"}, {"waiting-list": OK, "waiting-summary": OK, "waiting-silent": OK}
LETTERS = {"held-letter-show": (OK, ODD), "question-answer": (OK, BAD)}  # looked at, and sent nothing
LISTS = {
    "child-show": (OK, ODD), "child-level": (OK, BAD), "contact-list": (OK, ODD), "contact-add": (OK, BAD),
    "contact-paste": (OK, BAD), "contact-edit": (OK, BAD), "contact-block": (ODD, IN), "contact-remove": (ODD, IN),
    "contact-restore": (ODD, IN), "person-asleep": (OK, ODD),
}  # fmt: skip
FILING = {  # what a mailbox does with its letters: test_rights_filing.py
    "rule-list": (OK, ODD), "rule-add": (OK, BAD), "rule-edit": (OK, BAD), "rule-move": (ODD, BAD),
    "rule-switch": (ODD, IN), "rule-remove": (ODD, IN), "filing-restore": (ODD, IN), "vacation-edit": (OK, BAD),
    "spam-edit": (OK, BAD), "forwarding-edit": (OK, BAD), "vacation-remove": (ODD, IN), "spam-remove": (ODD, IN),
    "forwarding-remove": (ODD, IN), "mailbox-folders": (ODD, OK), "mailbox-folders-found": (OK, ODD),
}  # fmt: skip
USAGE = {  # the policy of a community: test_rights_usage.py
    "usage-show": (OK, ODD), "usage-version": (OK, ODD), "usage-acknowledge": (ODD, IN), "usage-write": (OK, OK),
}  # fmt: skip
OF_SOMEBODY = {"report-person", "letter-trace-person", "letter-list-person", "schedule-person"}
APART = DOORS.union(OF_SOMEBODY, WAITING, LETTERS, LISTS, FILING, USAGE)
APART |= {"report-community", "letter-list-community", "schedule-community", "letter-try", "letter-tried"}
APART |= {"host-confirm", "queue-found", "queue-acted", "queue-letter-retry", "queue-letter-remove", "schedule-stop"}
APART |= {"drift-take", "drift-keep", "drift-acted"}


def patterns(found: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    """Every pattern there is."""
    for pattern in found:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern.url_patterns)
        else:
            yield pattern


def names() -> set[str]:
    """The name of every address; an address without a name fails here."""
    everything = list(patterns(get_resolver().url_patterns))
    assert all(pattern.name for pattern in everything), "An address without a name."
    return {str(pattern.name) for pattern in everything}


def test_every_address_has_a_row() -> None:
    assert {name for name in names() if not name.startswith("changes-")} == set(TABLE) | APART  # test_changes_pages.py


def arguments(house: Household, kind: str, name: str) -> list[int]:
    """The address's numbers for an object of this person."""
    person = house.people[name]
    family = name in ("marco", "anna", "emma", "luca")
    return {
        "": [],
        "generation": [1],
        "person": [person.pk],
        "membership": [person.pk, person.memberships.get(community=house.family if family else house.business).pk]
        if kind == "membership"
        else [],
        "community": [(house.family if family else house.business).pk],
        "domain": [(house.home if family else house.work).pk],
        "mailbox": [house.mailboxes[name].pk],
        "alias": [house.aliases[f"about-{name}@{'myfamily.net' if family else 'mybusiness.com'}"].pk],
    }[kind]


@pytest.fixture
def everything(household: Household) -> Household:
    """The household with a second owner, and an alias for each person whose things are asked for."""
    with wishes("test", "test"):
        household.settle("oscar", household.work, "owner")
        for name in {name for three in PEOPLE.values() for name in three}:
            person = household.people[name]
            household.alias(f"about-{name}@{person.address.rpartition('@')[2]}", name)
    return household


def expected(row: Row, role: str, method: str, whose: str) -> int:
    """What the table says, for somebody who is signed in."""
    may = row.looks if method == "get" else row.sends
    if not may:
        return ODD
    apart = row.kind not in ("", "generation") and role != "administrator"
    if role not in may or (apart and whose == "foreign"):
        return row.others
    if apart and whose == "above":
        return OK if method == "get" and role in row.above_looks else NO
    return OK if method == "get" else row.sent


def ask(client: Client, method: str, url: str, sent: dict[str, str]) -> tuple[int, str]:
    """The status of an answer and where it leads; what it changed is undone."""
    with transaction.atomic():
        answer = getattr(client, method)(url, sent)
        transaction.set_rollback(True)
    return answer.status_code, answer.headers.get("Location", "")


@pytest.mark.parametrize("role", sorted(NAMES))
def test_it_answers_as_the_table_says(everything: Household, role: str) -> None:
    client, wrong = everything.client(NAMES[role]), []
    for address, row in sorted(TABLE.items()):
        for whose, name in zip(WHOSE, PEOPLE[role], strict=True):
            url = reverse(address, args=arguments(everything, row.kind, name))
            for method in ("get", "post"):
                status, _to = ask(client, method, url, row.send)
                if status != (wanted := expected(row, role, method, whose)):
                    wrong.append(f"{method} {url} ({whose}: {name}): {status}, not {wanted}")
            if not row.kind:
                break
    assert not wrong, "\n".join(wrong)


def test_whoever_is_not_signed_in_is_led_to_the_door(everything: Household) -> None:
    for address, row in sorted(TABLE.items()):
        url = reverse(address, args=arguments(everything, row.kind, "gino"))
        for method in METHODS:
            status, to = ask(Client(), method, url, row.send)
            assert (status, to.partition("?")[0]) == (302, "/sign-in/"), f"{method} {url}: {status} {to}"


def test_other_methods_do_nothing(everything: Household) -> None:
    client = everything.client("marco")
    for address, row in sorted(TABLE.items()):
        url = reverse(address, args=arguments(everything, row.kind, "luca"))
        for method in ("put", "patch", "delete"):
            assert ask(client, method, url, {})[0] == 405, f"{method} {url}"


def test_the_first_page_is_gone_once_there_is_somebody(household: Household) -> None:
    assert Client().get("/setup/")["Location"] == "/"
    assert Client().post("/setup/", {"name": "Eve"})["Location"] == "/"


def test_signing_out_is_sent_and_not_looked_at(household: Household) -> None:
    client = household.client("emma")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize("address", sorted(OF_SOMEBODY))
@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("emma", "emma", 200),
        ("anna", "emma", 200),
        ("marco", "emma", 200),  # as her guardian
        ("anna", "marco", 403),
        ("marco", "gino", 403),  # not as administrator
        ("rita", "gino", 403),
        ("luca", "emma", 404),
        ("anna", "gino", 404),
        ("gino", "emma", 404),
    ],
)
def test_figures_and_letters_are_for_oneself_and_the_parents(
    household: Household, address: str, who: str, whose: str, status: int
) -> None:
    url = reverse(address, args=[household.people[whose].pk])
    assert household.client(who).get(url, {"what": "sent"}).status_code == status


KEEPERS = {  # whose lists and letters -> who looks after them
    "emma": {"anna", "marco"},  # the parents; marco is an administrator too
    "luca": {"anna", "marco"},
    "gino": {"marco", "olivia", "oscar", "rita"},
    "anna": set(),  # a guardian has no level
}
VISITORS = ("anna", "marco", "emma", "luca", "olivia", "oscar", "rita", "sara", "gino", "ulla")


@pytest.fixture
def kept(everything: Household) -> Household:
    """A letter that waits for each of these, an entry on each list, and an administrator who is nobody's parent."""
    with wishes("test", "test"):
        everything.settle("ulla", everything.home, "guardian")
        everything.people["ulla"].memberships.get().refreshed().delete()
        everything.person("ulla", administrator=True)
        for name in KEEPERS:
            Contact(person=everything.people[name], address="zia@outside.example").save()
            held(everything.mailboxes[name], "strange@outside.example")
    return everything


def changed(house: Household, name: str) -> int:
    """The number of a change of the person's list that can be taken back."""
    row = Contact.objects.get(person=house.people[name])
    row.kind = Contact.Kind.BLOCKED
    with wishes("test", "test"):
        row.save()
    return AuditEntry.objects.latest("pk").pk


def own_arguments(house: Household, address: str, name: str) -> list[object]:
    """What stands in the address for this person's page, list, entry, letter or question."""
    person = house.people[name]
    letter = HeldLetter.objects.get(key=house.mailboxes[name].key)
    if address in LETTERS:
        return [letter.pk if address == "held-letter-show" else letter.questions.get().pk]
    if address == "child-level":
        return [person.pk, person.memberships.get().pk]
    if address in ("contact-edit", "contact-block", "contact-remove"):
        return [person, Contact.objects.get(person=person).pk]
    if address == "contact-restore":
        return [person, changed(house, name)]
    return [person.pk if address in ("child-show", "person-asleep") else person]


@pytest.mark.parametrize("who", VISITORS)
def test_lists_and_held_letters_are_there_for_who_looks_after_a_person(kept: Household, who: str) -> None:
    client, wrong = kept.client(who), []
    for address, statuses in {**LETTERS, **LISTS}.items():
        for name, keepers in KEEPERS.items():
            url = reverse(address, args=own_arguments(kept, address, name))
            for method, status in zip(("get", "post"), statuses, strict=True):
                wanted = status if who in keepers or status == ODD else GONE
                if (found := ask(client, method, url, {})[0]) != wanted:
                    wrong.append(f"{method} {url} ({name}): {found}, not {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", VISITORS)
def test_what_waits_is_there_for_who_looks_after_somebody(kept: Household, who: str) -> None:
    keeps = any(who in keepers for keepers in KEEPERS.values())
    client = kept.client(who)
    for address in WAITING:
        assert ask(client, "get", reverse(address), {})[0] == (OK if keeps else GONE), address
        assert ask(client, "post", reverse(address), {})[0] == ODD
    for name, keepers in KEEPERS.items():
        letter = HeldLetter.objects.get(key=kept.mailboxes[name].key)
        shown = keeps and f"/waiting/{letter.pk}/" in client.get("/waiting/").text
        assert shown == (who in keepers), name


@pytest.mark.parametrize(
    ("who", "family", "business"),
    [("anna", OK, GONE), ("marco", OK, OK), ("olivia", GONE, OK), ("rita", GONE, GONE), ("emma", GONE, GONE)],
)
def test_the_list_of_a_community_is_there_for_guardians_and_owners(
    kept: Household, who: str, family: int, business: int
) -> None:
    for community, wanted in ((kept.family, family), (kept.business, business)):
        for address in ("contact-list", "contact-add", "contact-paste"):
            assert ask(kept.client(who), "get", reverse(address, args=[community]), {})[0] == wanted


def test_nobody_reaches_lists_and_letters_without_signing_in(kept: Household) -> None:
    for address in (*WAITING, *LETTERS, *LISTS):
        url = reverse(address, args=[] if address in WAITING else own_arguments(kept, address, "emma"))
        for method in METHODS:
            status, to = ask(Client(), method, url, {})
            assert (status, to.partition("?")[0]) == (302, "/sign-in/"), f"{method} {url}"


@pytest.mark.parametrize("url", ["/waiting/0/", "/waiting/99999999999999999999/", "/waiting/questions/7777/"])
def test_a_letter_that_is_not_there_is_not_there(kept: Household, url: str) -> None:
    assert kept.client("anna").get(url).status_code == GONE
    assert kept.client("anna").post(url, {"choice": "once"}).status_code in (GONE, ODD)


@pytest.mark.parametrize("url", ["/family/0/", "/family/7777/people/", "/family/community/7777/people/"])
def test_a_list_that_is_not_there_is_not_there(kept: Household, url: str) -> None:
    assert kept.client("anna").get(url).status_code == GONE


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [
        ("anna", "emma", OK),
        ("marco", "luca", OK),
        ("marco", "gino", OK),  # as owner
        ("olivia", "gino", OK),
        ("rita", "sara", OK),
        ("anna", "marco", GONE),
        ("anna", "anna", GONE),
        ("olivia", "rita", GONE),  # no list binds her
        ("rita", "olivia", GONE),
        ("anna", "gino", GONE),
        ("olivia", "emma", GONE),
        ("emma", "emma", GONE),
        ("luca", "emma", GONE),
        ("sara", "gino", GONE),
    ],
)
def test_a_letter_is_tried_by_who_keeps_the_list(household: Household, who: str, whose: str, status: int) -> None:
    client, url = household.client(who), reverse("letter-try", args=[household.people[whose].pk])
    assert client.get(url).status_code == status
    assert client.post(url, {"kind": "in"}).status_code == (BAD if status == OK else GONE)
    assert client.get(f"{url}1/").status_code == GONE
    assert client.put(url).status_code == ODD
    assert client.post(f"{url}1/").status_code == ODD


def test_nobody_else_tries_letters(household: Household) -> None:
    with wishes("test", "test"):
        household.person("olivia", administrator=True)
    url = reverse("letter-try", args=[household.people["emma"].pk])
    assert household.client("olivia").get(url).status_code == GONE  # not as administrator
    for path in (url, f"{url}1/"):
        assert Client().get(path)["Location"].startswith("/sign-in/")
