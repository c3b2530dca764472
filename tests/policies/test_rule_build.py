"""One rule as a sentence: its words, its rows, what goes wrong in it, and how it reads before it is saved."""

import re

import pytest
from django.utils import translation

from accounts.models import AuditEntry
from accounts.wishes import Wishes, wishes
from policies import builder_words, filters
from policies.forms.filters import condition_row
from policies.models import FilterRule
from tests.policies.filed import HOMEWORK, SCHOOL, plain, rules, sent, stored, text_of, url

pytestmark = pytest.mark.django_db


# The sentence that is built


def test_a_rule_is_built_and_saved(household):
    client, before = household.client("anna"), Wishes.current()
    answer = client.post(url(household, "anna", "add"), sent([HOMEWORK], [SCHOOL]))
    assert answer["Location"] == f"{url(household)}?generation={before + 1}"
    assert rules(household) == [("all", [HOMEWORK], [SCHOOL])]
    assert "The rule is saved." in client.get(answer["Location"]).text
    assert AuditEntry.objects.latest("pk").who == "anna@myfamily.net"


def test_a_rule_is_changed_and_that_is_taken_back(household):
    row, client = stored(household, "anna", ([HOMEWORK], [SCHOOL]))[0], household.client("anna")
    page = url(household, "anna", "edit", row.key)
    text = text_of(client.get(page))
    assert 'name="when-0-value" value="compiti"' in text
    assert 'name="then-0-folder" value="Scuola"' in text
    new = [
        {"field": "from", "op": "is", "value": "Nonna@Gmail.com "},
        {"field": "size", "op": "not over", "value": "2m"},
    ]
    answer = client.post(page, sent(new, [{"action": "flag"}, {"action": "stop"}], match="any"))
    assert rules(household) == [
        (
            "any",
            [
                {"field": "from", "op": "is", "value": "nonna@gmail.com"},
                {"field": "size", "op": "not over", "value": "2M"},
            ],
            [{"action": "flag"}, {"action": "stop"}],
        )
    ]
    assert FilterRule.objects.get().key == row.key
    undo = re.search(r'action="(/rules/\d+/restore/\d+/)"', client.get(answer["Location"]).text)
    assert undo
    assert client.post(undo[1]).status_code == 302
    assert rules(household) == [("all", [HOMEWORK], [SCHOOL])]


VALUES = {"list": "parents.school.it", "size": "3M", "spam": "9", "attachment": "pdf", "domain": "bücher.example"}
EVERY_OP = [(field, op) for field in filters.OPERATORS for op in builder_words.tokens(field)]


@pytest.mark.parametrize(("field", "op"), EVERY_OP)
def test_every_word_can_be_chosen_and_stays_as_it_was(household, field, op):
    bare = filters.bare(op)
    name = "header:x-priority" if field == "header" else field
    address = "zia@bücher.example" if bare == "is" else VALUES.get(bare, "zia")
    value = VALUES.get(field, address if field in filters.ADDRESSES else "due parole")
    made = filters.condition({"field": name, "op": op, "value": "" if bare == "exists" else value})
    row = stored(household, "anna", ([made], [SCHOOL]))[0]
    client, page = household.client("anna"), url(household, "anna", "edit", row.key)
    text = text_of(client.get(page))
    chosen = re.findall(r'<option value="([^"]+)"[^>]* selected[ >]', text)
    assert chosen[:2] == [field, op]
    if field in filters.ADDRESSES and bare in ("is", "domain"):
        assert "bücher.example" in text
    before = Wishes.current()
    assert client.post(page, sent([condition_row(made)], [SCHOOL])).status_code == 302
    assert rules(household) == [("all", [made], [SCHOOL])]
    assert Wishes.current() == before


