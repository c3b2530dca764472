"""Two addresses letter for letter, what differs marked. Pure: text in, pieces out; nothing is touched or raised."""

from difflib import SequenceMatcher
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a text, and whether the other text has it too."""

    text: str
    same: bool


def compared(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces, each piece the same as in the other or not."""
    steps = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    first = [Piece(one[start:end], tag == "equal") for tag, start, end, _from, _to in steps if end > start]
    second = [Piece(other[start:end], tag == "equal") for tag, _from, _to, start, end in steps if end > start]
    return first, second


def foreign(text: str) -> list[Piece]:
    """A text in pieces: letters of other alphabets, which can look like ours, are not the same."""
    pieces: list[Piece] = []
    for letter in text:
        same = letter.isascii()
        if pieces and pieces[-1].same == same:
            pieces[-1] = Piece(pieces[-1].text + letter, same)
        else:
            pieces.append(Piece(letter, same))
    return pieces
