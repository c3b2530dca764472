"""Lists and stations together: for any lists and any facts, `who.awk` says what the policy says, told here anew."""

import subprocess
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from deploy.render import render
from deploy.render.reading import read_recipe
from deploy.snapshot import Circle, Domain, Entry, Gate, Mailbox, Screen, Snapshot

CODE = Path(__file__).parents[2] / "deploy" / "setup" / "templates" / "who.awk"
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
EMMA, ANNA, RITA = "emma@home.example", "anna@home.example", "rita@shop.example"
OUTSIDE = ("rosa@a.example", "rosa+x@a.example", "zio@a.example", "rosa@b.example", "mailer-daemon@a.example")
ADDRESSES = (*OUTSIDE, ANNA, RITA, "anna+y@home.example", "nobody@home.example")
EVIDENCE = ("ip:192.0.2.0/24", "dkim:a.example")
ENTRIES = st.builds(
    Entry,
    st.sampled_from((*OUTSIDE[:4], "@a.example", "@b.example", RITA)),
    st.sampled_from(("always", "allowed", "allowed", "blocked")),
    st.sampled_from(("proven", "pinned", "unproven")),
    st.sampled_from(("", *EVIDENCE)),
)
LISTS = st.lists(ENTRIES, max_size=6, unique_by=lambda entry: entry.address).map(tuple)
GATES = st.lists(
    st.builds(
        Gate,
        st.sampled_from(("Home", "Club")),
        st.sampled_from(((("", "hold"),), (("", "proven"),), (("", "anyone"),))),
        st.booleans(),
        st.booleans(),
        LISTS,
    ),
    min_size=1,
    max_size=2,
)


@dataclass(frozen=True)
class Seen:
    """The facts about a letter."""

    verdict: str
    address: str
    how: str
    reply: str
    list_id: str
    spam: bool
    sender: str

    def head(self) -> str:
        who = self.verdict if self.verdict == "malformed" else f"{self.verdict} {self.address} {self.how}"
        spam = "spam 9.0" if self.spam else "ham 0.0"
        lines = [f"From: {who}", f"Reply-To: {self.reply}", f"List: {self.list_id}", f"Spam: {spam}"]
        return "Received: x\n" + "".join(f"X-Mailadmin-{line}\n" for line in lines) + "Subject: x\n\n"


PROOFS = st.sampled_from(
    [
        *(("pass", how) for how in ("dmarc", "dkim", "spf", "login")),
        *(("fail", how) for how in ("dmarc", "login", "unchecked")),
        *(("none", how) for how in (*EVIDENCE, "-")),
        ("temp", "dmarc"),
        ("malformed", ""),
    ]
)
LETTERS = st.builds(
    lambda proof, address, reply, list_id, spam, sender: Seen(
        proof[0], address, proof[1], reply, list_id, spam, sender
    ),
    PROOFS,
    st.sampled_from(ADDRESSES),
    st.sampled_from(("none", "same", "other", "malformed")),
    st.sampled_from(("none", "none", "none", "news.a.example", "x.lists.example", "malformed")),
    st.booleans(),
    st.sampled_from(("", "x@a.example")),
)


def household(gates: list[Gate], common: tuple[Entry, ...]) -> Snapshot:
    """Emma with these gates; Anna is her mother, Rita is somebody else here."""
    boxes = (Mailbox(ANNA, "a" * 16, (ANNA,), "", 0, True), Mailbox(EMMA, "e" * 16, (EMMA,), "", 0, True))
    other = Mailbox(RITA, "b" * 16, (RITA,), "", 0, True)
    circles = (Circle("Club", (EMMA,), (), entries=common), Circle("Home", (ANNA, EMMA), (ANNA,)))
    domains = (Domain("home.example", "mail"), Domain("shop.example", "mail"))
    screens = (Screen(EMMA, tuple(gates)),)
    return Snapshot(1, "primary", "primary", domains, (*boxes, other), (), circles, (), screens)


def rendered_says(snapshot: Snapshot, seen: Seen, once: str = "", asleep: str = "") -> str:
    """What the rendered files and the program say: `VERDICT STATION REASON`."""
    files = render(snapshot, AT, "/srv/mail")
    recipe = read_recipe(files["procmail/home.example/emma.rc"].decode())
    with tempfile.NamedTemporaryFile() as listed:
        listed.write(files[f"procmail/lists/{recipe['list']}"])
        listed.flush()
        env = {
            "PATH": "/usr/bin:/bin",
            "SENDER": seen.sender,
            "REPLY_TO": recipe["replies"],
            "PASS": once,
            "ASLEEP": asleep,
            "LC_ALL": "C",
        }
        words = ["awk", "-f", str(CODE), listed.name, "-"]
        done = subprocess.run(words, input=seen.head().encode(), capture_output=True, env=env, check=True, timeout=10)
    assert done.stderr == b""
    return " ".join(done.stdout.decode().split()[:3])


