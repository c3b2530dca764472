"""Another release goes live while letters are being delivered: each letter sees one of them, whole, and none waits."""

import os
import re
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from deploy.host import release
from deploy.snapshot import Action, Entry, Filter, Gate, Rule, Screen, Snapshot
from tests.host.family import EMMA, FAMILY, HOME, KEYS, look, settle
from tests.host.letters import letter, stranger
from tests.host.machine import MailHost, wait_for

pytestmark = [pytest.mark.daemons, pytest.mark.timeout(600)]
LETTERS = 1000
AUTHOR = "zia@mixed.test"
LINE = re.compile(r"^queue=(\S+) box=\S+ deliver in-8 - \S+ \S+ (\S+)$", re.MULTILINE)
RULED = re.compile(r"^queue=(\S+) box=\S+ rule=(\S+)$", re.MULTILINE)


def wishes(listed: str, folder: str, generation: int) -> Snapshot:
    """Emma's list names the author in this way, and her rule files into this folder."""
    gate = Gate(FAMILY, (("", "hold"),), entries=(Entry(listed, "allowed", "unproven"),))
    rule = Rule(f"{generation:016x}", f"Everything goes into {folder}.", "all", (), (Action("file", folder),))
    return replace(HOME, generation=generation, screens=(Screen(EMMA, (gate,)),), filters=(Filter(EMMA, (rule,)),))


ONE, TWO = wishes(AUTHOR, "One", 101), wishes("@mixed.test", "Two", 102)
WHOLE = {AUTHOR: ("One", f"{101:016x}"), "@mixed.test": ("Two", f"{102:016x}")}


@contextmanager
def switching(host: MailHost, numbers: tuple[int, int]) -> Iterator[list[int]]:
    """Now one release is live, now the other, some hundred times a second; how often, in a list."""
    link, beside, stop, done = host.layout.root / "current", host.layout.root / ".new-flip", threading.Event(), [0]

    def flip() -> None:
        while not stop.wait(0.002):
            done[0] += 1
            beside.symlink_to(f"releases/{release.name_of(numbers[done[0] % 2])}")
            beside.rename(link)

    thread = threading.Thread(target=flip)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()
        os.lchown(link, host.layout.root.joinpath("releases").stat().st_uid, -1)


def hand_over(host: MailHost, count: int) -> dict[str, str]:
    """Letters from outside in one dialogue; the subject of each by its queue id."""
    found = dict[str, str]()
    with stranger(host.layout) as dialogue:
        for _number in range(count):
            token = uuid.uuid4().hex
            assert dialogue.mail(AUTHOR)[0] == 250
            assert dialogue.rcpt(EMMA)[0] == 250
            code, text = dialogue.data(letter(token, author=AUTHOR))
            assert code == 250, text
            found[text.decode().rpartition(" ")[2]] = token
    return found


def folders(maildir: Path) -> dict[str, str]:
    """The folder of each letter, by its subject."""
    subjects = ((path.parts[-3], look(path).partition(b"\nSubject: ")[2][:32]) for path in maildir.glob(".*/new/*"))
    return {subject.decode("ascii", "replace"): folder[1:] for folder, subject in subjects}


def lies(maildir: Path, token: str) -> str:
    """The folder of one letter, once it is there."""
    return folders(maildir).get(token, "")


def test_a_thousand_letters_see_one_release_each(mailhost: MailHost) -> None:
    settle(mailhost)
    numbers = mailhost.apply(ONE).folder, mailhost.apply(TWO).folder
    before = len(mailhost.log("procmail.log"))
    maildir = mailhost.layout.mail / KEYS[EMMA] / "Maildir"
    with switching(mailhost, numbers) as times, ThreadPoolExecutor(4) as pool:
        tokens = {
            queue_id: token
            for found in pool.map(lambda _turn: hand_over(mailhost, LETTERS // 4), range(4))
            for queue_id, token in found.items()
        }
        said = wait_for(
            lambda: (
                len(LINE.findall(mailhost.log("procmail.log")[before:])) >= LETTERS
                and mailhost.log("procmail.log")[before:]
            ),
            "all letters",
            300,
        )
    assert "wait=" not in said
    # The log has a letter before it lies in its folder.
    lying = wait_for(lambda: (found := folders(maildir)).keys() >= set(tokens.values()) and found, "the last ones")
    entries, rules = dict(LINE.findall(said)), dict(RULED.findall(said))
    seen = {queue_id: (entries[queue_id], lying[token], rules[queue_id]) for queue_id, token in tokens.items()}
    assert [one for one in seen.values() if WHOLE[one[0]] != one[1:]] == []
    assert {entry for entry, _folder, _rule in seen.values()} == set(WHOLE)
    assert (len(seen), times[0] > LETTERS) == (LETTERS, True)


def test_two_releases_within_a_second_are_each_whole_for_the_next_letter(mailhost: MailHost) -> None:
    settle(mailhost)
    maildir = mailhost.layout.mail / KEYS[EMMA] / "Maildir"
    for snapshot, folder in ((ONE, "One"), (TWO, "Two"), (ONE, "One"), (TWO, "Two")):
        mailhost.apply(snapshot)
        (token,) = hand_over(mailhost, 1).values()
        assert wait_for(partial(lies, maildir, token), "the letter", 60) == folder
