"""The agent's first release, which holds nothing: run as `python -m deploy.setup.first_release host.json`.

In: the path of `host.json`. Touched: `<root>/releases/000000` and `<root>/current`. Raises CommandError, OSError.
"""

import os
import sys
from pathlib import Path

from deploy.host.commands import run
from deploy.host.layout import Layout

MAPS = (  # every map main.cf names
    "aliases",
    "domains",
    "internal",
    "mailboxes",
    "probe",
    "refused",
    "relay_domains",
    "sasl_class",
    "sender_logins",
    "transport",
)


def lay_empty_release(layout: Layout) -> None:
    """Make release 000000 with every map and file the daemons open, all empty, and make it live."""
    release = layout.root / "releases" / "000000"
    release.mkdir(mode=0o755, exist_ok=True)
    (release / "postfix").mkdir(mode=0o755, exist_ok=True)
    for name in MAPS:
        (release / "postfix" / name).write_bytes(b"")
        run(["postmap", f"{layout.map_type}:{release / 'postfix' / name}"], timeout=10)
    for part in ("procmail", "dovecot"):
        _make_in_mould(layout, release, part)
    for name in ("passwd", "probe"):
        (release / "dovecot" / name).write_bytes(b"")
    staging = layout.root / "releases" / ".first"
    staging.unlink(missing_ok=True)
    staging.symlink_to("releases/000000")
    staging.rename(layout.root / "current")


def _make_in_mould(layout: Layout, release: Path, part: str) -> None:
    """A folder gets its group from the mould it is made in, and keeps it when it is moved."""
    if not (release / part).exists():
        made = layout.root / ".mould" / part / "000000"
        made.mkdir(mode=0o750, exist_ok=True)
        made.rename(release / part)


if __name__ == "__main__":
    os.umask(0o022)
    lay_empty_release(Layout.read(Path(sys.argv[1])))
