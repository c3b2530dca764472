"""The helper lets held letters go, keeps them or drops them: never two, never none, and none but those."""

import os
import signal
import stat
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from deploy.host.helper import HelperError, NoAnswer, ask
from tests.host.family import ANNA, KEYS, LUCA, settle
from tests.host.held import INBOX, KEY, LISTED, Planted, copies, found, plant, stored
from tests.host.machine import CHECKOUT, MailHost, wait_for
from tests.host.test_helper_requests import ASKING, say

pytestmark = pytest.mark.daemons
UNPROVEN = "fail nonna.rosa@gmail.com dmarc"


@pytest.fixture(scope="module")
def home(mailhost: MailHost) -> MailHost:
    settle(mailhost)
    return mailhost


def deliver(letter: Planted, passes: str = "-") -> str:
    return ask(letter.host.layout, "deliver", *letter.words, passes)


def test_a_pass_lets_a_strangers_letter_in_with_its_bytes_and_its_date(home: MailHost) -> None:
    letter = plant(home, stored())
    date = letter.path.stat().st_mtime
    assert deliver(letter, "in-5") == "delivered"
    assert found(home, letter.data) == {INBOX: date}
    status = next(home.layout.mail.joinpath(INBOX).glob(f"{letter.file}*")).stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == home.layout.mail.stat().st_uid
    assert status.st_gid == home.layout.mail.stat().st_gid


def test_who_is_on_the_list_now_is_let_in_without_a_pass(home: MailHost) -> None:
    letter = plant(home, stored(says=LISTED))
    assert deliver(letter) == "delivered"
    assert list(found(home, letter.data)) == [INBOX]


@pytest.mark.parametrize(
    ("says", "reply_to", "place", "passes"),
    [
        ("malformed", "none", "in-1.malformed", "in-1"),
        (UNPROVEN, "none", "in-3.unproven", "in-3"),
        (LISTED, "other", "in-6.content", "in-6"),
    ],
)
def test_each_station_has_its_pass(home: MailHost, says: str, reply_to: str, place: str, passes: str) -> None:
    letter = plant(home, stored(says=says, reply_to=reply_to), place)
    for wrong in {"-", "in-1", "in-3", "in-5", "in-6"} - {passes}:
        assert deliver(letter, wrong) == f"held {place}", wrong
        letter = Planted(
            home, place, next(letter.path.parent.glob(f"{letter.file.split('.again')[0]}*")).name, letter.data
        )
    assert deliver(letter, passes) == "delivered"
    assert list(found(home, letter.data)) == [INBOX]


def test_a_pass_opens_one_station_alone(home: MailHost) -> None:
    letter = plant(home, stored(reply_to="other"))
    date = letter.path.stat().st_mtime
    assert deliver(letter, "in-5") == "held in-6.content"
    assert found(home, letter.data) == {f".held/{KEY}/in-6.content/new": date}
    again = next((home.layout.held / KEY / "in-6.content/new").glob(f"{letter.file}*"))
    status = again.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_gid) == (0o640, home.layout.held.stat().st_gid)
    reading = home.run("cat", str(again), user=home.layout.agent)
    assert reading.stdout == letter.data


def test_who_is_still_held_is_a_new_letter_of_the_same_date(home: MailHost) -> None:
    letter = plant(home, stored())
    date = letter.path.stat().st_mtime
    names = {letter.file}
    for _time in range(3):
        assert ask(home.layout, "deliver", KEY, letter.place, max(names, key=len), "-") == "held in-5.stranger"
        assert found(home, letter.data) == {f".held/{KEY}/in-5.stranger/new": date}
        name = next(letter.path.parent.glob(f"{letter.file}*")).name
        assert name not in names
        assert len(name) < 100
        names = {name}


def test_a_letter_that_is_not_there_is_gone(home: MailHost) -> None:
    letter = plant(home, stored(says=LISTED))
    assert deliver(letter) == "delivered"
    assert deliver(letter) == "gone"
    assert ask(home.layout, "drop", *letter.words) == "gone"
    assert copies(home, letter.data) == 1


