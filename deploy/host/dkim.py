"""The keys that the letters of a domain are signed with: made by root, for the filter alone to read.

In: a `Layout`, a domain, a selector. Out: the public part, as the `p=` of the domain's record in the DNS has it: base64
of a SubjectPublicKeyInfo (RFC 6376, section 3.6.1). Touched: `etc/dkim/<domain>/<selector>.key`, which is written once
and never again. Raises CommandError, FolderError or OSError.
"""

import os
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.host import files
from deploy.host.commands import run
from deploy.host.folders import make_folder
from deploy.host.layout import Layout

BITS: Final = 2048  # RFC 8301, section 3.2: at least 1024, and 2048 wanted
TIME: Final = 20.0  # seconds; the helper gives an act 30


def key(layout: Layout, domain: str, selector: str) -> str:
    """Make a key unless it is there; its public part in any case."""
    folder = layout.etc / "dkim" / domain
    gid = folder.parent.stat().st_gid
    make_folder(folder, 0, gid, 0o750)
    place = folder / f"{selector}.key"
    if not place.exists():
        lay_down(place, gid)
    return b64encode(
        run(["openssl", "pkey", "-in", str(place), "-pubout", "-outform", "DER"], timeout=TIME).out
    ).decode()


def lay_down(place: Path, gid: int) -> None:
    """A new key under its name, whole or not at all. Of two at the same time the first stays."""
    words = ["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{BITS}"]
    beside = place.with_name(f".new-{os.urandom(8).hex()}")
    files.write(beside, run(words, timeout=TIME).out, 0o600)
    try:
        os.chown(beside, 0, gid)
        beside.chmod(0o640)
        files.flush([beside])
        with suppress(FileExistsError):
            os.link(beside, place)
    finally:
        beside.unlink()
    files.flush([place.parent])
