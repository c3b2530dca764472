"""What hypothesis makes for tests: whole hosts as `Snapshot`s, and text that means harm."""

from typing import Any

from hypothesis import strategies as st

from accounts.rules import Refused
from deploy.snapshot import Alias, Domain, Mailbox, Snapshot
from policies import filters
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


def accepted(rule: Any) -> Any:
    """True for what a rule accepts."""

    def accepts(value: object) -> bool:
        try:
            rule(value)
        except Refused:
            return False
        return True

    return accepts


WORDS = st.one_of(
    st.sampled_from(
        ["compiti", "  Compiti  di\tMatematica ", "e\u0301", "\\'\"$(id)`*.?^[", "💛 Größe", "%s %(x)s", "#"]
    ),
    st.text(max_size=30),
).filter(accepted(filters.phrase))
FOLDERS = st.one_of(
    st.sampled_from(["Scuola", "Scuola/Compiti", "Posta indesiderata", "Größe & Co", "Trash", "日本語", "a'b$(id)"]),
    st.lists(st.text(max_size=12), min_size=1, max_size=3).map("/".join),
).filter(accepted(filters.folder))
TARGETS = st.sampled_from(["ada@outside.example", "Zio+x@BÜCHER.example", "bo@outside.example"])


@st.composite
def conditions(draw: st.DrawFn) -> dict[str, Any]:
    """One condition as somebody may write it."""
    name = draw(st.sampled_from(sorted(filters.OPERATORS)))
    op = draw(st.sampled_from(filters.OPERATORS[name]))
    row = {"field": f"{name}:X-Test" if name == "header" else name, "op": f"{draw(st.sampled_from(['', 'not ']))}{op}"}
    values: dict[str, st.SearchStrategy[Any]] = {
        "size": st.sampled_from(["500K", "2m", 1000, "1024K", "1G"]),
        "spam": st.one_of(st.integers(1, 50), st.integers(1, 50).map(str)),
        "attachment": st.sampled_from(filters.ATTACHMENTS),
        "domain": st.sampled_from(["@Scuola.example", "bücher.example"]),
        "is": TARGETS if name in filters.ADDRESSES else WORDS,
    }
    if op == "exists":
        return row
    return {**row, "value": draw(values.get(name, values.get(op, WORDS)))}


def actions() -> st.SearchStrategy[dict[str, str]]:
    """One action as somebody may write it."""
    return st.one_of(
        st.sampled_from(["mark-read", "flag", "discard", "stop"]).map(lambda name: {"action": name}),
        st.builds(lambda name, folder: {"action": name, "folder": folder}, st.sampled_from(["file", "copy"]), FOLDERS),
        st.builds(lambda to: {"action": "forward", "to": to}, TARGETS),
    )


def filter_rules() -> st.SearchStrategy[dict[str, Any]]:
    """A filter rule as somebody may write it: `match`, `when`, `then`."""
    found = st.fixed_dictionaries(
        {
            "match": st.sampled_from(filters.MATCHES),
            "when": st.lists(conditions().filter(accepted(filters.condition)), max_size=4),
            "then": st.lists(actions(), min_size=1, max_size=4),
        }
    )
    return found.filter(lambda row: accepted(filters.then)(row["then"]))
