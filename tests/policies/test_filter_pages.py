"""The rules of a mailbox as a person sees them: the list, the sentence that is built, and what goes wrong in it."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import AuditEntry
from accounts.wishes import Wishes, wishes
from domains.models import Mailbox
from policies import builder_words, filing, filters
from policies.forms.filters import condition_row
from policies.models import FilterRule
from policies.rights import filed_mailboxes, may_file

pytestmark = pytest.mark.django_db
HOMEWORK = {"field": "subject", "op": "contains", "value": "compiti"}
SCHOOL = {"action": "file", "folder": "Scuola"}


def url(household, who="anna", verb="list", *more):
    return reverse(f"rule-{verb}", args=[household.mailboxes[who].pk, *more])


def stored(household, who="anna", *rows, by=None):
    """Rules of this mailbox, as `(when, then)`, in order."""
    person, mailbox = household.people[by or who], household.mailboxes[who]
    with wishes(person, "test"):
        return [filing.save_rule(person, mailbox, FilterRule(when=list(when), then=list(then))) for when, then in rows]


def sent(when, then, match="all", **more):
    """What a browser sends for these rows; each is what is typed, place by place."""
    data = {"match": match, **more}
    for part, rows in (("when", when), ("then", then)):
        data |= {f"{part}-TOTAL_FORMS": str(len(rows)), f"{part}-INITIAL_FORMS": "0"}
        for number, row in enumerate(rows):
            data |= {f"{part}-{number}-{name}": value for name, value in row.items()}
    return data


def text_of(answer, status=200):
    assert answer.status_code == status
    return " ".join(answer.text.split())


def plain(text):
    """What is read of a piece of a page."""
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


def rules(household, who="anna"):
    return [(row.match, row.when, row.then) for row in filing.rules_of(household.mailboxes[who])]


def shown_rules(text):
    """The sentences of a list, from the top."""
    return [plain(found) for found in re.findall(r'<a class="row-link" id="rule-[^>]*>(.*?)</a>', text)]


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
        "on acted once in 30 days",
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
    stored(household, "anna", ([{**HOMEWORK, "value": evil}], [{"action": "file", "folder": "<b>%(words)s"}]))
    client = household.client("anna")
    text = client.get(url(household)).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; %(value)s {{ 7 }} &quot; &#x27; &amp;amp; %s" in text
    assert "&lt;b&gt;%(words)s" in text
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


VALUES = {"size": "3M", "spam": "9", "attachment": "pdf", "domain": "bücher.example"}
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
    look = plain(re.search(r'<div id="reads".*?</div> </div>', text)[0])
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
