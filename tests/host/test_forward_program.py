"""The program that sends letters on, by itself: a door that says nothing, or anything, and a head without an end."""

import threading
import time
from contextlib import closing
from pathlib import Path
from socket import create_server

import pytest

from deploy.host.forward import Door, NotNow, read_head
from tests.host.family import LUCA


def test_a_door_that_does_not_answer_is_left_in_time() -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        door = Door(silent.getsockname()[1], started + 0.3)
        with closing(door.line), pytest.raises(OSError, match="timed out"):
            door.answer()
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "said", [b"", b"220", b"421 busy\r\n", b"x" * 10_000, b"550 no\r\n", b"220-a\r\n220-b\r\n", b"\xff\xff\xff x\r\n"]
)
def test_a_door_that_says_anything_else_is_not_open_now(said: bytes) -> None:
    with create_server(("127.0.0.1", 0)) as odd:

        def answer() -> None:
            line, _address = odd.accept()
            with line:
                line.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        door = Door(odd.getsockname()[1], time.monotonic() + 10)
        with closing(door.line), pytest.raises(NotNow):
            door.expect("220")
        thread.join(10)


def test_the_head_of_a_letter_of_ten_megabytes_is_read_in_time(tmp_path: Path) -> None:
    path = tmp_path / "letter"
    path.write_bytes(b"Return-Path: <>\n" + b"X: y\n" * 2_000_000 + b"\nbody")
    started = time.process_time()
    with path.open("rb") as letter:
        sender, head, circles = read_head(letter, LUCA)
        assert (sender, len(head), circles) == ("", len(f"X-Loop: {LUCA}\r\n") + 6 * 2_000_000 + 2, False)
        assert letter.read() == b"body"
    assert time.process_time() - started < 8
