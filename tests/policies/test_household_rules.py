"""The household file and what mailboxes do with their letters: `[[mailbox.rule]]` and what a mailbox has once."""

import tomllib
from datetime import date
from typing import Any

import pytest
import tomli_w
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.models import AuditEntry, Wishes
from accounts.wishes import wishes
from policies import filters
from policies.household import HouseholdError, dump, load
from policies.models import Contact, FilterRule, Forwarding, Spam, Vacation
from tests.strategies import FOLDERS, TARGETS, filter_rules

MODELS = (FilterRule, Vacation, Spam, Forwarding)
HEAD = """
[[community]]
name = "Rossi"
domains = ["rossi.example"]
[[person]]
address = "ada@rossi.example"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person]]
address = "bo@rossi.example"
[[person.membership]]
community = "Rossi"
role = "protected"
[[mailbox]]
address = "ada@rossi.example"
"""
BO = HEAD + '[[mailbox]]\naddress = "bo@rossi.example"\n'
FLAG = '[[mailbox.rule]]\nthen = [{ action = "flag" }]\n'
READ = '[[mailbox.rule]]\nthen = [{ action = "mark-read" }]\n'


def rows() -> list[dict[str, Any]]:
    """What there is, in order; the numbers that make the order are nobody's business."""
    return [{**row.values(), "position": None} for model in MODELS for row in model.objects.all()]


def does() -> list[str]:
    return [row.then[0]["action"] for row in FilterRule.objects.all()]


def of_ada(rules: list[dict[str, Any]], once: dict[str, Any]) -> str:
    """The file in which Ada's mailbox does this."""
    table = {"address": "ada@rossi.example", **({"rule": rules} if rules else {}), **once}
    return tomli_w.dumps({**tomllib.loads(HEAD), "mailbox": [table]})


