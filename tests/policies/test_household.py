"""The household file: load, dump, and every refusal with its place."""

import json
import sys
import tomllib
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, Community, Membership, User, Wishes
from domains.models import Alias, Domain, Mailbox
from policies.example import FILE, load_example
from policies.household import HouseholdError, dump, load
from policies.models import Acknowledgement, Contact, UsagePolicy

HEAD = """
[[community]]
name = "Rossi"
kind = "family"
domains = ["rossi.example"]
[[person]]
address = "ada@rossi.example"
name = "Ada"
password = "una parola lunga"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[mailbox]]
address = "ada@rossi.example"
"""


def everything() -> tuple[Any, ...]:
    models = (Community, User, Membership, Domain, Mailbox, Alias, Contact, UsagePolicy, Acknowledgement)
    return tuple(tuple(sorted(map(str, (row.values() for row in model.objects.all())))) for model in models)


def more_people(many: int) -> str:
    """Families' worth of mailboxes, each with a list, a rule and an alias."""
    return HEAD + "".join(
        f"""
[[person]]
address = "p{number}@rossi.example"
[[person.membership]]
community = "Rossi"
role = "guardian"
[[person.contact]]
address = "friend@elsewhere{number}.example"
[[mailbox]]
address = "p{number}@rossi.example"
[[mailbox.rule]]
key = "{number:016x}"
when = [{{field = "subject", op = "contains", value = "fattura"}}]
then = [{{action = "file", folder = "Conti"}}]
[[alias]]
address = "a{number}@rossi.example"
to = ["p{number}@rossi.example"]
"""
        for number in range(many)
    )


def test_a_larger_file_asks_the_database_no_more(db) -> None:
    asked = []
    for many in (2, 20):
        load(more_people(many), "test")
        with CaptureQueriesContext(connection) as queries:
            assert load(dump(), "test", prune=True).changed == []
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_the_example_loads_twice_with_the_same_passwords(db, settings, tmp_path):
    settings.VAR = tmp_path
    logins = load_example()
    assert set(logins) == {person["address"] for person in tomllib.loads(FILE.read_text())["person"]}
    generation = Wishes.current()
    assert load_example() == logins
    assert Wishes.current() == generation == 1
    assert (tmp_path / "db" / "example.json").stat().st_mode & 0o777 == 0o600


def test_dump_then_load_is_the_identity(db, settings, tmp_path):
    settings.VAR = tmp_path
    load_example()
    load('[[domain]]\nname = "old.example"\nalias_of = "myfamily.net"\n'
         '[[domain]]\nname = "kept.example"\nrelay_to = "mx.other.example"\n'
         '[[person]]\naddress = "emma@myfamily.net"\nname = "Emma “la piccola” 💛"\nactive = false\n'
         '[[person.membership]]\ncommunity = "Fioretti family"\nrole = "protected"\nlevel = "starter"\n'
         '[person.membership.override]\nhours = "07:00-20:30"\nuntil = 2026-12-31\n'
         '[[person.contact]]\naddress = "@gmail.com"\nkind = "always"\nconfirmed = true\ndirection = "in"\n'
         '[[person.contact]]\naddress = "bullo@x.example"\nname = "Büllo 💛"\nkind = "blocked"\nassurance = "pinned"\n'
         '[[community]]\nname = "Fioretti family"\ndomains = ["myfamily.net"]\n[[community.use]]\nnumber = 2\n'
         'before = "Ciao 💛\\n\\n<b>"\nread = [{ person = "emma@myfamily.net", when = 2026-01-01T10:00:00+02:00 }]\n'
         '[[alias]]\naddress = "gita@myfamily.net"\nto = ["x+y@outside.example"]\nexpires = 2027-06-30\n',
         "a test")  # fmt: skip
    before, text, generation = everything(), dump(secrets=True), Wishes.current()
    report = load(text, "a test", prune=True)
    assert (report.created, report.changed, report.removed) == ([], [], [])
    assert Wishes.current() == generation
    load("", "a test", prune=True)
    assert not User.objects.exists()
    load(text, "a test")
    assert everything() == before
    assert dump(secrets=True) == text


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_large_host_is_written_from_some_rows_at_a_time(db, settings, tmp_path, monkeypatch, rows):
    settings.VAR = tmp_path
    load_example()
    whole = dump()
    monkeypatch.setattr(sys.modules[dump.__module__], "ROWS", rows)
    assert tomllib.loads(dump()) == tomllib.loads(whole)