def test_one_letter_is_dropped_and_no_other(home: MailHost) -> None:
    letter, other = plant(home, stored()), plant(home, stored())
    assert ask(home.layout, "drop", *letter.words) == "dropped"
    assert (copies(home, letter.data), copies(home, other.data)) == (0, 1)


@pytest.mark.parametrize("verb", ["deliver", "drop"])
@pytest.mark.parametrize(
    "words",
    [
        "",
        "{key}",
        "{key} in-5.stranger",
        "{key} in-5.stranger {file} in-5 in-5",
        "{key} in-5.stranger {file} in-2",
        "{key} in-5.stranger {file} in-0",
        "{key} in-5.stranger {file} in-8",
        "{key} in-5.stranger {file} in-5\x00",
        "{key} in-5.stranger {file} IN-5",
        "{key} in-5.stranger {file}  ",
        "{key} in-5.stranger  {file} -",
        "{key} in-5.stranger ../new/{file} -",
        "{key} in-5.stranger /{file} -",
        "{key} in-5.stranger .. -",
        "{key} in-5.stranger . -",
        "{key} in-5.stranger .{file} -",
        "{key} in-5.stranger -rf -",
        "{key} in-5.stranger {file}/../{file} -",
        "{key} in-5.stranger {file}%2f -",
        "{key} in-5.stranger {file}\\ -",
        "{key} in-5.stranger {file}* -",
        "{key} in-5.stranger {file};id -",
        "{key} in-5.stranger `id` -",
        "{key} in-5.stranger " + "x" * 201 + " -",
        "{key} ../in-5.stranger {file} -",
        "{key} in-5.stranger/../in-5.stranger {file} -",
        "{key} in-9.stranger {file} -",
        "{key} in-5.Stranger {file} -",
        "{key} in-5 {file} -",
        "{key} . {file} -",
        "../{key} in-5.stranger {file} -",
        ".held/{key} in-5.stranger {file} -",
        "{key}0 in-5.stranger {file} -",
        "EEEEEEEEEEEEEEE1 in-5.stranger {file} -",
        "{key} in-5.stranger {file} -\r",
        "{key}\tin-5.stranger\t{file}\t-",
    ],
)
def test_other_words_are_refused(home: MailHost, verb: str, words: str) -> None:
    letter = plant(home, stored())
    text = words.format(key=KEY, file=letter.file)
    if verb == "drop":
        text = text.removesuffix(" -")
    answer = say(home, f"{verb} {text}\n".encode())
    assert answer.startswith("refused "), answer
    assert found(home, letter.data) == {f".held/{KEY}/in-5.stranger/new": letter.path.stat().st_mtime}
    letter.path.unlink()


@pytest.mark.parametrize("user", ["nobody", "mailadmin", "vmail"])
@pytest.mark.parametrize("verb", ["deliver {} in-5", "drop {}", "queue-waiting", "queue-show 4jZR2g1KFSzJDLm"])
def test_others_may_not_ask(home: MailHost, user: str, verb: str) -> None:
    letter = plant(home, stored())
    request = verb.format(" ".join(letter.words))
    asked = home.run(sys.executable, "-c", ASKING, str(home.layout.helper), request, user=user)
    assert b"PermissionError" in asked.stderr
    assert letter.path.exists()


def test_the_agent_may_ask_and_cannot_do_it_itself(home: MailHost) -> None:
    letter = plant(home, stored())
    agent = home.layout.agent
    assert home.run("cat", str(letter.path), user=agent).stdout == letter.data
    for words in (
        ["rm", "-f", str(letter.path)],
        ["touch", str(letter.path)],
        ["ln", "-s", "/etc", str(letter.path) + "x"],
    ):
        assert b"Permission denied" in home.run(*words, user=agent).stderr
    assert b"Permission denied" in home.run("ls", str(home.layout.again), user=agent).stderr
    asked = home.run(
        sys.executable, "-c", ASKING, str(home.layout.helper), f"drop {' '.join(letter.words)}", user=agent
    )
    assert asked.stdout == b"ok dropped\n"


