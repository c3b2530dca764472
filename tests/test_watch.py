"""The watch of a worker by itself; with a real worker and a real queue: system/test_silent_worker.py."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mailadmin.watch import Heard, Watch
from tests.host.machine import CHECKOUT, wait_for

PATIENCE = 0.5  # seconds
# A watch that is stopped as soon as it looks: it hears nothing, ever.
STOPPED = """
import os, signal
from mailadmin.watch import Heard, Watch
watch = Watch(Heard(), lambda: True, 2.0, print)
watch.start()
os.kill(os.getpid(), signal.SIGSTOP)
watch.join()
"""


def test_a_task_that_runs_is_no_silence() -> None:
    heard, ended = Heard(), threading.Event()
    watch = Watch(heard, lambda: True, PATIENCE, lambda _patience: ended.set())
    heard.began(task_id="one")
    heard.began(task_id="two")
    heard.ended(task_id="one")
    watch.start()
    assert not ended.wait(3 * PATIENCE)
    heard.ended(task_id="two")
    assert ended.wait(20)


def test_a_queue_that_does_not_answer_is_waited_for() -> None:
    answers, ended = threading.Event(), threading.Event()
    Watch(Heard(), answers.is_set, PATIENCE, lambda _patience: ended.set()).start()
    assert not ended.wait(3 * PATIENCE)
    answers.set()
    assert ended.wait(20)


def test_a_worker_that_was_asked_to_end_is_not_watched() -> None:
    ended = threading.Event()
    watch = Watch(Heard(), lambda: True, PATIENCE, lambda _patience: ended.set())
    watch.start()
    watch.stop()
    watch.join(20)
    assert not watch.is_alive()
    assert not ended.is_set()


@pytest.mark.timeout(120)
def test_the_time_for_which_a_worker_was_stopped_does_not_count() -> None:
    with subprocess.Popen([sys.executable, "-c", STOPPED], cwd=CHECKOUT, stdout=subprocess.PIPE) as worker:
        state = Path(f"/proc/{worker.pid}/stat")
        wait_for(lambda: state.read_text().rpartition(")")[2].split()[0] == "T", "the stop", 60)
        time.sleep(3)  # how long it is stopped is the test's subject
        go_on = time.monotonic()
        os.kill(worker.pid, signal.SIGCONT)
        worker.wait(60)
        assert time.monotonic() - go_on > 1
        assert worker.stdout
        assert worker.stdout.read() == b"2.0\n"
