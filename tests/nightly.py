"""A pytest plugin: `--nightly-part 3/7` keeps the third of seven parts of the collected tests.

The part of a test follows from its node id without parameters alone, so a test stays in its part when others come and
go, all cases of one test run together, and the parts together are the whole.
"""

import hashlib
from collections.abc import Sequence

import pytest


def parse_part(text: str) -> tuple[int, int]:
    """'3/7' as (3, 7); ValueError where that is no part."""
    number, _, count = text.partition("/")
    part, parts = int(number), int(count)
    if not 1 <= part <= parts:
        raise ValueError(f"there is no part {part} of {parts}")
    return part, parts


def part_of(node_id: str, parts: int) -> int:
    """Which of the parts, counted from 1, a test belongs to."""
    name = node_id.partition("[")[0]
    return int.from_bytes(hashlib.sha256(name.encode()).digest()) % parts + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly-part", metavar="N/M", help="keep the Nth of M parts of the collected tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("--nightly-part")
    if wanted is None:
        return
    try:
        part, parts = parse_part(wanted)
    except ValueError as error:
        raise pytest.UsageError(f"--nightly-part takes N/M, such as 3/7: {error}") from None
    keep_part(config, items, part, parts)


def keep_part(config: pytest.Config, items: list[pytest.Item], part: int, parts: int) -> None:
    others: Sequence[pytest.Item] = [item for item in items if part_of(item.nodeid, parts) != part]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if part_of(item.nodeid, parts) == part]