@pytest.mark.parametrize("verb", ["deliver", "drop"])
@pytest.mark.parametrize("what", ["link", "link to nothing", "folder", "pipe", "linked place"])
def test_what_is_no_letter_is_left_alone(home: MailHost, verb: str, what: str, tmp_path: Path) -> None:
    """As whoever has taken over the mail user could plant it; root is not to be led anywhere by it."""
    secret = tmp_path / "secret"
    secret.write_bytes(stored(says=LISTED))
    secret.chmod(0o600)
    letter = plant(home, stored(says=LISTED))
    letter.path.unlink()
    words = list(letter.words)
    if what in ("link", "link to nothing"):
        letter.path.symlink_to(secret if what == "link" else tmp_path / "nothing")
    elif what == "folder":
        letter.path.mkdir()
    elif what == "pipe":
        os.mkfifo(letter.path)
    else:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / letter.file).write_bytes(secret.read_bytes())
        (tmp_path / "new" / letter.file).chmod(0o600)
        tmp_path.chmod(0o700)
        words[1] = "in-7.hours"
        (home.layout.held / KEY / words[1]).symlink_to(tmp_path)
    try:
        assert say(home, " ".join([verb, *words, *(["-"] if verb == "deliver" else [])]).encode() + b"\n").startswith(
            "failed "
        )
        assert secret.read_bytes().startswith(b"Return-Path")
        assert not found(home, secret.read_bytes())
    finally:
        for path in (letter.path, home.layout.held / KEY / "in-7.hours"):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)


def test_a_link_to_somebody_elses_letter_is_no_letter(home: MailHost) -> None:
    letter, other = plant(home, stored(says=LISTED)), plant(home, stored(says=LISTED), key=KEYS[LUCA])
    letter.path.unlink()
    letter.path.symlink_to(other.path)
    with pytest.raises(HelperError, match="failed"):
        deliver(letter)
    letter.path.unlink()
    assert list(found(home, other.data)) == [f".held/{KEYS[LUCA]}/in-5.stranger/new"]


def test_a_letter_never_goes_to_whoever_has_the_address_now(home: MailHost) -> None:
    """A key is never reused: the letters of the one before are none of the next one's."""
    letter = plant(home, stored(to=LUCA, says=f"pass {ANNA} login"))
    with pytest.raises(HelperError, match="puts the letter off: wait="):
        deliver(letter)
    assert found(home, letter.data) == {f".held/{KEY}/in-5.stranger/new": letter.path.stat().st_mtime}
    letter.path.unlink()


@pytest.mark.parametrize("head", [b"", b"From: x\n\nhi", b"Delivered-To: emma@myfamily.net\nReturn-Path: <x>\n\nhi"])
def test_a_letter_without_our_lines_stays(home: MailHost, head: bytes) -> None:
    letter = plant(home, head + uuid.uuid4().bytes)
    with pytest.raises(HelperError, match="does not begin with the lines"):
        deliver(letter, "in-5")
    assert copies(home, letter.data) == 1
    letter.path.unlink()


def test_without_a_recipe_it_stays(home: MailHost) -> None:
    letter = plant(home, stored(to="nobody@myfamily.net"))
    with pytest.raises(HelperError, match="wait=recipe"):
        deliver(letter, "in-5")
    assert copies(home, letter.data) == 1
    letter.path.unlink()


def test_without_its_mailbox_it_stays_and_the_next_is_served(home: MailHost) -> None:
    letter, other = plant(home, stored()), plant(home, stored(to=LUCA, says=LISTED), key=KEYS[LUCA])
    folder = home.layout.mail / KEY
    folder.rename(aside := folder.with_name("aside"))
    try:
        with pytest.raises(HelperError):
            deliver(letter, "in-5")
        assert deliver(other) == "delivered"
    finally:
        aside.rename(folder)
    assert copies(home, letter.data) == 1
    assert deliver(letter, "in-5") == "delivered"