@pytest.mark.parametrize(
    ("condition", "place", "sentence"),
    [
        ({"field": "subject", "op": "contains", "value": ""}, "value", "Write what is looked for."),
        ({"field": "from", "op": "is", "value": "nonna"}, "value", "“nonna” is not an address"),
        ({"field": "subject", "op": "over", "value": "3"}, "op", "These two do not go together"),
        ({"field": "size", "op": "over", "value": "big"}, "value", "write it like 500K or 2M"),
        ({"field": "spam", "op": "over", "value": "51"}, "value", "a whole number from 1 to 50"),
        ({"field": "header", "name": "x y", "op": "is", "value": "1"}, "name", "is not the name of a header line"),
        ({"field": "header", "name": "X-Mailadmin-From", "op": "exists"}, "name", "is not the name of a header line"),
        ({"field": "attachment", "op": "is", "kind": "gift"}, "kind", "Select a valid choice"),
        ({"field": "colour", "op": "is", "value": "red"}, "field", "Select a valid choice"),
        ({"field": "subject", "op": "contains", "value": "a\u202eb"}, "value", "cannot be seen"),
        ({"field": "subject", "op": "contains", "value": "x" * 401}, "value", "at most 400 characters"),
        ({"field": "subject", "op": "contains", "value": "a\0b"}, "value", "Null characters are not allowed"),
    ],
)
def test_what_no_condition_can_say_is_refused_beside_its_place(household, condition, place, sentence):
    answer = household.client("anna").post(url(household, "anna", "add"), sent([HOMEWORK, condition], [SCHOOL]))
    text = text_of(answer, 422)
    assert f'<a href="#id_when-1-{place}">' in text
    wrong = re.search(r'id="when-1-wrong">(.*?)</p>', text)
    assert wrong
    assert sentence in wrong[1].replace("&#x27;", "'")
    field = re.search(rf'<(?:input|select)[^>]* name="when-1-{place}"[^>]*>', text) or re.search(
        rf'<(?:input|select)[^>]*id="id_when-1-{place}"[^>]*>', text
    )
    assert field
    assert 'aria-invalid="true"' in field[0]
    assert 'aria-describedby="when-1-wrong"' in field[0]
    assert rules(household) == []


@pytest.mark.parametrize(
    ("actions", "sentence"),
    [
        ([], "The rule does nothing: say what happens to the letter."),
        ([{"action": "file", "folder": " "}], "Write the name of a folder."),
        ([{"action": "file", "folder": "../etc"}], "no dots"),
        ([{"action": "file", "folder": ".hidden"}], "no dots"),
        ([{"action": "copy", "folder": "a//b"}], "is not a folder name"),
        ([{"action": "file", "folder": "inbox"}], "The inbox is no folder to file into"),
        ([{"action": "forward", "to": ""}], "Write an address."),
        ([{"action": "forward", "to": "nobody"}], "is not an address"),
        ([{"action": "forward", "to": "anna@myfamily.net"}], "this mailbox itself"),
        ([{"action": "explode"}], "Select a valid choice"),
        ([SCHOOL, {"action": "discard"}], "A letter has one place"),
        ([{"action": "copy", "folder": f"F{n}"} for n in range(11)], "at most 10"),
    ],
)
def test_what_no_rule_can_do_is_refused_in_a_sentence(household, actions, sentence):
    text = text_of(household.client("anna").post(url(household, "anna", "add"), sent([HOMEWORK], actions)), 422)
    errors = re.search(r'id="errors".*?</section>', text)
    assert errors
    assert sentence in plain(errors[0])
    assert rules(household) == []


def test_one_condition_too_many_is_refused(household):
    many = [{**HOMEWORK, "value": str(n)} for n in range(21)]
    text = text_of(household.client("anna").post(url(household, "anna", "add"), sent(many, [SCHOOL])), 422)
    assert "at most 20" in text


@pytest.mark.parametrize("count", ["", "-1", "x", "9" * 30, "1000000"])
def test_a_form_that_nobody_drew_is_refused(household, count):
    data = {**sent([HOMEWORK], [SCHOOL]), "when-TOTAL_FORMS": count}
    client = household.client("anna")
    assert client.post(url(household, "anna", "add"), data).status_code == 422
    assert client.post(url(household, "anna", "add"), {**data, "add": "when"}).status_code == 200
    assert client.post(url(household, "anna", "add"), {"match": "all"}).status_code == 422
    assert rules(household) == []


def test_ten_megabytes_are_not_taken(household):
    client = household.client("anna")
    client.raise_request_exception = False
    answer = client.post(url(household, "anna", "add"), sent([{**HOMEWORK, "value": "x" * (10 << 20)}], [SCHOOL]))
    assert answer.status_code == 400
    assert rules(household) == []


# Rows without JavaScript


def values(text, part, name):
    """What stands in this place of each row."""
    found = re.findall(rf'<input[^>]* name="{part}-\d+-{name}"[^>]*>', text)
    return [(re.search(r' value="([^"]*)"', one) or ["", ""])[1] for one in found]


def focused(text):
    return re.findall(r"<(?:select|button|input)[^>]* autofocus[^>]*>", text)


