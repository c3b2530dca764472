"""Whatever goes wrong in a file of rules, or in the code that writes it, is noticed before it goes live.

One-spot changes of generated text, checksums left out; and one-spot changes of the compiler itself. Each that changes
what procmail reads has to be caught by reading the file back strictly; only comments may differ.
"""

import ast
import inspect
import random
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

from deploy.render import filters, quoting, rereading
from deploy.render.quoting import Unwritable
from deploy.render.reading import Misread
from deploy.snapshot import Action, Condition, Filter, Rule

KEY = "e" * 16
CONDITIONS = (
    *(Condition(field, op, "a.b+c") for field in filters.WORDS for op in ("is", "not contains", "starts", "ends")),
    *(Condition(field, op, "è (b) $c\\ d") for field in filters.TEXTS for op in ("is", "contains", "not starts")),
    Condition("subject", "ends", "è (b) $c\\ d"),
    *(Condition("header:x-a", op, "[a] ^b|?") for op in ("is", "not contains", "starts", "ends")),
    *(Condition(field, "exists") for field in ("from", "list", "subject", "header:x-a", "attachment", "spam")),
    Condition("to", "domain", "elsewhere.example"), Condition("body", "not contains", "Una frase"),
    Condition("size", "over", "2048"), Condition("size", "not under", "100"), Condition("attachment", "is", "pdf"),
    Condition("spam", "over", "6"), Condition("spam", "under", "12"),
)  # fmt: skip
ACTS = (
    (Action("file", "it's/Età & co"), Action("mark-read")), (Action("copy", "$HOME"), Action("flag")),
    (Action("forward", "a@elsewhere.example"), Action("stop")), (Action("discard"),), (Action("tag", "[a]"),),
    (Action("copy", "Trash"), Action("forward", "b@elsewhere.example"), Action("discard")),
)  # fmt: skip
RULES = Filter(
    "emma@myfamily.net",
    (
        *(
            Rule(
                f"{number:016x}", "So.", "any" if number % 3 else "all", CONDITIONS[number : number + number % 4], then
            )
            for number, then in enumerate(ACTS * 6)
        ),
        Rule("spam", "Spam.", "all", (CONDITIONS[-2],), (Action("file", "Junk"), Action("tag", "x"))),
    ),
)


def code(text: str) -> list[str]:
    """What procmail reads: all but the comments."""
    return [line for line in text.split("\n") if not line.startswith("#")]


def noticed(text: str) -> bool:
    """True when the file does not read back as it was meant."""
    try:
        return rereading.read_rules(text) != filters.meant(RULES, KEY)
    except (Misread, ValueError):
        return True


def changed(text: str, chance: random.Random) -> str:
    """A text with one spot changed, left out, doubled, or a line lost or moved."""
    at = chance.randrange(len(text))
    kind = chance.randrange(5)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + chance.choice("ab!*.^$\\()|[]{}:0 \n\t'\"`=?é\x00\r") + text[at + 1 :]
    if kind == 2:
        return text[:at] + chance.choice("ab!*.^$\\()|[]{}:0 \n\t'\"`=?") + text[at:]
    lines = text.split("\n")
    line = lines.pop(chance.randrange(len(lines)))
    if kind == 3:
        return "\n".join(lines)
    lines.insert(chance.randrange(len(lines)), line)
    return "\n".join(lines)


def survivors(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Of so many changed texts those that were not noticed although procmail reads something else."""
    whole, chance = filters.recipes(RULES, KEY), random.Random(seed)
    for _number in range(count):
        text = changed(whole, chance)
        if code(text) != code(whole) and not noticed(text):
            yield whole, text


@pytest.mark.parametrize("seed", range(3))
def test_a_changed_text_is_noticed(seed: int) -> None:
    assert not noticed(filters.recipes(RULES, KEY))
    assert list(survivors(500, seed)) == []


@pytest.mark.parametrize("other", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028"])
def test_what_ends_a_line_for_others_ends_none_for_procmail(other: str) -> None:
    whole = filters.recipes(RULES, KEY)
    for at in (place for place, letter in enumerate(whole) if letter == "\n"):
        text = whole[:at] + other + whole[at + 1 :]
        assert code(text) == code(whole) or noticed(text), text[at - 60 : at + 60]


@pytest.mark.nightly(0.3)
def test_a_changed_text_is_noticed_at_length() -> None:
    assert list(survivors(20_000, 99)) == []


class Spot(ast.NodeTransformer):
    """Changes the one spot of a number: a text, a number, a comparison, a condition."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.seen, self.what = wanted, -1, ""

    def here(self, node: ast.AST) -> bool:
        self.seen += 1
        if self.seen == self.wanted:
            self.what = ast.unparse(node)
        return self.seen == self.wanted

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and self.here(node):
            return ast.Constant(node.value[:-1] if node.value else "x")
        if isinstance(node.value, bool) and self.here(node):
            return ast.Constant(not node.value)
        if isinstance(node.value, int) and not isinstance(node.value, bool) and self.here(node):
            return ast.Constant(node.value + 1)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        return ast.UnaryOp(ast.Not(), node) if self.here(node) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return ast.IfExp(node.test, node.orelse, node.body) if self.here(node) else node


WRITERS = {
    filters: ("recipes", "collected", "block", "rule_blocks", "act_lines", "act", "condition_line", "asked", "in_words",
              "in_text", "in_header", "scored", "negated"),
    quoting: ("literal", "is_plain", "pattern_of", "forms", "maildir", "modified_utf7", "procmail_word", "tag",
              "whole"),
}  # fmt: skip


def mutants(module: ModuleType, name: str) -> Iterator[tuple[str, ast.Module]]:
    """One function with one spot changed, for every spot."""
    source = inspect.getsource(getattr(module, name))
    for number in range(1000):
        tree, spot = ast.parse(source), Spot(number)
        function = tree.body[0]
        assert isinstance(function, ast.FunctionDef)
        function.body = function.body[1:]  # without its docstring
        new = ast.fix_missing_locations(spot.visit(tree))
        if not spot.what:
            return
        yield f"{name}: {spot.what}", new


def written_by(module: ModuleType, name: str, tree: ast.Module) -> str:
    """What the compiler writes with that function in it; raises what it raises."""
    whole = getattr(module, name)
    names = {**vars(module)}
    exec(compile(tree, "mutant", "exec"), names)  # noqa: S102 - our own source
    users = [one for one in sys.modules.values() if one in (filters, quoting) and vars(one).get(name) is whole]
    try:
        for one in users:
            setattr(one, name, names[name])
        return filters.recipes(RULES, KEY)
    finally:
        for one in users:
            setattr(one, name, whole)


def test_a_changed_compiler_is_noticed() -> None:
    """The count stands in docs/measurements.md: `pytest -s` prints it."""
    whole, total, same, refused, read = filters.recipes(RULES, KEY), 0, 0, 0, 0
    survived = []
    for module, names in WRITERS.items():
        for name in names:
            for what, tree in mutants(module, name):
                total += 1
                try:
                    text = written_by(module, name, tree)
                except (Unwritable, Misread, AttributeError, TypeError, ValueError, LookupError, NameError):
                    refused += 1
                    continue
                if code(text) == code(whole):
                    same += 1
                elif noticed(text):
                    read += 1
                else:
                    survived.append(what)
    print(f"{total} mutants of the compiler: {refused} write nothing, {read} do not read back, {same} write the same")
    assert survived == []
    assert refused + read > 150