def test_two_at_once_are_one(home: MailHost) -> None:
    letters = [plant(home, stored()) for _number in range(4)]
    with ThreadPoolExecutor(12) as pool:
        said = list(pool.map(lambda letter: deliver(letter, "in-5"), letters * 3))
    assert sorted(said) == ["delivered"] * 4 + ["gone"] * 8
    assert [copies(home, letter.data) for letter in letters] == [1] * 4


def killed_at(home: MailHost, moment: int, *words: str) -> int:
    """Run what the helper runs, as the mail user; die at this moment. How many moments there were, 0 when killed."""
    script = str(CHECKOUT / "tests" / "host" / "killed_again.py")
    layout = home.layout
    done = home.run(
        sys.executable, script, str(home.code), str(moment), str(layout.etc / "host.json"), *words, user="vmail"
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return int(done.stdout.split()[-1]) if not done.returncode else 0


@pytest.mark.parametrize("passes", ["in-5", "-"])
def test_killed_at_any_moment_there_is_one_letter(home: MailHost, passes: str) -> None:
    """With a pass it goes into the mailbox, without it is held again: in, out, and after the next call."""
    for moment in count(1, 2 if passes == "-" else 1):
        letter = plant(home, stored())
        date = letter.path.stat().st_mtime
        lived = killed_at(home, moment, "deliver", *letter.words, passes)
        assert copies(home, letter.data) in (1, 2), moment  # two for as long as it has not been let go of
        killed_at(home, 0, "recover")
        assert copies(home, letter.data) == 1, moment
        assert list(found(home, letter.data).values()) == [date], moment
        assert [path.name for path in home.layout.again.iterdir()] == ["lock"], moment
        if lived:  # it was done before this moment came
            break
    assert moment > 30


def test_the_helper_ends_what_was_begun_when_it_starts(home: MailHost) -> None:
    letter = plant(home, stored())
    renamed = moment_of_the_first_rename(home)
    killed_at(home, renamed, "deliver", *letter.words, "in-5")
    assert copies(home, letter.data) == 2
    home.running.control("restart", "helper")
    wait_for(lambda: home.layout.helper.exists() and copies(home, letter.data) == 1, "the helper to end it")
    assert list(found(home, letter.data)) == [INBOX]


def moment_of_the_first_rename(home: MailHost) -> int:
    """The moment just after the copy is in its place, and before the letter is let go of."""
    moments = killed_at(home, 0, "deliver", *plant(home, stored()).words, "in-5")
    for moment in range(moments, 0, -1):
        letter = plant(home, stored())
        killed_at(home, moment, "deliver", *letter.words, "in-5")
        both = copies(home, letter.data) == 2
        killed_at(home, 0, "recover")
        if both:
            return moment
    raise AssertionError("there is no such moment")


def test_a_helper_killed_in_the_middle_loses_nothing(home: MailHost) -> None:
    letters = [plant(home, stored()) for _number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(deliver, letter, "in-5") for letter in letters]
        wait_for(lambda: any(not letter.path.exists() for letter in letters), "the first to be delivered")
        pid = int(home.running.control("pid", "helper").out)
        os.kill(pid, signal.SIGKILL)
        assert {type(one.exception()) for one in asked} <= {type(None), NoAnswer}
    wait_for(lambda: home.running.control("status", "helper").out.split()[1] == b"RUNNING", "the helper", 30)
    for letter in letters:
        assert deliver(letter, "in-5") in ("delivered", "gone")
    assert [copies(home, letter.data) for letter in letters] == [1] * 8


def test_a_large_letter_goes_in(home: MailHost) -> None:
    letter = plant(home, stored() + b"\n" + b"x" * 70 + b"\n" * 20_000_000)
    started = time.monotonic()
    assert deliver(letter, "in-5") == "delivered"
    assert time.monotonic() - started < 5
    assert copies(home, letter.data) == 1
    for path in (home.layout.mail / INBOX).glob(f"{letter.file}*"):
        path.unlink()