def test_dump_without_secrets_has_none_and_loads_over_what_is_there(db):
    load(HEAD, "a test")
    before = everything()
    assert "argon2" not in dump()
    load(dump(), "a test", prune=True)
    assert everything() == before


def test_a_password_stays_where_the_file_names_none(db):
    load(HEAD, "a test")
    stored = User.objects.get().password
    load(HEAD, "a test")
    load(HEAD.replace('password = "una parola lunga"', ""), "a test")
    assert User.objects.get().password == stored


def test_prune_makes_room_for_a_mailbox_where_an_alias_was(db):
    load(HEAD + '[[alias]]\naddress = "info@rossi.example"\nto = ["ada@rossi.example"]\n', "a test")
    text = HEAD + '[[mailbox]]\naddress = "info@rossi.example"\npeople = ["ada@rossi.example"]\n'
    with pytest.raises(HouseholdError, match="taken"):
        load(text, "a test")
    report = load(text, "a test", prune=True)
    assert report.removed == ["alias info@rossi.example"]
    assert report.created == ["mailbox info@rossi.example"]


def test_prune_takes_the_address_out_of_the_aliases_that_led_there(db):
    bo = '[[person]]\naddress = "bo@rossi.example"\n[[mailbox]]\naddress = "bo@rossi.example"\n'
    both = '[[alias]]\naddress = "tutti@rossi.example"\nto = ["ada@rossi.example", "bo@rossi.example"]\n'
    load(HEAD + bo + both, "a test")
    with pytest.raises(HouseholdError, match=r"alias.*1 \(tutti@rossi.example\), to: .*bo@rossi.example"):
        load(HEAD + both, "a test", prune=True)
    load(HEAD + both.replace(', "bo@rossi.example"', ""), "a test", prune=True)
    assert Alias.objects.get().targets == ["ada@rossi.example"]
    assert User.objects.count() == 1


def test_prune_makes_the_file_the_truth_of_each_list(db):
    zio, zia = (f'[[person.contact]]\naddress = "{who}@x.example"\n' for who in ("zio", "zia"))
    both, one = (HEAD.replace("[[mailbox]]", f"{lists}[[mailbox]]") for lists in (zio + zia, zia))
    load(both, "a test")
    assert load(one, "a test").removed == []
    report = load(one, "a test", prune=True)
    assert report.removed == ["contact zio@x.example of ada@rossi.example"]
    assert [row.address for row in Contact.objects.all()] == ["zia@x.example"]
    assert load(one, "a test", prune=True).generation == report.generation


def test_an_entry_that_became_dangerous_since_is_dumped_so_that_it_loads(db):
    load(HEAD.replace("[[mailbox]]", '[[person.contact]]\naddress = "@late.example"\n[[mailbox]]'), "a test")
    load('[[domain]]\nname = "late.example"\nrelay_to = "mx.o.example"', "a test")
    text = dump(secrets=True)
    load("", "a test", prune=True)
    load(text, "a test")
    assert dump(secrets=True) == text


def test_a_mailbox_that_goes_and_comes_gets_another_folder(db):
    load(HEAD, "a test")
    key = Mailbox.objects.get().key
    load(HEAD.partition("[[mailbox]]")[0], "a test", prune=True)
    load(HEAD, "a test")
    assert Mailbox.objects.get().key != key


