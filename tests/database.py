"""A pytest plugin: `--database-alone` keeps the tests that use the database, for a second run with another one."""

import pytest

FIXTURES = frozenset({"db", "transactional_db", "django_db_setup", "shared_server"})  # the last one has its own

# Every page by role and language, and another program's sums: what a database does there, other tests see sooner.
ONCE = frozenset({"test_translations", "test_urls_rights", "test_rights_filing", "test_log_pflogsumm"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-alone", action="store_true", help="keep the tests that use the database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--database-alone"):
        return
    config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
    items[:] = [item for item in items if uses_database(item)]


def uses_database(item: pytest.Item) -> bool:
    """Whether a test asked for it, in whatever way, and is not one of those that run once."""
    asked = item.get_closest_marker("django_db") or FIXTURES & set(getattr(item, "fixturenames", ()))
    return bool(asked) and item.path.stem not in ONCE
