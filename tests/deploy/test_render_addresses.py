"""What the rendered files say, for any host that the rules accept and for some that they would not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from deploy.render import Unwritable, render
from deploy.render.reading import read_map, read_passwd, read_recipe
from deploy.snapshot import Alias, Domain, Mailbox, Snapshot
from tests.deploy.household import HASH, HOUSEHOLD, mailbox
from tests.strategies import hostile_text, snapshots

AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def maps(snapshot: Snapshot, name: str, at: datetime = AT) -> dict[str, str]:
    """One of the rendered maps."""
    return read_map(render(snapshot, at, "/srv/mail")[f"postfix/{name}"].decode())


def with_rows(**rows: Any) -> Snapshot:
    """The household with other rows."""
    return replace(HOUSEHOLD, **rows)


def refusal(snapshot: Snapshot) -> str:
    """The sentence that a snapshot is refused with."""
    with pytest.raises(Unwritable) as caught:
        render(snapshot, AT, "/srv/mail")
    return str(caught.value)


@given(snapshots())
@settings(deadline=None)
def test_the_maps_say_what_was_wished(snapshot: Snapshot) -> None:
    boxes = {box.address: box for box in snapshot.mailboxes}
    assert maps(snapshot, "mailboxes") == {address: box.key for address, box in boxes.items()}
    assert maps(snapshot, "sasl_class") == {a: "permit" for a, box in boxes.items() if box.active and box.password}
    aliases = maps(snapshot, "aliases")
    assert all(aliases[address] == address for address in boxes)
    for alias in snapshot.aliases:
        works = not alias.expires.startswith("2020")
        assert aliases.get(alias.address) == (",".join(alias.targets) if works else None)


@given(snapshots())
@settings(deadline=None)
def test_the_passwd_file_says_what_was_wished(snapshot: Snapshot) -> None:
    found = read_passwd(render(snapshot, AT, "/srv/mail")["dovecot/passwd"].decode())
    assert found.keys() == {box.address for box in snapshot.mailboxes}
    for box in snapshot.mailboxes:
        password, home, extra = found[box.address]
        assert (password == box.password) == (box.active and bool(box.password))
        assert home == f"/srv/mail/{box.key}"
        assert bool(extra) == bool(box.quota)


@given(snapshots())
@settings(deadline=None)
def test_the_same_wishes_give_the_same_bytes(snapshot: Snapshot) -> None:
    shuffled = replace(
        snapshot,
        generation=snapshot.generation + 1,
        domains=snapshot.domains[::-1],
        mailboxes=snapshot.mailboxes[::-1],
        aliases=snapshot.aliases[::-1],
    )
    assert render(snapshot, AT, "/srv/mail") == render(shuffled, AT, "/srv/mail")


@given(snapshots())
@settings(deadline=None)
def test_an_alias_domain_has_every_address_of_its_domain(snapshot: Snapshot) -> None:
    target = next(row.target for row in snapshot.domains if row.kind == "alias")
    for name in ("aliases", "refused", "internal", "sender_logins"):
        entries = maps(snapshot, name)
        ours = {key.partition("@")[0] for key in entries if key.endswith(f"@{target}")}
        twins = {key.partition("@")[0] for key in entries if key.endswith("@twin.example")}
        assert ours == twins, name


@given(hostile_text())
def test_no_text_slips_through_any_field(text: str) -> None:
    box, alias = HOUSEHOLD.mailboxes[0], HOUSEHOLD.aliases[2]
    for snapshot in hostile_snapshots(text, box, alias):
        try:
            rendered = render(snapshot, AT, "/srv/mail")
        except Unwritable:
            continue
        lines = [line.decode() for file in rendered.values() for line in file.split(b"\n")]
        assert all(line.replace("[ \t]", "").isprintable() for line in lines)  # which only recipes hold


def hostile_snapshots(text: str, box: Mailbox, alias: Alias) -> Iterator[Snapshot]:
    """The household with one text in one of its fields."""
    for change in ({"address": text}, {"address": f"{text}@myfamily.net"}, {"key": text}, {"logins": (text,)}):
        yield with_rows(mailboxes=(replace(box, **change), *HOUSEHOLD.mailboxes[1:]))
    yield with_rows(mailboxes=(replace(box, password=text), *HOUSEHOLD.mailboxes[1:]))
    for row in (replace(alias, address=text), replace(alias, targets=(text,)), replace(alias, expires=text)):
        yield with_rows(aliases=(row,))
    yield with_rows(domains=(*HOUSEHOLD.domains, Domain(text, "mail")))
    yield with_rows(domains=(*HOUSEHOLD.domains, Domain("x.example", "backup", text)))
    yield with_rows(domains=(*HOUSEHOLD.domains, Domain("x.example", "alias", text)))


def test_a_catch_all_swallows_no_mailbox() -> None:
    aliases = maps(HOUSEHOLD, "aliases")
    assert aliases["@myfamily.net"] == "marco@myfamily.net"
    assert aliases["emma@myfamily.net"] == "emma@myfamily.net"
    assert aliases["emma@old-domain.example"] == "emma@myfamily.net"
    assert aliases["@old-domain.example"] == "marco@myfamily.net"


def test_an_alias_ends_at_its_hour() -> None:
    end = datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert "oldfriends@myfamily.net" in maps(HOUSEHOLD, "aliases", end - timedelta(seconds=1))
    assert "oldfriends@old-domain.example" in maps(HOUSEHOLD, "aliases", end - timedelta(seconds=1))
    assert "oldfriends@myfamily.net" not in maps(HOUSEHOLD, "aliases", end)


def test_an_ended_alias_opens_no_circle_through_the_catch_all() -> None:
    rows = (
        Alias("@myfamily.net", ("gita@myfamily.net", "anna@myfamily.net")),
        Alias("gita@myfamily.net", ("pulmino+a@old-domain.example",)),
        Alias("pulmino@myfamily.net", ("anna@myfamily.net",), expires="2026-06-30T22:00:00+00:00"),
    )
    aliases = maps(with_rows(aliases=rows), "aliases")
    assert "gita@myfamily.net" not in aliases
    assert aliases["@myfamily.net"] == "anna@myfamily.net"


def test_a_suspended_mailbox_is_refused_under_all_its_addresses_and_keeps_its_recipe() -> None:
    refused = maps(HOUSEHOLD, "refused")
    assert refused["luca@myfamily.net"] == refused["luca@old-domain.example"] == "550 5.2.1 This mailbox is suspended."
    rendered = render(HOUSEHOLD, AT, "/srv/mail")
    assert read_recipe(rendered["procmail/myfamily.net/luca.rc"].decode())["key"] == f"{6:016x}"
    assert HASH not in rendered["dovecot/passwd"].decode().split("luca@myfamily.net:")[1].splitlines()[0]
    assert "luca@myfamily.net" not in maps(HOUSEHOLD, "sasl_class")
    assert "luca@myfamily.net" not in maps(HOUSEHOLD, "sender_logins")


def test_who_may_send_as_an_address() -> None:
    owners = maps(HOUSEHOLD, "sender_logins")
    assert owners["info@mybusiness.com"] == "paolo@mybusiness.com,sara@mybusiness.com"
    assert owners["team@mybusiness.com"] == "paolo@mybusiness.com,rita@mybusiness.com,sara@mybusiness.com"
    assert owners["kids@old-domain.example"] == "emma@myfamily.net"
    assert owners["@myfamily.net"] == owners["@old-domain.example"] == "nobody@mailadmin.invalid"


def test_an_alias_of_an_alias_and_of_an_extension_belongs_to_the_people_at_its_end() -> None:
    aliases = (
        Alias("a@myfamily.net", ("b@old-domain.example", "who@outside.example")),
        Alias("b@myfamily.net", ("emma+game@myfamily.net",)),
        Alias("c@myfamily.net", ("unknown@mybusiness.com",)),
        Alias("@mybusiness.com", ("rita@mybusiness.com",)),
    )
    owners = maps(with_rows(aliases=aliases), "sender_logins")
    assert owners["a@myfamily.net"] == "emma@myfamily.net"
    assert owners["c@myfamily.net"] == "rita@mybusiness.com"


def test_a_circle_of_aliases_ends() -> None:
    circle = (Alias("a@myfamily.net", ("b@myfamily.net",)), Alias("b@myfamily.net", ("a@myfamily.net",)))
    assert "a@myfamily.net" not in maps(with_rows(aliases=circle), "sender_logins")


def test_an_internal_alias_is_closed_to_outsiders() -> None:
    assert maps(HOUSEHOLD, "internal").keys() == {"team@mybusiness.com"}


def test_an_internal_catch_all_closes_what_has_no_address() -> None:
    aliases = (Alias("@myfamily.net", ("anna@myfamily.net",), internal=True), Alias("x@myfamily.net", ("a@b.example",)))
    internal = maps(with_rows(aliases=aliases), "internal")
    assert internal["myfamily.net"].startswith("550 5.7.1 ")
    assert internal["old-domain.example"].startswith("550 5.7.1 ")
    assert internal["emma@myfamily.net"] == internal["x@old-domain.example"] == "DUNNO"
    assert "marco@mybusiness.com" not in internal


def test_a_backup_domain_is_relayed_to_its_host() -> None:
    assert maps(HOUSEHOLD, "relay_domains") == {"relayed.example": "backup"}
    assert maps(HOUSEHOLD, "transport") == {"relayed.example": "relay:[mx.other.example]"}
    assert "relayed.example" not in maps(HOUSEHOLD, "domains")


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ({"mailboxes": (mailbox("a@myfamily.net", 1), mailbox("a@myfamily.net", 2))}, "a@myfamily.net"),
        ({"mailboxes": (mailbox("a@myfamily.net", 1), mailbox("b@myfamily.net", 1))}, "0000000000000001"),
        ({"aliases": (Alias("emma@myfamily.net", ("a@b.example",)),)}, "emma@myfamily.net"),
        ({"aliases": (Alias("x@myfamily.net", ("a@b.example",)),) * 2}, "x@myfamily.net"),
        ({"aliases": (Alias("x@myfamily.net", ()),)}, "x@myfamily.net"),
        ({"aliases": (Alias("x@unknown.example", ("a@b.example",)),)}, "unknown.example"),
        ({"mailboxes": (mailbox("x@old-domain.example", 1),)}, "old-domain.example"),
        ({"mailboxes": (mailbox("x@relayed.example", 1),)}, "relayed.example"),
        ({"domains": (Domain("a.example", "mail"), Domain("a.example", "backup", "b.example"))}, "a.example"),
        ({"domains": (*HOUSEHOLD.domains, Domain("x.example", "alias", "old-domain.example"))}, "x.example"),
        ({"mailboxes": (mailbox("x@myfamily.net", 1, quota=-1),)}, "-1"),
        ({"mailboxes": (mailbox("x@myfamily.net", 1, password="{PLAIN}secret"),)}, "{PLAIN}"),
    ],
)
def test_what_would_hide_something_is_refused(rows: dict[str, Any], named: str) -> None:
    assert named in refusal(with_rows(**rows))


def test_a_mail_folder_that_dovecot_would_expand_is_refused() -> None:
    for folder in ("/srv/%d", "/srv/a:b", "/srv/a b", "srv", ""):
        with pytest.raises(Unwritable):
            render(HOUSEHOLD, AT, folder)
