"""Many rows into one table, in few statements. In: the model, its columns, rows of plain values. Touched: the table.

The log brings thousands of rows in a second, for which model instances take several times as long as all the rest; and
a count is added to what is there by the database itself, so that nothing has to be read before. Both SQLite and
PostgreSQL have `ON CONFLICT`.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

from django.db import connection
from django.db.models import Model
from django.db.models.expressions import RawSQL

T = TypeVar("T")
Row: TypeAlias = tuple[str | int | bytes | None, ...]
CHUNK: Final = 5_000  # values in one statement; SQLite takes 32,766


def insert(model: type[Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Store new rows; `names` are those of the model's fields, values are as the database has them."""
    _insert(model, names, rows, "")


def insert_new(model: type[Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Store those rows that break no promise of the table."""
    _insert(model, names, rows, " ON CONFLICT DO NOTHING")


def insert_or_add(model: type[Model], unique: Sequence[str], counts: Sequence[str], rows: Iterable[Row]) -> None:
    """Store rows of `unique` and `counts`; where there is one, its counts grow by those."""
    quote, table = connection.ops.quote_name, connection.ops.quote_name(model._meta.db_table)
    grown = ", ".join(f"{quote(name)} = {table}.{quote(name)} + excluded.{quote(name)}" for name in counts)
    there = ", ".join(map(quote, columns(model, unique)))
    _insert(model, [*unique, *counts], rows, f" ON CONFLICT ({there}) DO UPDATE SET {grown}")


def replace(model: type[Model], names: Sequence[str], rows: Iterable[Row]) -> None:
    """Give these fields new values; each row ends with the number of the one that it replaces."""
    quote = connection.ops.quote_name
    new = ", ".join(f"{quote(name)} = %s" for name in columns(model, names))
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {new} WHERE {quote('id')} = %s",  # noqa: S608  our own models
            list(rows),
        )


def among(texts: Iterable[str]) -> RawSQL:
    """Many texts for `…__in`, as one value: of one each, Django makes more work than the database has with all."""
    rows = "json_each(%s)" if connection.vendor == "sqlite" else "json_array_elements_text(%s)"
    return RawSQL(f"SELECT value FROM {rows}", [json.dumps(list(texts))])  # noqa: S608, S611  both are ours


def columns(model: type[Model], names: Iterable[str]) -> list[str]:
    """The columns of these fields."""
    return [str(model._meta.get_field(name).column) for name in names]  # type: ignore[union-attr]


def chunks(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values, so many at a time as one statement takes."""
    rest = list(values)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def _insert(model: type[Model], names: Sequence[str], rows: Iterable[Row], conflict: str) -> None:
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(map(quote, columns(model, names)))})"
    head = f"INSERT INTO {into} VALUES "  # noqa: S608  names of our own models
    one = f"({', '.join(['%s'] * len(names))})"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # compiles it once; psycopg2 would send each row by itself
            cursor.executemany(head + one + conflict, list(rows))
            return
        for some in chunks(rows, CHUNK // len(names)):
            cursor.execute(head + ", ".join([one] * len(some)) + conflict, [value for row in some for value in row])
