"""How long raw rows are kept: what became of letters, what was decided of them, who could not sign in."""

from datetime import timedelta

from django.conf import settings


def kept() -> timedelta:
    """From the environment, see `mailadmin.settings`; then only counts remain."""
    return timedelta(days=settings.MAILADMIN_KEEP_DAYS)
