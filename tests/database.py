"""A pytest plugin: `--database-alone` keeps the tests that use the database, for a second run with another one."""

import pytest

FIXTURES = frozenset({"db", "transactional_db", "django_db_setup", "shared_server"})  # the last one has its own


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-alone", action="store_true", help="keep the tests that use the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--database-alone"):
        return
    config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
    items[:] = [item for item in items if uses_database(item)]


def uses_database(item: pytest.Item) -> bool:
    """True for a test that asked for it, in whatever way."""
    return bool(item.get_closest_marker("django_db") or FIXTURES & set(getattr(item, "fixturenames", ())))