@pytest.mark.parametrize(
    ("pressed", "when", "then", "focus"),
    [
        ({"add": "when"}, ["uno", "due", ""], ["Scuola"], 'name="when-2-field"'),
        ({"add": "then"}, ["uno", "due"], ["Scuola", ""], 'name="then-1-action"'),
        ({"drop": "when-0"}, ["due"], ["Scuola"], 'name="when-0-field"'),
        ({"drop": "when-1"}, ["uno"], ["Scuola"], 'name="when-0-field"'),
        ({"drop": "then-0"}, ["uno", "due"], [], 'value="then"'),
        ({"drop": "when-7"}, ["uno", "due"], ["Scuola"], ""),
        ({"add": "else"}, ["uno", "due"], ["Scuola"], ""),
    ],
)
def test_a_row_comes_or_goes_and_what_was_typed_stays(household, pressed, when, then, focus):
    data = sent([{**HOMEWORK, "value": "uno"}, {**HOMEWORK, "value": "due"}], [SCHOOL], match="any", **pressed)
    text = text_of(household.client("anna").post(url(household, "anna", "add"), data))
    assert values(text, "when", "value") == when
    assert values(text, "then", "folder") == then
    assert "aria-invalid" not in text
    assert 'id="errors"' not in text
    found = focused(text)
    assert len(found) == (1 if focus else 0)
    assert not focus or focus in found[0]
    if len(when) > 1:
        assert '<option value="any" selected>' in text
    else:
        assert '<input type="hidden" name="match" value="any">' in text
    assert rules(household) == []


def test_no_more_rows_come_than_a_rule_may_have(household):
    data = sent([{**HOMEWORK, "value": str(n)} for n in range(20)], [SCHOOL], add="when")
    text = text_of(household.client("anna").post(url(household, "anna", "add"), data))
    assert len(values(text, "when", "value")) == 20 == filters.MOST_CONDITIONS


def test_a_rule_for_every_letter_has_no_condition(household):
    client = household.client("anna")
    assert client.post(url(household, "anna", "add"), sent([], [SCHOOL])).status_code == 302
    assert rules(household) == [("all", [], [SCHOOL])]
    key = FilterRule.objects.get().key
    assert "With every letter" in client.get(url(household, "anna", "edit", key)).text


@pytest.mark.parametrize("start", ["", "subject", "list", "copy", "nonsense"])
def test_a_new_rule_begins_with_words_that_fit(household, start):
    text = text_of(household.client("anna").get(url(household, "anna", "add") + f"?start={start}"))
    assert "aria-invalid" not in text
    assert re.search(r'name="then-0-action"', text)


# Before it is saved


def test_it_reads_as_a_sentence_before_it_is_saved(household):
    stored(household, "anna", ([HOMEWORK], [SCHOOL]))
    before = Wishes.current()
    data = sent([HOMEWORK], [{"action": "forward", "to": "zia@outside.example"}], look="yes")
    text = text_of(household.client("anna").post(url(household, "anna", "add"), data))
    found = re.search(r'<div id="reads".*?</div> </div>', text)
    assert found
    look = plain(found[0])
    assert "When the subject contains “compiti”, forward it to zia@outside.example." in look
    assert "its provider may refuse letters that are forwarded" in look
    assert "It can never act" in look
    assert Wishes.current() == before


def test_half_a_sentence_is_not_read_out(household):
    data = sent([{**HOMEWORK, "value": ""}], [SCHOOL], look="yes")
    text = text_of(household.client("anna").post(url(household, "anna", "add"), data))
    assert 'class="reads"' not in text


def test_what_to_know_is_said_once_more_after_saving(household):
    client = household.client("anna")
    data = sent([], [{"action": "forward", "to": "zia@outside.example"}])
    answer = client.post(url(household, "anna", "add"), data)
    assert "The rule is saved. zia@outside.example is an address outside" in client.get(answer["Location"]).text


def test_a_child_forwards_only_to_whom_she_may_write(household):
    client = household.client("emma")
    forward = [{"action": "forward", "to": "stranger@outside.example"}]
    text = text_of(client.post(url(household, "emma", "add"), sent([HOMEWORK], forward)), 422)
    assert "stranger@outside.example" in text
    assert rules(household, "emma") == []
    inside = [{"action": "forward", "to": "anna@myfamily.net"}]
    assert client.post(url(household, "emma", "add"), sent([HOMEWORK], inside)).status_code == 302


def test_folders_that_are_named_are_offered(household):
    stored(household, "anna", ([HOMEWORK], [{"action": "file", "folder": "Scuola/Compiti"}]))
    text = text_of(household.client("anna").get(url(household, "anna", "add")))
    offered = re.findall(r'<option value="([^"]*)"></option>', text)
    assert offered == ["Archive", "Junk", "Trash", "Scuola/Compiti"]


def test_it_speaks_italian(household):
    row = stored(household, "anna", ([HOMEWORK], [SCHOOL]))[0]
    with wishes("test", "test"):
        household.person("anna", language="it")
    client = household.client("anna")
    for page in (url(household), url(household, "anna", "edit", row.key)):
        text = client.get(page).text
        assert 'lang="it"' in text
        assert ">When<" not in text
        assert "Switch off" not in text
    with translation.override("it"):
        assert builder_words.said("spam", "over") != "gives more than"
