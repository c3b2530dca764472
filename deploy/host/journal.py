"""The note that a switch is under way, so that a run that was killed is finished by the next.

In: a `Layout`. Out: the `Switch` under way, if any. Touched: `<root>/.switch`. Raises `ReleaseError`, OSError.
"""

import json
from dataclasses import asdict, dataclass

from deploy.host import files
from deploy.host.layout import Layout
from deploy.host.release import ReleaseError

NAME = ".switch"


@dataclass(frozen=True, slots=True)
class Switch:
    """From which folder (none before the first) to which. `instead`: where it leads back to, if not to the old one."""

    old: int | None
    new: int
    instead: int | None = None


def announce(layout: Layout, switch: Switch) -> None:
    """Write the note down."""
    files.replace(layout.root / NAME, json.dumps(asdict(switch)).encode() + b"\n", 0o644)


def announced(layout: Layout) -> Switch | None:
    """The note, if there is one."""
    path = layout.root / NAME
    try:
        return Switch(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise ReleaseError(f"{path} cannot be read: remove it, then apply again.") from error


def forget(layout: Layout) -> None:
    """The switch is done with."""
    (layout.root / NAME).unlink(missing_ok=True)
    files.flush([layout.root])