def policy_says(snapshot: Snapshot, seen: Seen, asleep: bool) -> str:
    """The same from POLICY's words, one gate after the other: the strictest decides."""
    if seen.verdict == "malformed":
        return "hold in-1 malformed"
    asked = [asks(snapshot, gate, seen) for gate in snapshot.screens[0].gates]
    if any(kind == "blocked" for kind, *_rest in asked):
        return "hold in-2 blocked"
    listed = [one for one in asked if one[0] in ("always", "allowed")]
    strangers = [
        gate.strangers[-1][1] for gate, one in zip(snapshot.screens[0].gates, asked, strict=True) if one[0] == ""
    ]
    held = refused(seen, listed, strangers)
    if held:
        return held
    always = bool(listed) and all(kind == "always" for kind, *_rest in listed)
    careful = any(gate.careful and gate.strangers[-1][1] == "hold" for gate in snapshot.screens[0].gates)
    if careful and not always and seen.reply in ("other", "malformed"):
        return "hold in-6 content"
    return "later in-7 hours" if asleep and not always else "deliver in-8 -"


def refused(seen: Seen, listed: list[tuple[str, str, str]], strangers: list[str]) -> str:
    """Stations 3 and 5."""
    ours = seen.address.endswith(("@home.example", "@shop.example"))
    if "hold" in strangers:
        return f"hold in-5 {'spam' if seen.spam else 'stranger'}"
    domain = seen.address.partition("@")[2]
    if (ours or listed) and seen.list_id != "none" and seen.how != "login" and seen.list_id != f"news.{domain}":
        return "hold in-5 stranger"
    if ours:
        return "" if proves(seen, "login", "") else "hold in-3 unproven"
    if listed:
        wanted = [(how, evidence) for _kind, how, evidence in listed]
        wanted += [("proven", "") for one in strangers if one == "proven"]
        return "" if all_prove(seen, wanted) else "hold in-3 unproven"
    if "proven" in strangers:
        return "hold in-5 spam" if seen.spam else "" if proves(seen, "proven", "") else "hold in-5 unproven"
    return ""


def all_prove(seen: Seen, wanted: list[tuple[str, str]]) -> bool:
    """Whether a letter shows what each gate wants; two different pins can only be met by proof."""
    pins = {evidence for how, evidence in wanted if how == "pinned" and evidence}
    return all(proves(seen, how, evidence) for how, evidence in wanted) and (len(pins) < 2 or seen.verdict == "pass")


def asks(snapshot: Snapshot, gate: Gate, seen: Seen) -> tuple[str, str, str]:
    """What one gate's lists say of a sender: kind, assurance, evidence. The address before its domain."""
    circle = next(one for one in snapshot.circles if one.name == gate.circle)
    bare = seen.address.partition("+")[0].partition("@")[0] + "@" + seen.address.partition("@")[2]
    ours = seen.address.endswith(("@home.example", "@shop.example"))
    rows = [Entry(one, "always") for one in circle.guardians] + [Entry(one, "allowed") for one in circle.mailboxes]
    rows += [row for row in (*gate.entries, *circle.entries) if gate.listed or row.kind != "allowed"]
    domain = "@" + seen.address.partition("@")[2]
    reports = seen.sender == "" and seen.address.startswith("mailer-daemon@")
    for form in (bare if ours else seen.address, domain):
        for kind in ("always", "blocked", "allowed"):
            found = [row for row in rows if row.kind == kind and row.address == form]
            if kind == "blocked":
                found += [row for row in rows if row.kind == kind and form != domain and row.address == bare]
            if found and not (form == domain and reports):
                order = {"proven": 0, "pinned": 1, "unproven": 2}
                strict = [
                    (row.assurance if row.evidence or row.assurance != "pinned" else "proven", row.evidence)
                    for row in found
                ]
                how, evidence = min(strict, key=lambda one: order[one[0]])
                pins = {pin for kept, pin in strict if kept == "pinned"}
                return (kind, "proven", "") if how == "pinned" and len(pins) > 1 else (kind, how, evidence)
    return ("", "", "")


def proves(seen: Seen, how: str, evidence: str) -> bool:
    """Whether a letter shows that it is from whom it says."""
    if how == "login":
        return (seen.verdict, seen.how) == ("pass", "login")
    if seen.verdict == "pass":
        return True
    if how == "pinned":
        return bool(evidence) and (seen.verdict, seen.how) == ("none", evidence)
    return how == "unproven" and (seen.verdict == "none" or (seen.verdict, seen.how) == ("fail", "dmarc"))