REFUSED = {
    "no TOML": ("[[person]\n", "line 1"),
    "an unknown table": ('[[animal]]\nname = "x"', "animal"),
    "an unknown key": ('[[alias]]\naddress = "a@rossi.example"\ntoo = []', r"\[\[alias\]\] 1 \(a@rossi.example\), too"),
    "a list entry that is none": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\naddress = "c@x.example"\n'
                                  '[[person.contact]]\naddress = "zio"', r"\[\[person\]\] 2 \(b@x.example\), "
                                  r"\[\[person.contact\]\] 2 \(zio\), address: “zio” is not an address"),
    "a list entry without address": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\nname = "Zio"',
                                     r"\[\[person.contact\]\] 1 \(\), address: is missing"),
    "an unknown key of a list": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\naddress = "c@x.example"\n'
                                 'colour = "red"', r"\[\[person.contact\]\] 1 \(c@x.example\), colour: is no key"),
    "an unknown kind of entry": ('[[community]]\nname = "V"\n[[community.contact]]\naddress = "@x.example"\n'
                                 'kind = "maybe"', r"\[\[community\]\] 2 \(V\), \[\[community.contact\]\] 1 "
                                 r"\(@x.example\), kind: “maybe” is not one of: allowed, blocked, always"),
    "an unknown direction": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\naddress = "c@x.example"\n'
                             'direction = "up"', "direction: “up”"),
    "an entry twice": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\naddress = "c@x.example"\n'
                       '[[person.contact]]\naddress = "C@X.example"', r"contact\]\] 2 .* stands in the file twice"),
    "an entry that lets in the world": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\n'
                                        'address = "@gmail.com"', "address: “@gmail.com” lets in anyone"),
    "an entry for all of us": ('[[person]]\naddress = "b@x.example"\n[[person.contact]]\naddress = "@late.example"\n'
                               '[[domain]]\nname = "late.example"\nrelay_to = "mx.o.example"', "domain of this host"),
    "a guardian blocked": ('[[person]]\naddress = "b@x.example"\n[[person.membership]]\ncommunity = "Rossi"\n'
                           'role = "protected"\n[[person.contact]]\naddress = "ada@rossi.example"\nkind = "blocked"',
                           r"\(b@x.example\), \[\[person.contact\]\] 1 \(ada@rossi.example\), address: .* cannot"),
    "single brackets for an entry": ('[[person]]\naddress = "b@x.example"\n[person.contact]\naddress = "c@x.example"',
                                     r"\[\[person.contact\]\] must be written with double brackets"),
    "single brackets": ('[alias]\naddress = "a@rossi.example"', "double brackets"),
    "no address": ("[[alias]]\nto = []", r"\[\[alias\]\] 1 .*address"),
    "a domain that is none": ('[[community]]\nname = "V"\ndomains = ["localhost"]', "domains: “localhost”"),
    "a time zone that is none": ('[[community]]\nname = "V"\ntimezone = "Mars/X"', "timezone: “Mars/X”"),
    "a kind that is none": ('[[community]]\nname = "V"\nkind = "club"', "kind"),
    "a foreign role": ('[[person]]\naddress = "b@x.example"\n[[person.membership]]\ncommunity = "Rossi"\n'
                       'role = "owner"', r"\[\[person\]\] 2 \(b@x.example\), role"),
    "a level of another kind": ('[[person]]\naddress = "b@x.example"\n[[person.membership]]\ncommunity = "Rossi"\n'
                                'role = "protected"\nlevel = "open"', "level"),
    "no such community": ('[[person]]\naddress = "b@x.example"\n[[person.membership]]\ncommunity = "Verdi"', "Verdi"),
    "a negative quota": ('[[mailbox]]\naddress = "b@rossi.example"\nquota = -1', r"\[\[mailbox\]\] 2 .*quota: “-1”"),
    "nobody's mailbox": ('[[mailbox]]\naddress = "b@rossi.example"\npeople = []', "people"),
    "a person who is not there": ('[[mailbox]]\naddress = "b@rossi.example"', "people: “b@rossi.example”"),
    "a foreign domain": ('[[mailbox]]\naddress = "b@x.example"\npeople = ["ada@rossi.example"]', "address: x.example"),
    "an address twice": ('[[mailbox]]\naddress = "ADA@rossi.example"', "twice"),
    "mailbox and alias": ('[[alias]]\naddress = "ada@rossi.example"\nto = ["b@x.example"]', "taken"),
    "a pipe": ('[[alias]]\naddress = "x@rossi.example"\nto = ["|id@x.example"]', "to: “.id@x.example”"),
    "a newline": ('[[alias]]\naddress = "x@rossi.example"\nto = ["b@x.example\\nevil: x"]', "to: "),
    "a NUL": ('[[person]]\naddress = "b@x.example"\nname = "a\\u0000b"', "name: "),
    "a circle": ('[[alias]]\naddress = "x@rossi.example"\nto = ["y@rossi.example"]\n'
                 '[[alias]]\naddress = "y@rossi.example"\nto = ["x+a@rossi.example"]', "circle: x@.* → y@.* → x@"),
    "a target that is not there": ('[[alias]]\naddress = "x@rossi.example"\nto = ["y@rossi.example"]', "to: y@rossi"),
    "a hash of an unknown scheme": ('[[person]]\naddress = "b@x.example"\npassword_hash = "{PLAIN}x"', "password_hash"),
    "a common password": ('[[person]]\naddress = "b@x.example"\npassword = "password1"', "password: .*common"),
    "a date that is text": ('[[person]]\naddress = "b@x.example"\nborn = "once"', "born: “once”"),
    "text for yes or no": ('[[person]]\naddress = "b@x.example"\nadministrator = "yes"', "administrator: “yes”"),
    "an alias domain of nothing": ('[[domain]]\nname = "o.example"\nalias_of = "n.example"', "alias_of: “n.example”"),
    "a domain without a purpose": ('[[domain]]\nname = "o.example"', "alias_of"),
    "no where a date stands": ('[[person]]\naddress = "b@x.example"\nborn = false', "born: “False”"),
    "a list where a date stands": ('[[alias]]\naddress = "x@rossi.example"\nto = ["b@x.example"]\nexpires = []',
                                   r"expires: “\[\]”"),
    "a list where a language stands": ('[[person]]\naddress = "b@x.example"\nlanguage = []', r"language: “\[\]”"),
    "a list where a level stands": ('[[person]]\naddress = "b@x.example"\n[[person.membership]]\ncommunity = "Rossi"\n'
                                    'role = "protected"\nlevel = []', r"level: “\[\]”"),
    "a table where a protection stands": ('[[person]]\naddress = "b@x.example"\n[[person.membership]]\n'
                                          'community = "Rossi"\nrole = "protected"\nprotection = {}', "protection: “"),
    "no where a host stands": ('[[domain]]\nname = "o.example"\nrelay_to = []', r"relay_to: “\[\]”"),
    "a key used twice": ('[[mailbox]]\naddress = "b@rossi.example"\n'
                         'people = ["ada@rossi.example"]\nkey = "KEY"', "key"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_names_its_place_and_changes_nothing(db, case):
    load(HEAD, "a test")
    before, generation = everything(), Wishes.current()
    text, said = REFUSED[case]
    with pytest.raises(HouseholdError, match=said) as refused:
        load(text if case == "no TOML" else HEAD + text.replace("KEY", Mailbox.objects.get().key), "a test")
    assert "\n" not in str(refused.value)
    assert everything() == before
    assert Wishes.current() == generation


@pytest.mark.parametrize("text", ["x = " + "[" * 3000, "x = " + "9" * 5000], ids=["brackets", "digits"])
def test_a_file_that_no_reader_can_hold_is_no_toml(db, text):
    with pytest.raises(HouseholdError, match="no TOML"):
        load(text, "a test")


@pytest.mark.parametrize("text", ["mailbox = 3", "alias = 3", "[mailbox]", "mailbox = [1]"])
def test_addresses_that_are_no_tables_are_refused_before_anything_is_pruned(db, text):
    load(HEAD, "a test")
    with pytest.raises(HouseholdError, match="double brackets"):
        load(text, "a test", prune=True)
    assert Mailbox.objects.exists()


def command(*args: str, **options: Any) -> tuple[int, str, str]:
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command(*args, stdout=out, stderr=err, **options)
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    return status, out.getvalue(), err.getvalue()


def test_the_command_says_what_changed(db, tmp_path):
    file = tmp_path / "household.toml"
    file.write_text(HEAD)
    status, out, _err = command("load", str(file), json=True)
    report = json.loads(out)
    assert status == 0
    assert "mailbox ada@rossi.example" in report["created"]
    assert report["generation"] == 1
    assert command("load", str(file))[1] == "nothing to change\ngeneration 1\n"
    assert command("dump")[1] == dump()
    assert AuditEntry.objects.filter(door="load", who="command line").exists()


@pytest.mark.parametrize(("content", "status"), [(b"[[person", 1), (b"\xff\xfe", 2), (None, 2)])
def test_the_command_refuses_in_one_line(db, tmp_path, content, status):
    file = tmp_path / "household.toml"
    if content is not None:
        file.write_bytes(content)
    got, out, err = command("load", str(file))
    assert (got, out) == (status, "")
    assert err.count("\n") == 1
