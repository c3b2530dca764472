"""Real procmail comes to the same as the plain meaning of the rules, for any rules and any letter."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from deploy.host.samples import Trial, answers, expected
from deploy.render import filters, rereading
from deploy.render.facts import KINDS
from deploy.render.judging import Seen, judge
from deploy.render.samples import Sample, written
from deploy.snapshot import Action, Condition, Filter, Rule
from tests.host.machine import MailHost

pytestmark = pytest.mark.daemons
KEY = "e" * 16
# Few letters, so that values meet; with what means something to procmail, to a shell, and to two cases of a letter.
LETTERS = "ab.AB*é $É(|^\\[]>/<!?{`\"'#+"
PLAIN = "ab.-"


def texts(letters: str = LETTERS, most: int = 5) -> st.SearchStrategy[str]:
    """A value as `rules` lets it in: not empty, single blanks."""
    return st.text(letters, min_size=1, max_size=most).map(lambda text: " ".join(text.split())).filter(bool)


def words() -> st.SearchStrategy[str]:
    """Part of an address."""
    return texts("ab.@", 4)


def domains() -> st.SearchStrategy[str]:
    return st.sampled_from(["a.ab", "b.ab", "a.a.ab"])


def addresses() -> st.SearchStrategy[str]:
    return st.builds(lambda local, domain: f"{local}@{domain}", st.sampled_from(["a", "b", "a.b", "ab+a"]), domains())


def conditions() -> st.SearchStrategy[Condition]:
    inside = st.sampled_from(["is", "contains", "starts", "ends"])
    plain = st.one_of(
        st.builds(Condition, st.sampled_from(list(filters.WORDS)), inside, words()),
        st.builds(Condition, st.sampled_from(list(filters.WORDS)), st.just("domain"), domains()),
        st.builds(Condition, st.sampled_from(list(filters.WORDS)), st.just("is"), addresses()),
        st.builds(Condition, st.sampled_from(["subject", "list", "header:x-a", "header:b"]), inside, texts()),
        st.builds(
            Condition,
            st.sampled_from(["from", "cc", "subject", "list", "header:x-a", "attachment", "spam"]),
            st.just("exists"),
        ),
        st.builds(Condition, st.just("body"), st.just("contains"), texts()),
        st.builds(Condition, st.just("attachment"), st.just("is"), st.sampled_from(KINDS)),
        st.builds(Condition, st.just("size"), st.sampled_from(["over", "under"]), st.integers(200, 900).map(str)),
        st.builds(Condition, st.just("spam"), st.sampled_from(["over", "under"]), st.integers(1, 20).map(str)),
    )
    return st.builds(
        lambda one, other: Condition(one.field, f"not {one.op}" if other else one.op, one.value), plain, st.booleans()
    )


FOLDERS = st.sampled_from(["Scuola", "scuola", "A/b", "Età & co", "$HOME", "`id`", "a'b", "Trash", "x y"])


def actions() -> st.SearchStrategy[Action]:
    return st.one_of(
        st.builds(Action, st.sampled_from(["file", "copy"]), FOLDERS),
        st.builds(Action, st.just("copy"), FOLDERS),
        st.builds(Action, st.just("forward"), addresses()),
        st.builds(Action, st.just("tag"), st.sampled_from(["[spam]", "it's $HOME"])),
        st.sampled_from([Action("mark-read"), Action("flag"), Action("discard"), Action("stop")]),
    )


def one_place(then: list[Action]) -> tuple[Action, ...]:
    """A rule files a letter once."""
    placed = next((one for one in then if one.action in filters.PLACES), None)
    return tuple(one for one in dict.fromkeys(then) if one.action not in filters.PLACES or one == placed)


@st.composite
def rule_sets(draw: st.DrawFn) -> Filter:
    count = draw(st.integers(1, 6))
    rules = tuple(
        Rule(
            f"{number:016x}",
            draw(st.sampled_from(["When it is so", "ends in \\", "a\nb", "`id` $HOME '\""])),
            draw(st.sampled_from(["all", "any"])),
            tuple(draw(st.lists(conditions(), max_size=3))),
            one_place(draw(st.lists(actions(), min_size=1, max_size=3))),
        )
        for number in range(count)
    )
    return Filter("emma@myfamily.net", rules)


@st.composite
def letters(draw: st.DrawFn, of: Filter) -> Seen:
    """A letter: by chance, or with what the rules look for."""
    wanted = [one for rule in of.rules for one in rule.when]
    head = [(name, draw(texts())) for name in draw(st.lists(st.sampled_from(["X-A", "b", "B"]), max_size=3))]
    head += [
        (one.field.removeprefix("header:"), one.value)
        for one in wanted
        if one.field.startswith("header:") and one.value and draw(st.booleans())
    ]
    ids = [filters.phrase_id(KEY, filters.phrase(one.value)) for one in wanted if one.field == "body"]
    subjects = [one.value for one in wanted if one.field == "subject" and one.value]
    near = (
        st.sampled_from(subjects).flatmap(
            lambda text: st.sampled_from([text, text.swapcase(), f"a{text}", f"{text} b"])
        )
        if subjects
        else texts()
    )
    return Seen(
        author=draw(st.one_of(st.just(""), addresses())),
        to=tuple(draw(st.lists(addresses(), max_size=2, unique=True))),
        cc=tuple(draw(st.lists(addresses(), max_size=2, unique=True))),
        recipient=draw(addresses()),
        subject=draw(st.one_of(st.just(""), texts(), near)),
        list_id=draw(st.one_of(st.just(""), texts("ab.", 4))),
        head=tuple(head),
        phrases=frozenset(draw(st.lists(st.sampled_from(ids), max_size=2)) if ids else ()),
        size=draw(st.integers(0, 1000)),
        attachments=tuple(sorted(draw(st.lists(st.sampled_from(KINDS), max_size=2, unique=True)))),
        spam=(draw(st.booleans()), draw(st.integers(-50, 250))),
    )


def samples_of(row: Filter, seen: list[Seen]) -> Iterator[Sample]:
    """The letters with what the plain meaning says."""
    for one in seen:
        raw = written(one)
        yield Sample("", raw, one.recipient, judge(row, replace(one, size=len(raw)), KEY))


def agree(host: MailHost, folder: Path, cases: list[tuple[Filter, list[Seen]]]) -> None:
    """Procmail says of each letter what the rules mean."""
    trials = []
    for number, (row, seen) in enumerate(cases):
        text = filters.recipes(row, KEY)
        assert rereading.read_rules(text) == filters.meant(row, KEY)
        path = folder / f"rules{number}"
        path.write_text(text)
        trials.append(Trial(path, list(samples_of(row, seen))))
    wanted = [(trial, sample) for trial in trials for sample in trial.samples]
    for (trial, sample), said in zip(wanted, answers(host.layout, trials), strict=True):
        letter = sample.letter.decode(errors="replace")
        assert said == expected(sample.judged), f"{Path(trial.rules).read_text()}\n{sample.to}\n{letter}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a file of rules may be read by anybody."""
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == 0 and path != Path("/") and path != Path("/tmp"):
            path.chmod(0o755)
    return tmp_path


@st.composite
def cases(draw: st.DrawFn) -> tuple[Filter, list[Seen]]:
    """Rules, and letters that come near to them."""
    row = draw(rule_sets())
    return row, draw(st.lists(letters(row), min_size=3, max_size=3))


ANY = settings(suppress_health_check=list(HealthCheck), database=None)


@settings(ANY, max_examples=30)
@given(several=st.lists(cases(), min_size=10, max_size=10))
def test_procmail_obeys_exactly(mailhost: MailHost, folder: Path, several: list[tuple[Filter, list[Seen]]]) -> None:
    agree(mailhost, folder, several)


@pytest.mark.nightly(10)
@pytest.mark.timeout(1800)
@settings(ANY, max_examples=250)
@given(several=st.lists(cases(), min_size=20, max_size=20))
def test_procmail_obeys_exactly_at_length(
    mailhost: MailHost, folder: Path, several: list[tuple[Filter, list[Seen]]]
) -> None:
    agree(mailhost, folder, several)
