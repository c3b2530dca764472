"""For any accepted household: what the daemons read is what people wished.

The household comes through `load`, goes through gather, render and apply to a real host, and is asked back with
`postmap -q` and from Dovecot's auth. What is expected is worked out here from the file alone, another way than the
compiler's.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, assume, event, given, settings, strategies as st
from passlib.hash import sha512_crypt

from deploy.gather import gather
from deploy.models import MailHost as MailHostRow
from domains.models import Mailbox
from policies.household import HouseholdError, load
from tests.host.machine import MailHost

pytestmark = [pytest.mark.daemons, pytest.mark.django_db, pytest.mark.timeout(600)]

PASSWORD = "parola d'ordine"
HASH = "{SHA512-CRYPT}" + sha512_crypt.using(rounds=1000).hash(PASSWORD)
DOMAINS = ["rossi.example", "xn--bcher-kva.example", "a-b.c.example", "sub.rossi.example"]
OUTSIDE = ["zia@outside.example", "o'brien@outside.example", "x+y=z~&@outside.example"]
TODAY = date(2026, 6, 15)
locals_ = st.from_regex(r"\A[a-z0-9][a-z0-9._-]{0,5}\Z") | st.sampled_from(["emma", "luca", "0", "a.b", "x" * 64])


@st.composite
def households(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Tables of a household file; some of them are refused, and then nothing is expected."""
    names = draw(st.lists(st.sampled_from(DOMAINS), min_size=1, unique=True))
    addresses = [f"{draw(locals_)}@{draw(st.sampled_from(names))}" for _ in range(draw(st.integers(1, 6)))]
    boxes = sorted(set(addresses))
    people = [{"address": box, "active": draw(st.booleans()), **draw(hashes)} for box in boxes]
    reachable = [*boxes, *OUTSIDE, *[box.replace("@", "+x@") for box in boxes]]
    aliases = []
    for _ in range(draw(st.integers(0, 5))):
        address = f"{draw(st.just('') | locals_)}@{draw(st.sampled_from(names))}"
        targets = draw(st.lists(st.sampled_from(reachable), min_size=1, max_size=4))
        aliases.append({"address": address, "to": targets, "internal": draw(st.booleans()), **draw(ends)})
        reachable.append(address if not address.startswith("@") else f"nobody{address}")
    return {
        "community": [{"name": "Rossi", "timezone": "Europe/Rome", "domains": names}],
        "domain": [{"name": "old.example", "alias_of": names[0]}, {"name": "kept.example", "relay_to": "mx.o.example"}],
        "person": people,
        "mailbox": [
            {
                "address": box,
                "people": draw(st.lists(st.sampled_from(boxes), min_size=1, max_size=2, unique=True)),
                "quota": draw(st.sampled_from(["0", "1M", "3G"])),
                "active": draw(st.booleans()),
            }
            for box in boxes
        ],
        "alias": aliases,
    }


hashes = st.sampled_from([{"password_hash": HASH}, {}])
ends = st.sampled_from([{}, {"expires": date(2026, 6, 14)}, {"expires": TODAY}])


def twins(address: str, tables: dict[str, Any]) -> list[str]:
    """An address under every name of its domain."""
    local, _at, domain = address.rpartition("@")
    return [address] + [f"{local}@{row['name']}" for row in tables["domain"] if row.get("alias_of") == domain]


def bare(target: str, tables: dict[str, Any]) -> str:
    """The address a target means: without extension, in the domain that its own one stands for."""
    local, _at, domain = target.rpartition("@")
    stands_for = {row["name"]: row.get("alias_of", row["name"]) for row in tables["domain"]}
    return f"{local.partition('+')[0]}@{stands_for.get(domain, domain)}"


def working(tables: dict[str, Any]) -> dict[str, list[str]]:
    """The aliases that have not ended, without targets that have, and so on."""
    found = {row["address"]: row["to"] for row in tables["alias"] if row.get("expires", TODAY) >= TODAY}
    gone = {row["address"] for row in tables["alias"]} - found.keys()
    while gone:
        found = {name: [item for item in to if bare(item, tables) not in gone] for name, to in found.items()}
        gone = {name for name, to in found.items() if not to}
        found = {name: to for name, to in found.items() if to}
    return found


def final(target: str, tables: dict[str, Any]) -> set[str]:
    """The mailboxes and outside addresses that a letter to an address reaches."""
    meant = bare(target, tables)
    domain = meant.rpartition("@")[2]
    if meant in {row["address"] for row in tables["mailbox"]}:
        return {meant}
    if domain not in tables["community"][0]["domains"]:
        return {target}
    aliases = working(tables)
    found = aliases.get(meant, aliases.get(f"@{domain}", []))
    return set().union(*[final(item, tables) for item in found])


