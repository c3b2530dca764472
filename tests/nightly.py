"""A pytest plugin: `--nightly-part 3/7` keeps, of the long proofs, the third of seven parts.

A long proof is marked `nightly(minutes)`, with the minutes it takes by itself on two cores. They are dealt out, the
longest first, to the part that has least until then: so the parts take about as long as each other, and each proof is
in exactly one. What is no long proof stays chosen.

Whatever is chosen, files that take long begin first: files run side by side, and none is left alone at the end.
"""

from collections.abc import Iterable, Mapping

import pytest

USUAL_MINUTES = 1.0
LONG = 3.0  # minutes: such a file goes before all others


def parse_part(text: str) -> tuple[int, int]:
    """'3/7' as (3, 7); ValueError where that is no part."""
    number, _, count = text.partition("/")
    part, parts = int(number), int(count)
    if not 1 <= part <= parts:
        raise ValueError(f"there is no part {part} of {parts}")
    return part, parts


def dealt(minutes: Mapping[str, float], parts: int) -> dict[str, int]:
    """The part of each proof, counted from 1, by how long each takes."""
    filled = dict.fromkeys(range(1, parts + 1), 0.0)
    found = {}
    for name in sorted(minutes, key=lambda name: (-minutes[name], name)):
        found[name] = min(filled, key=lambda part: filled[part])
        filled[found[name]] += minutes[name]
    return found


def minutes_of(item: pytest.Item) -> float:
    """What a long proof takes; nothing for any other test."""
    mark = item.get_closest_marker("nightly")
    return float(mark.args[0] if mark.args else USUAL_MINUTES) if mark else 0.0


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly-part", metavar="N/M", help="keep the Nth of M parts of the long proofs")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if wanted := config.getoption("--nightly-part"):
        try:
            keep_part(config, items, *parse_part(wanted))
        except ValueError as error:
            raise pytest.UsageError(f"--nightly-part takes N/M, such as 3/7: {error}") from None
    items[:] = longest_first(items)


def keep_part(config: pytest.Config, items: list[pytest.Item], part: int, parts: int) -> None:
    found = dealt({item.nodeid: minutes for item in items if (minutes := minutes_of(item))}, parts)
    others = [item for item in items if found.get(item.nodeid, part) != part]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if found.get(item.nodeid, part) == part]


def longest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """Files with long proofs, then those with daemons or a browser, then the rest; each in the order it had.

    A browser keeps a core busy and daemons are mostly waited for, so these two are best mixed as they come.
    """
    rows = list(items)
    ranks: dict[str, float] = {}
    for item in rows:
        waits = any(item.get_closest_marker(name) for name in ("daemons", "browser"))
        ranks[str(item.path)] = max(ranks.get(str(item.path), 0.0), minutes_of(item) // LONG + waits)
    return sorted(rows, key=lambda item: -ranks[str(item.path)])
