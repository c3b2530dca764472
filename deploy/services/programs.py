"""One of our own modules as a program: what takes much memory, or reads what strangers wrote, is done apart.

In: a module's name, bytes. Out: the bytes that it wrote. Touched: what the module touches. Raises CommandError when it
fails or is not done in time.
"""

import sys

from django.conf import settings

from deploy.host.commands import CommandError, run

__all__ = ["CommandError", "run_module"]
SMALL = {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def run_module(module: str, given: bytes, *, timeout: float) -> bytes:
    """Run `python -m module`. `timeout`: seconds. It is told nothing of our settings, so it has no database."""
    return run([sys.executable, "-m", module], input=given, timeout=timeout, env=SMALL, cwd=settings.BASE_DIR).out
