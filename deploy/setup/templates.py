"""Fill the files of `templates/` and write them where their text changed.

In: a template's name and the values for its `@NAMES@`. Out: text; whether a file changed. Touched: that file.
Raises SetupError when a value is missing or would break out of its place.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from deploy.setup.people import SetupError

TEMPLATES = Path(__file__).with_name("templates")
NAME = re.compile(r"@([A-Z][A-Z0-9_]*)@")


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template's text with every `@NAME@` replaced."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            raise SetupError(f"The template {template} asks for {match[1]}, which nobody knows.")
        return values[match[1]]

    return NAME.sub(value, (TEMPLATES / template).read_text(encoding="utf-8"))


def write(path: Path, text: str, mode: int = 0o644, group: int = 0) -> bool:
    """Put root's file in place by renaming, if its text or rights differ; True when they did."""
    if path.exists() and path.read_text(encoding="utf-8") == text and rights(path) == (mode, group):
        return False
    staging = path.with_name(f".{path.name}.new")
    staging.unlink(missing_ok=True)
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        os.fchown(file.fileno(), -1, group)
        os.fchmod(file.fileno(), mode)
    staging.replace(path)
    return True


def rights(path: Path) -> tuple[int, int]:
    """A file's mode and group."""
    status = path.stat()
    return status.st_mode & 0o7777, status.st_gid
