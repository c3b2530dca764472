"""A log of a host, read on from where it was read to: what is new in it is stored once.

In: the host's name, its log, how to read lines, and how to store what they say. Out: how many bytes were new. Touched:
LogPosition, and whatever is stored. Raises OSError where the log cannot be read.

The states of a piece of the log:
1. read: nothing is written; whoever dies here has done nothing
2. stored: one transaction moves the position from where the piece began to where it ends, and stores what the piece
   says. Of two that read the same piece one finds the position moved and drops its own, so no piece counts twice.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from django.db import transaction

from reports.logfile import MOST, Piece, Place, read_on
from reports.models import LogPosition

T = TypeVar("T")
PIECES: Final = 25  # in one call: a long log is read in several, so that each ends soon


def read_log(host: str, log: Path, parse: Callable[[bytes], T], store: Callable[[T], None], *, most: int = MOST) -> int:
    """Store what is new; return how many bytes that was."""
    position, _made = LogPosition.objects.get_or_create(host=host, log=log.name)
    place, new = Place(position.offset, position.fingerprint), 0
    for _piece in range(PIECES):
        piece = read_on(log, place, most)
        if piece is None or not _store(position, place, piece, parse, store):
            break
        new += len(piece.lines)
        place = piece.after
    return new


def _store(
    position: LogPosition, place: Place, piece: Piece, parse: Callable[[bytes], T], store: Callable[[T], None]
) -> bool:
    """Store one piece, once; False when somebody else has."""
    found = parse(piece.lines)
    with transaction.atomic():
        here = LogPosition.objects.filter(pk=position.pk, offset=place.offset, fingerprint=place.fingerprint)
        if not here.update(offset=piece.after.offset, fingerprint=piece.after.fingerprint):
            return False
        store(found)
    return True
