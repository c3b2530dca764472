"""Three ways to store values in a few bytes: rows that come by the million are small because of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from django.db import models

if TYPE_CHECKING:  # what they are to who uses them; in the database both are numbers
    Moments: TypeAlias = models.DateTimeField[datetime, datetime]
    Keys: TypeAlias = models.CharField[str, str]
    Weeks: TypeAlias = models.Field[Sequence[int], Sequence[int]]
else:
    Moments = Keys = models.BigIntegerField
    Weeks = models.BinaryField

WEEK: Final = Struct("<168I")  # a number for each hour of a week
NO_WEEK: Final = (0,) * 168


class SecondsField(Moments):
    """A moment, aware and in whole seconds, stored as seconds since 1970: 4 bytes instead of 26 in SQLite."""

    def from_db_value(self, value: int | None, *_more: object) -> datetime | None:
        """Seconds -> the moment, in UTC."""
        return None if value is None else datetime.fromtimestamp(value, UTC)

    def to_python(self, value: Any) -> Any:
        """What a serializer wrote -> the moment."""
        return value if value is None or isinstance(value, datetime) else datetime.fromtimestamp(int(value), UTC)

    def get_prep_value(self, value: Any) -> Any:
        """The moment -> seconds."""
        return seconds(value) if isinstance(value, datetime) else value


class KeyField(Keys):
    """The key of a mailbox, 16 hex digits, stored as the 64 bits that it is; empty is 0, which no key is."""

    def from_db_value(self, value: int | None, *_more: object) -> str | None:
        """Bits -> hex digits."""
        return None if value is None else f"{value % (1 << 64):016x}" if value else ""

    def to_python(self, value: Any) -> Any:
        """Hex digits, as they are."""
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Hex digits -> bits, as a signed number."""
        return bits(value) if isinstance(value, str) else value


class WeekField(Weeks):
    """A number for each hour of a week, from Monday at midnight, in 672 bytes; a row for each would be 168 rows."""

    def from_db_value(self, value: bytes | None, *_more: object) -> Sequence[int]:
        """Bytes -> 168 numbers; none for none."""
        return WEEK.unpack(value) if value else ()

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """168 numbers -> bytes."""
        return super().get_db_prep_value(WEEK.pack(*value) if value else b"", connection, prepared)


def seconds(moment: datetime) -> int:
    """How a moment is stored."""
    return int(moment.timestamp())


def bits(key: str) -> int:
    """How a key is stored."""
    number = int(key or "0", 16)
    return number - (1 << 64) if number >> 63 else number


def digest(message_id: str) -> int:
    """64 bits of a Message-ID, as a signed number; 0 for none. Two letters may have one: it is looked for, no proof."""
    return int.from_bytes(blake2b(message_id.encode(), digest_size=8).digest(), signed=True) if message_id else 0
