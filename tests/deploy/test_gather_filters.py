"""What mailboxes do with their letters, from the database to the snapshot."""

from django.db import connection
from django.test.utils import CaptureQueriesContext

from deploy.gather import gather
from deploy.models import MailHost
from deploy.snapshot import Action, Condition, Filter, Rule, Snapshot
from policies.household import load

HEAD = """
[[community]]
name = "Rossi"
timezone = "Europe/Rome"
language = "it"
domains = ["rossi.example"]
[[person]]
address = "ada@rossi.example"
language = "en"
[[person]]
address = "bo@rossi.example"
[[mailbox]]
address = "bo@rossi.example"
"""
ADA = """
[[mailbox]]
address = "ada@rossi.example"
[[mailbox.rule]]
key = "00000000000000bb"
match = "any"
when = [{ field = "size", op = "not over", value = "2M" }, { field = "header:X-Test", op = "exists" }]
then = [{ action = "file", folder = "Scuola/Compiti" }, { action = "forward", to = "Ada@OUTSIDE.example" }]
[[mailbox.rule]]
key = "00000000000000cc"
active = false
then = [{ action = "discard" }]
[[mailbox.rule]]
key = "00000000000000aa"
then = [{ action = "flag" }]
[mailbox.vacation]
text = "Torno presto"
from = 2026-03-28
until = 2026-03-29
[mailbox.spam]
over = 8
tag = "[Spam]"
[mailbox.forward]
to = ["ada@outside.example"]
keep = false
"""


def gathered(text: str) -> Snapshot:
    load(text, "a test")
    return gather(MailHost.objects.get())


def test_spam_is_first_and_the_forwarding_last(db):
    found = gathered(HEAD + ADA)
    assert [one.mailbox for one in found.filters] == ["ada@rossi.example"], "the other one does nothing"
    assert found.filters[0].rules == (
        Rule(
            "spam",
            "When the letter has a spam score of at least 8, put before its subject “[Spam]” and file it in “Junk”.",
            "all",
            (Condition("spam", "over", "8"),),
            (Action("tag", "[Spam]"), Action("file", "Junk")),
        ),
        Rule(
            "00000000000000bb",
            "When the letter is not larger than 2 MB or the line X-Test is there, "
            "forward it to ada@outside.example and file it in “Scuola/Compiti”.",
            "any",
            (Condition("size", "not over", "2097152"), Condition("header:x-test", "exists")),
            (Action("forward", "ada@outside.example"), Action("file", "Scuola/Compiti")),
        ),
        Rule("00000000000000aa", "With every letter: flag it.", "all", (), (Action("flag"),)),
        Rule(
            "forward",
            "With every letter: forward it to ada@outside.example and put it in the Trash.",
            "all",
            (),
            (Action("forward", "ada@outside.example"), Action("discard")),
        ),
    )
    assert Snapshot.from_json(found.to_json()) == found


def test_being_away_is_whole_days_where_one_lives(db):
    # On the second of these days the clocks in Rome go forward.
    away = gathered(HEAD + ADA).filters[0].away
    assert away == (("2026-03-27T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),)


def test_who_is_only_away_is_told_too(db):
    text = '[mailbox.vacation]\ntext = "Torno"\nfrom = 2026-08-01\nuntil = 2026-08-01\n'
    away = (("2026-07-31T22:00:00+00:00", "2026-08-01T22:00:00+00:00"),)
    assert gathered(HEAD + text).filters == (Filter("bo@rossi.example", (), away),)


def test_a_sentence_is_in_the_language_of_the_first_person_or_the_community(db):
    rule = '[[mailbox.rule]]\nthen = [{ action = "flag" }]\n'
    shared = f'[[mailbox]]\naddress = "casa@rossi.example"\npeople = ["bo@rossi.example", "ada@rossi.example"]\n{rule}'
    found = gathered(HEAD + rule + shared).filters
    said = {one.mailbox: one.rules[0].sentence for one in found}
    assert said["casa@rossi.example"] == "With every letter: flag it."
    assert said["bo@rossi.example"] == "Con ogni lettera: contrassegnala."


def test_rules_that_rest_are_not_told(db):
    assert gathered(HEAD + '[[mailbox.rule]]\nactive = false\nthen = [{ action = "flag" }]\n').filters == ()


def test_a_backup_mx_learns_no_rules(db):
    load(HEAD + ADA, "a test")
    assert gather(MailHost.objects.create(name="backup", role="backup")).filters == ()


def test_the_number_of_queries_does_not_grow(db):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            gather(MailHost.objects.get())
        return len(captured)

    load(HEAD + ADA, "a test")
    before = queries()
    one = ADA.replace("00000000000000", "000000000000%02x").replace("ada@rossi", "x%d@rossi")
    people = '[[mailbox]]\naddress = "x{0}@rossi.example"\npeople = ["ada@rossi.example"]'
    more = "".join(
        one.replace('[[mailbox]]\naddress = "x%d@rossi.example"', people.format(n)).replace("%02x", f"{n:02x}")
        for n in range(1, 13)
    )
    load(more, "a test")
    assert queries() == before
    assert len(gather(MailHost.objects.get()).filters) == 13
