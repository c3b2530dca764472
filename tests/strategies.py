"""What hypothesis makes for tests: whole hosts as `Snapshot`s, and text that means harm."""

from typing import Any

from hypothesis import strategies as st

from deploy.snapshot import Alias, Domain, Mailbox, Snapshot
from tests.deploy.household import HASH, OTHER_HASH

NAMES = ("a.example", "b.example", "xn--bcher-kva.example")
MEANINGFUL = [
    *"\0\t\n\r\v\f\x1b\x7f\x85\u2028\u2029 '\"`\\$%&|;:#!*?()[]{}<>,=+~^@/.-_",
    "\r\n",
    "'\"'\"'",
    "$(id)",
    "`id`",
    "{SHA512-CRYPT}$6$",
    "DUNNO",
    "::::",
    "nologin=y",
    "VAR=value",
    "\ufeff",
    "\u202e",
    "é",
    "a",
    "A",
]


def hostile_text(longest: int = 40) -> st.SearchStrategy[str]:
    """Any text at all, with more than its share of characters that mean something to some program."""
    return st.one_of(
        st.lists(st.sampled_from(MEANINGFUL), max_size=longest).map("".join),
        st.text(max_size=longest),
        st.integers(0, 70_000).map(lambda length: "a" * length),
    )


LOCALS = st.from_regex(r"[a-z0-9]([a-z0-9_-]|\.[a-z0-9]){0,10}[a-z0-9]", fullmatch=True)
OUTSIDE = st.from_regex(r"[a-z0-9_][a-z0-9_'+=&~-]{0,10}(\.[a-z0-9_'+=&~-]{1,5})?", fullmatch=True).map(
    lambda local: f"{local}@outside.example"
)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A host that the rules would accept: mail domains, one alias domain, a backup; mailboxes, aliases, catch-alls."""
    locals_ = draw(st.lists(LOCALS, min_size=1, max_size=8, unique=True))
    split = draw(st.integers(1, len(locals_)))
    own = [f"{local}@{draw(st.sampled_from(NAMES))}" for local in locals_]
    keys = draw(st.lists(st.integers(1, (1 << 64) - 1), min_size=split, max_size=split, unique=True))
    boxes = [draw(mailboxes(address, f"{key:016x}", own[:split])) for address, key in zip(own, keys, strict=False)]
    targets = st.lists(st.one_of(st.sampled_from(own[:split]), OUTSIDE), min_size=1, max_size=4, unique=True)
    catch_alls = [f"@{name}" for name in NAMES if draw(st.booleans())]
    aliases = [
        Alias(
            address,
            tuple(draw(targets)),
            draw(st.booleans()),
            draw(st.sampled_from(["", "2020-01-01T00:00:00+00:00", "2100-01-01T00:00:00+00:00"])),
        )
        for address in [*own[split:], *catch_alls]
    ]
    return Snapshot(
        generation=draw(st.integers(1, 1 << 40)),
        host="primary",
        role="primary",
        domains=(
            *(Domain(name, "mail") for name in NAMES),
            Domain("twin.example", "alias", draw(st.sampled_from(NAMES))),
            Domain("relayed.example", "backup", "mx.other.example"),
        ),
        mailboxes=tuple(sorted(boxes)),
        aliases=tuple(sorted(aliases)),
    )


def mailboxes(address: str, key: str, people: list[str]) -> st.SearchStrategy[Mailbox]:
    """A mailbox of its own person or of several."""
    facts: dict[str, st.SearchStrategy[Any]] = {
        "logins": st.one_of(st.just((address,)), st.lists(st.sampled_from(people), unique=True).map(sorted).map(tuple)),
        "password": st.sampled_from(["", HASH, OTHER_HASH]),
        "quota": st.sampled_from([0, 1 << 20, 1 << 30, (1 << 50)]),
        "active": st.booleans(),
    }
    return st.builds(Mailbox, address=st.just(address), key=st.just(key), **facts)