TEXTS = st.sampled_from(["Torno\n\npresto", "“Via”\t💛 %s", "x" * 5000, "\n Ciao \n"])
DAYS = st.lists(st.dates(date(2020, 1, 1), date(2040, 1, 1)), min_size=2, max_size=2).map(sorted)
VACATIONS = st.builds(
    lambda text, days, more: {"text": text, "from": days[0], "until": days[1], **more},
    TEXTS,
    DAYS,
    st.fixed_dictionaries({}, optional={"days": st.integers(1, 90), "subject": st.sampled_from(["Via", "", "é «x»"])}),
)
SPAMS = st.fixed_dictionaries(
    {"over": st.integers(1, 50)}, optional={"folder": FOLDERS, "tag": st.sampled_from(["", "[Spam]", "**"])}
)
FORWARDS = st.fixed_dictionaries({"to": st.lists(TARGETS, min_size=1, max_size=3)}, optional={"keep": st.booleans()})
RULES = st.builds(lambda rule, more: {**rule, **more}, filter_rules(), st.sampled_from([{}, {"active": False}]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(RULES, max_size=5),
    st.fixed_dictionaries({}, optional={"vacation": VACATIONS, "spam": SPAMS, "forward": FORWARDS}),
)
def test_dump_then_load_is_the_identity(db, rules, once):
    load(of_ada(rules, once), "a test", prune=True)
    before, text, generation = rows(), dump(), Wishes.current()
    assert len(before) == len(rules) + len(once)
    report = load(text, "a test", prune=True)
    assert (report.created, report.changed, report.removed, Wishes.current()) == ([], [], [], generation)
    load("", "a test", prune=True)
    assert rows() == []
    load(text, "a test")
    assert rows() == before
    assert dump() == text


def test_a_file_without_keys_can_be_loaded_twice(db):
    load(HEAD + FLAG + READ + FLAG, "a test")
    before = rows()
    assert load(HEAD + FLAG + READ + FLAG, "a test").changed == []
    assert rows() == before
    assert does() == ["flag", "mark-read", "flag"]


def test_the_order_of_the_file_is_the_order_of_the_rules(db):
    load(HEAD + FLAG + READ, "a test")
    keys = {row.key for row in FilterRule.objects.all()}
    load(HEAD + READ + FLAG, "a test")
    assert does() == ["mark-read", "flag"]
    assert {row.key for row in FilterRule.objects.all()} == keys


def test_only_prune_removes_what_the_file_does_not_name(db):
    load(HEAD + FLAG + READ + "[mailbox.spam]\nover = 8\n", "a test")
    assert load(HEAD + READ, "a test", prune=False).removed == []
    assert load(HEAD, "a test").removed == []
    assert len(rows()) == 3
    removed = load(HEAD + READ, "a test", prune=True).removed
    assert [label.split()[0] for label in removed] == ["filterrule", "spam"]
    assert does() == ["mark-read"]


def test_a_rule_is_changed_by_its_key(db):
    load(HEAD + FLAG.replace("then", 'key = "00000000000000aa"\nthen'), "a test")
    report = load(HEAD + READ.replace("then", 'key = "00000000000000aa"\nthen'), "a test")
    assert report.changed == ["filterrule 00000000000000aa of ada@rossi.example"]
    assert does() == ["mark-read"]


def test_a_rule_without_a_key_is_not_one_that_the_file_names(db):
    load(HEAD + FLAG.replace("then", 'key = "00000000000000aa"\nthen'), "a test")
    load(HEAD + FLAG + FLAG.replace("then", 'key = "00000000000000aa"\nthen'), "a test")
    first, second = FilterRule.objects.all()
    assert first.key != second.key == "00000000000000aa"


def test_a_forward_that_is_barred_since_is_dumped_so_that_it_loads(db):
    """Bo may write to his aunt no more: the rule stays, the mail host leaves the forward out."""
    aunt = '[[person.contact]]\naddress = "zia@outside.example"\n[[mailbox]]\naddress = "ada'
    forward = '[mailbox.forward]\nto = ["zia@outside.example"]\n'
    rule = '[[mailbox.rule]]\nthen = [{ action = "forward", to = "zia@outside.example" }]\n'
    load(BO.replace('[[mailbox]]\naddress = "ada', aunt) + rule + forward, "a test")
    assert "barred" not in dump()
    with wishes("a test", "test"):
        Contact.objects.get().delete()
    before, text = rows(), dump()
    assert text.count("barred = true") == 2
    load("", "a test", prune=True)
    with pytest.raises(HouseholdError, match="may not write"):
        load(text.replace("barred = true", ""), "a test")
    load(text, "a test")
    assert rows() == before
    assert dump() == text


def test_the_same_address_as_something_else_gets_nobodys_letters(db):
    """While a file is loaded, an address may go and come back as another's: what the file says of it holds."""
    bo = '[mailbox.forward]\nto = ["ada@rossi.example"]\n'
    load(BO + bo, "a test")
    load(BO.replace('[[mailbox]]\naddress = "ada@rossi.example"\n', ""), "a test", prune=True)
    assert rows() == []
    assert AuditEntry.objects.filter(kind="forwarding").latest("pk").after is None


MAILBOX = r"\[\[mailbox\]\] 1 \(ada@rossi.example\), "
RULE = MAILBOX + r"\[\[mailbox.rule\]\] 1 \(no key\), "
REFUSED = {
    "no action": ("[[mailbox.rule]]\n", RULE + "then: The rule does nothing"),
    "an unknown key": (FLAG + "regex = true\n", RULE + "regex: is no key here"),
    "an unknown field": (
        '[[mailbox.rule]]\nwhen = [{ field = "moon", op = "is", value = "x" }]\n',
        RULE + "when: “moon”",
    ),
    "a regular expression": (
        '[[mailbox.rule]]\nwhen = [{ field = "subject", op = "matches", value = "x" }]\n',
        RULE + "when: “matches” is not one of: contains, is",
    ),
    "an unknown part of a condition": (
        FLAG + 'when = [{ field = "subject", op = "is", value = "x", case = true }]\n',
        RULE + "when: “case”",
    ),
    "an unknown action": ('[[mailbox.rule]]\nthen = [{ action = "pipe", to = "sh" }]\n', RULE + "then: “pipe”"),
    "a folder with dots": (
        '[[mailbox.rule]]\nthen = [{ action = "file", folder = "../x" }]\n',
        RULE + "then: “../x” cannot be a folder",
    ),
    "no list": ("[[mailbox.rule]]\nthen = 3\n", RULE + "then: The actions of a rule are a list"),
    "conditions in a table": (FLAG + 'when = { field = "subject" }\n', RULE + "when: The conditions of a rule are a"),
    "text for yes or no": (FLAG + 'active = "no"\n', RULE + "active: “no” is neither"),
    "a match that is none": (FLAG + 'match = "none"\n', RULE + "match: “none”"),
    "a key that is none": (FLAG + 'key = "x"\n', r"\[\[mailbox.rule\]\] 1 \(x\), key: “x” is not"),
    "a list for a key": (FLAG + "key = []\n", r"key: “\[\]” is not"),
    "a key twice": (
        (FLAG + 'key = "00000000000000aa"\n') * 2,
        r"\[\[mailbox.rule\]\] 2 \(00000000000000aa\), .*file twice",
    ),
    "a key of another mailbox": (
        FLAG
        + 'key = "00000000000000aa"\n[[mailbox]]\naddress = "bo@rossi.example"\n'
        + FLAG
        + 'key = "00000000000000aa"\n',
        r"\[\[mailbox\]\] 2 \(bo@rossi.example\), \[\[mailbox.rule\]\] 1 \(0.*aa\), .*here already",
    ),
    "single brackets": ('[mailbox.rule]\nthen = [{ action = "flag" }]\n', MAILBOX + r"\[\[mailbox.rule\]\] must be"),
    "double brackets": ("[[mailbox.spam]]\nover = 5\n", MAILBOX + r"\[mailbox.spam\]: must be written with single"),
    "a forward to itself": (
        '[[mailbox.rule]]\nthen = [{ action = "forward", to = "ada+x@rossi.example" }]\n',
        RULE + "then: ada@rossi.example is this mailbox itself",
    ),
    "a forward to nobody": (
        '[mailbox.forward]\nto = ["no@rossi.example"]\n',
        MAILBOX + r"\[mailbox.forward\], to: no@rossi.example is not",
    ),
    "a circle of two": (
        '[mailbox.forward]\nto = ["bo@rossi.example"]\n[[mailbox]]\naddress = "bo@rossi.example"\n'
        '[[mailbox.rule]]\nthen = [{ action = "forward", to = "ada@rossi.example" }]\n',
        "circle: ada@rossi.example → bo@rossi.example → ada@rossi.example",
    ),
    "a circle through an alias": (
        '[mailbox.forward]\nto = ["x@rossi.example"]\n'
        '[[alias]]\naddress = "x@rossi.example"\nto = ["ada@rossi.example"]\n',
        MAILBOX + r"\[mailbox.forward\], to: .*circle: ada@rossi.example → x@rossi.example → ada@rossi.example",
    ),
    "a stranger for a child": (
        '[[mailbox]]\naddress = "bo@rossi.example"\n[mailbox.forward]\nto = ["x@outside.example"]\n',
        r"\[\[mailbox\]\] 2 \(bo@rossi.example\), \[mailbox.forward\], to: bo may not write to x@outside.example",
    ),
    "no points": ("[mailbox.spam]\n", MAILBOX + r"\[mailbox.spam\], over: is missing"),
    "a folder that is none": (
        '[mailbox.spam]\nover = 5\nfolder = "INBOX"\n',
        r"\[mailbox.spam\], folder: The inbox is",
    ),
    "an unknown key of spam": ("[mailbox.spam]\nover = 5\nunder = 3\n", r"\[mailbox.spam\], under: is no key"),
    "no text": ("[mailbox.vacation]\nfrom = 2026-01-01\nuntil = 2026-01-02\n", r"vacation\], text: is missing"),
    "away backwards": (
        '[mailbox.vacation]\ntext = "x"\nfrom = 2026-01-03\nuntil = 2026-01-02\n',
        MAILBOX + r"\[mailbox.vacation\], until: The last day is before",
    ),
    "no date": ('[mailbox.vacation]\ntext = "x"\nfrom = "soon"\nuntil = 2026-01-02\n', r"vacation\], from: “soon”"),
    "a forward to no one": ("[mailbox.forward]\nto = []\n", r"forward\], to: The forwarding leads nowhere"),
    "a forward to a pipe": ('[mailbox.forward]\nto = ["|sh"]\n', r"forward\], to: “.sh” is not an address"),
    "barred without a reason": (FLAG + "barred = 1\n", RULE + "barred: “1” is neither"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_its_place_and_changes_nothing(db, case):
    load(BO, "a test")
    generation = Wishes.current()
    text, said = REFUSED[case]
    with pytest.raises(HouseholdError, match=said) as refused:
        load(HEAD + text, "a test")
    assert "\n" not in str(refused.value)
    assert rows() == []
    assert Wishes.current() == generation


def test_one_rule_too_many_is_refused(db, monkeypatch):
    monkeypatch.setattr(filters, "MOST_RULES", 3)
    load(HEAD + FLAG * 3, "a test")
    with pytest.raises(HouseholdError, match=r"mailbox.rule.*when: ada@rossi.example would have more than 3 rules"):
        load(HEAD + FLAG * 4, "a test")


def test_words_in_the_text_are_looked_for_as_many_as_the_filter_can(db):
    rule = 'when = [{{ field = "body", op = "contains", value = "word {0}" }}]\n'
    texts = [FLAG + rule.format(number) for number in range(41)]
    load(HEAD + "".join(texts[:40]), "a test")
    with pytest.raises(HouseholdError, match="look for more than 40 words"):
        load(HEAD + "".join(texts), "a test")


def test_a_dump_asks_no_more_for_more_mailboxes(db):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            dump()
        return len(captured)

    one = '[[mailbox]]\naddress = "x%d@rossi.example"\npeople = ["bo@rossi.example"]\n' + FLAG
    one += '[mailbox.forward]\nto = ["ada@rossi.example"]\n[mailbox.spam]\nover = 6\n'
    load(HEAD + one % 0, "a test")
    before = queries()
    load("".join(one % number for number in range(1, 12)), "a test")
    assert FilterRule.objects.count() == 12
    assert queries() == before