@settings(max_examples=300)
@given(GATES, LISTS, LETTERS, st.booleans())
def test_the_files_say_what_the_policy_says(
    gates: list[Gate], common: tuple[Entry, ...], seen: Seen, asleep: bool
) -> None:
    snapshot = household(gates, common)
    assert rendered_says(snapshot, seen, asleep="yes" if asleep else "") == policy_says(snapshot, seen, asleep)


HELD = household([Gate("Home", (("", "hold"),), careful=True, entries=(Entry("rosa@a.example", "allowed"),))], ())
NONE = Seen("none", "zio@a.example", "-", "none", "none", spam=False, sender="")


@pytest.mark.parametrize(
    ("seen", "once", "says"),
    [
        (Seen("malformed", "", "", "other", "malformed", True, ""), "in-1", "deliver in-8 -"),
        (NONE, "in-5", "deliver in-8 -"),
        (NONE, "in-3", "hold in-5 stranger"),
        (Seen("none", "zio@a.example", "-", "other", "none", True, ""), "in-5", "hold in-6 content"),
        (Seen("fail", "rosa@a.example", "dmarc", "none", "none", False, ""), "in-3", "deliver in-8 -"),
        (Seen("fail", "rosa@a.example", "dmarc", "other", "none", False, ""), "in-3", "hold in-6 content"),
        (Seen("pass", "rosa@a.example", "dmarc", "other", "none", False, ""), "in-6", "deliver in-8 -"),
    ],
)
def test_a_pass_is_for_one_station_alone(seen: Seen, once: str, says: str) -> None:
    assert rendered_says(HELD, seen, once) == says


@pytest.mark.parametrize(
    ("proof", "how", "says"),
    [
        ("none", "-", "deliver in-8 -"),
        ("fail", "dmarc", "deliver in-8 -"),
        ("fail", "unchecked", "hold in-3 unproven"),
        ("fail", "login", "hold in-3 unproven"),
        ("temp", "dmarc", "hold in-3 unproven"),
    ],
)
def test_a_name_that_is_enough_is_not_enough_when_nobody_looked(proof: str, how: str, says: str) -> None:
    coach = household([Gate("Home", (("", "hold"),), entries=(Entry("zio@a.example", "allowed", "unproven"),))], ())
    assert (
        rendered_says(coach, Seen(proof, "zio@a.example", how, "none", "none", spam=False, sender="x@a.example"))
        == says
    )


@pytest.mark.parametrize(
    "text", ["", "* stranger -", "rosa@a.example proven - -\n", "* proven - -\nzio@a.example proven - -\n"]
)
def test_a_list_that_is_not_whole_decides_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(text)
    seen = Seen("pass", "rosa@a.example", "dmarc", "none", "none", spam=False, sender="")
    words = ["awk", "-f", str(CODE), str(tmp_path / "list"), "-"]
    done = subprocess.run(words, input=seen.head().encode(), capture_output=True, check=False, timeout=10)
    assert (done.returncode, done.stdout) == (1, b"")


@pytest.mark.parametrize(("sender", "says"), [("", "deliver in-8 -"), ("x@a.example", "hold in-1 malformed")])
def test_what_our_own_host_reports_arrives(sender: str, says: str) -> None:
    class Report(Seen):
        def head(self) -> str:
            return super().head().replace("malformed", "report", 1)

    assert rendered_says(HELD, Report("malformed", "", "", "none", "none", spam=False, sender=sender)) == says


def test_nobody_passes_being_blocked() -> None:
    blocked = household([Gate("Home", (("", "hold"),), entries=(Entry("zio@a.example", "blocked"),))], ())
    assert rendered_says(blocked, NONE, "in-2") == "hold in-2 blocked"


@pytest.mark.parametrize("head", ["", "Subject: x\n\n", "X-Mailadmin-From: pass rosa@a.example dmarc\n\n"])
def test_without_all_facts_nobody_is_let_in(head: str) -> None:
    files = render(HELD, AT, "/srv/mail")
    with tempfile.NamedTemporaryFile() as listed:
        listed.write(next(data for path, data in files.items() if path.startswith("procmail/lists/")))
        listed.flush()
        words = ["awk", "-f", str(CODE), listed.name, "-"]
        done = subprocess.run(words, input=head.encode(), capture_output=True, check=True, timeout=10)
    assert done.stdout.startswith(b"hold in-1 malformed ")


def test_a_fact_that_is_given_twice_lets_nobody_in() -> None:
    seen = Seen("pass", "rosa@a.example", "dmarc", "none", "none", spam=False, sender="")

    class Twice(Seen):
        def head(self) -> str:
            return "X-MAILADMIN-FROM: pass rosa@a.example dmarc\n" + super().head()

    assert rendered_says(HELD, seen) == "deliver in-8 -"
    assert rendered_says(HELD, Twice(**asdict(seen))) == "hold in-1 malformed"
