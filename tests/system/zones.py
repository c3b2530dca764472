"""Time that a test moves: people live in the time zone in which it is the hour it wants."""

from datetime import UTC, datetime

EAST = 12  # hours from Greenwich, at most; beyond it is a day less


def zone(hour: int) -> str:
    """A time zone in which it is between this hour and the next now. (Their names turn the sign round.)"""
    east = (hour - datetime.now(UTC).hour) % 24
    east = east if east <= EAST else east - 24
    return f"Etc/GMT{-east:+d}"
