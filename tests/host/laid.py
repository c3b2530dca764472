"""The recipes that are laid down once, without the daemons: enough to ask procmail about rules."""

from dataclasses import replace
from pathlib import Path

from deploy.host.layout import Layout
from deploy.setup import templates

NOWHERE = Path("/nonexistent")
SOME = Layout("primary", *(NOWHERE,) * 6, "", "", "hash", "", *(0,) * 7)


def laid(folder: Path) -> Layout:
    """A host of which there is nothing but these recipes."""
    for name in ("rules.rc", "would.rc", "sample.rc"):
        templates.write(folder / name, templates.fill(name, {"ETC": str(folder)}))
    return replace(SOME, etc=folder)