def postmap(host: MailHost, name: str, keys: list[str]) -> dict[str, str]:
    """What a live map says of these keys."""
    table = f"{host.layout.map_type}:{host.layout.root}/current/postfix/{name}"
    asked = "".join(f"{key}\n" for key in keys).encode()
    words = ("postmap", "-c", str(host.layout.postfix), "-q", "-", table)
    answer = host.run(*words, user="postfix", stdin=asked)
    assert not answer.stderr, answer.stderr
    return dict(line.split("\t", 1) for line in answer.stdout.decode().splitlines())


def reached(host: MailHost, address: str, depth: int = 0) -> set[str]:
    """Where Postfix's virtual(5) expansion of an address ends, by asking the live map."""
    assert depth < 30, f"{address} never ends"
    local, _at, domain = address.rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    found = postmap(host, "aliases", [plain, f"@{domain}"])
    value = found.get(plain) or found.get(f"@{domain}")
    if value is None or value == plain:
        return {plain if value else address}
    return set().union(*[reached(host, item.strip(), depth + 1) for item in value.split(",")])


def check_maps(host: MailHost, tables: dict[str, Any]) -> None:
    """Every map, key by key, and keys that must not be there."""
    boxes = {row["address"]: row for row in tables["mailbox"]}
    keys = dict(mailbox_keys())
    asked = [*boxes, "nobody@rossi.example", *OUTSIDE, *(f"{box}x" for box in boxes)]
    assert postmap(host, "mailboxes", asked) == {box: keys[box] for box in boxes}
    names = tables["community"][0]["domains"]
    assert set(postmap(host, "domains", [*DOMAINS, "old.example", "kept.example", "o.example"])) == {
        *names,
        "old.example",
    }
    assert set(postmap(host, "relay_domains", [*DOMAINS, "old.example", "kept.example"])) == {"kept.example"}
    for address in (*boxes, *(row["address"] for row in tables["alias"])):
        probe = f"zzz{address}" if address.startswith("@") else address
        for twin in twins(address, tables):
            wanted = f"zzz{twin}" if twin.startswith("@") else twin
            assert reached(host, wanted) == (final(probe, tables) or {wanted}), wanted  # what nothing takes stays


def mailbox_keys() -> list[tuple[str, str]]:
    """Address and key of every mailbox, as stored."""
    return list(Mailbox.objects.values_list("address", "key"))


def check_rights(host: MailHost, tables: dict[str, Any]) -> None:
    """Who may write as whom, who is refused, and who signs in."""
    people = {row["address"]: row for row in tables["person"]}
    own = {person: [b["address"] for b in tables["mailbox"] if b["people"] == [person]] for person in people}
    opens: list[str] = []
    closed: list[str] = []
    for box in tables["mailbox"]:
        address = box["address"]
        open_ = box["active"] and any(people[person]["active"] for person in box["people"])
        owners = {login for person in box["people"] for login in own[person]} if open_ else set()
        said = postmap(host, "sender_logins", [address]).get(address, "")
        assert {word.strip() for word in said.split(",") if word.strip()} == owners
        assert bool(postmap(host, "refused", [address])) != open_
        signs_in = open_ and len(box["people"]) == 1 and "password_hash" in people[box["people"][0]]
        assert bool(postmap(host, "sasl_class", [address])) == signs_in
        (opens if signs_in else closed).append(address)
    check_sign_ins(host, opens, closed)


def check_sign_ins(host: MailHost, opens: list[str], closed: list[str]) -> None:
    """Dovecot's auth lets these in, into their own folders, and those out; a refusal takes two seconds."""
    keys = dict(mailbox_keys())
    conf = str(host.layout.dovecot)

    def signs_in(address: str) -> bool:
        return host.run("doveadm", "-c", conf, "auth", "test", address, PASSWORD).returncode == 0

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(signs_in, opens + closed)) == [True] * len(opens) + [False] * len(closed)
    for address in opens:
        home = host.run("doveadm", "-c", conf, "user", "-f", "home", address)
        assert home.stdout.decode().strip() == f"{host.layout.mail}/{keys[address]}"


def prove(host: MailHost, tables: dict[str, Any]) -> None:
    """Load, apply, ask back."""
    load("", "a test", prune=True)  # a person who stays would keep her password
    try:
        load(tomli_w.dumps(tables), "a test", prune=True)
    except HouseholdError:
        event("refused")
        assume(False)
    applied = host.apply(gather(MailHostRow.objects.get()), datetime(2026, 6, 15, 12, tzinfo=UTC))
    assert applied.folder
    check_maps(host, tables)
    check_rights(host, tables)


checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=8, deadline=None, suppress_health_check=checks)
@given(tables=households())
def test_any_household_is_live_as_it_was_wished(db, mailhost, tables):
    prove(mailhost, tables)


@pytest.mark.nightly(4)
@settings(max_examples=60, deadline=None, suppress_health_check=checks)
@given(tables=households())
def test_many_households_are_live_as_they_were_wished(db, mailhost, tables):
    prove(mailhost, tables)
