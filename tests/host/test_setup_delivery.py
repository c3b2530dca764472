"""What procmail does with a letter: it arrives, or it waits. Nothing bounces, nothing is lost, nothing is run."""

import pwd
import stat
import uuid
from pathlib import Path

import pytest

from tests.host.letters import ANNA, HOUSE, KEYS, letter, stranger
from tests.host.machine import MailHost, wait_for, wait_with_retries

pytestmark = pytest.mark.daemons
RECIPE = "procmail/house.test/anna.rc"


@pytest.fixture(autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)


def hand_over(host: MailHost, recipient: str = ANNA, sender: str = "y@other.example") -> tuple[str, str]:
    """Send a letter from outside; its subject, by which it is known, and its queue id."""
    token = uuid.uuid4().hex
    with stranger(host.layout) as dialogue:
        assert dialogue.mail(sender)[0] == 250
        assert dialogue.rcpt(recipient)[0] == 250
        code, text = dialogue.data(letter(token))
    assert code == 250
    return token, text.decode().rpartition(" ")[2]


def arrived(host: MailHost, token: str) -> bool:
    return any(token.encode() in one for one in host.letters(KEYS[ANNA]))


def dispatch(host: MailHost, *arguments: str) -> int:
    """Run the delivery program as Postfix does, with arguments of our choice; its exit code."""
    etc = host.layout.etc
    words = [str(etc / "deliver"), "-t", "-m", str(etc / "dispatch.rc"), *arguments]
    return host.run(*words, user="vmail", stdin=letter("by hand")).returncode


def test_a_letter_belongs_to_the_mail_user_alone(mailhost: MailHost) -> None:
    token, _queue_id = hand_over(mailhost)
    wait_for(lambda: arrived(mailhost, token), "the letter")
    folder = mailhost.layout.mail / KEYS[ANNA]
    for path in (folder, *folder.rglob("*")):
        status = path.stat()
        assert status.st_uid == pwd.getpwnam("vmail").pw_uid
        assert not (status.st_size and path.name[0].isdigit() and stat.S_IMODE(status.st_mode) & 0o077), path
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_bounce_keeps_its_empty_sender(mailhost: MailHost) -> None:
    token, _queue_id = hand_over(mailhost, sender="")
    wait_for(lambda: arrived(mailhost, token), "the letter")
    found = next(one for one in mailhost.letters(KEYS[ANNA]) if token.encode() in one)
    assert b"Return-Path: <>" in found


@pytest.mark.parametrize(
    ("what", "recipe"),
    [
        ("recipe", None),
        ("recipe", ""),
        ("recipe", "BOX=aaaaaaaaaaaaaaaa\n"),
        ("recipe", "BOX=aaaaaaaaaaaaaaaa\nRULES_OK=yesno\n"),
        ("recipe", 'BOX=aaaaaaaaaaaaaaaa\nRULES_OK="\nyes"\n'),
        ("mailbox", "RULES_OK=yes\n"),
        ("mailbox", "BOX=/tmp\nRULES_OK=yes\n"),
        ("mailbox", "BOX=../aaaaaaaaaaaaaaaa\nRULES_OK=yes\n"),
        ("mailbox", "BOX=aaaaaaaaaaaaaaaa/../../x\nRULES_OK=yes\n"),
        ("folder", "BOX=0123456789abcdef\nRULES_OK=yes\n"),
    ],
    ids=[
        "gone",
        "empty",
        "cut short",
        "another word",
        "another line",
        "no folder",
        "outside",
        "up",
        "up again",
        "missing",
    ],
)
def test_a_letter_waits_for_a_whole_recipe(mailhost: MailHost, what: str, recipe: str | None) -> None:
    live = mailhost.layout.root / "current" / RECIPE
    whole = live.read_text()
    if recipe is None:
        live.unlink()
    else:
        mailhost.put_live(RECIPE, recipe)
    try:
        token, queue_id = hand_over(mailhost)
        wait_for(lambda: f"queue={queue_id} wait={what}\n" in mailhost.log("procmail.log"), "procmail's line about it")
        wait_for(lambda: f"{queue_id}: to=<{ANNA}>" in mailhost.log(), "Postfix to keep the letter")
        assert "status=deferred" in mailhost.log().partition(f"{queue_id}: to=<{ANNA}>")[2].splitlines()[0]
        assert not arrived(mailhost, token)
    finally:
        mailhost.put_live(RECIPE, whole)
    wait_with_retries(mailhost, lambda: arrived(mailhost, token), "the letter, once the recipe is whole again")


def test_a_letter_waits_for_its_mailbox(mailhost: MailHost) -> None:
    folder = mailhost.layout.mail / KEYS[ANNA]
    folder.rename(aside := folder.with_name("aside"))
    try:
        token, queue_id = hand_over(mailhost)
        wait_for(
            lambda: f"queue={queue_id} wait=folder" in mailhost.log("procmail.log"),
            "procmail to say that there is no folder",
        )
        wait_for(lambda: f"{queue_id}: to=<{ANNA}>" in mailhost.log(), "Postfix to keep the letter")
        assert not folder.exists()
    finally:
        aside.rename(folder)
    wait_with_retries(mailhost, lambda: arrived(mailhost, token), "the letter, once the mailbox is there again")


@pytest.mark.parametrize(
    ("recipient", "sender"),
    [
        ('"anna+`touch @TRAP@`"@house.test', "y@other.example"),
        ('"anna+`id>@TRAP@`"@house.test', "y@other.example"),
        ('"anna+$(touch @TRAP@)"@house.test', "y@other.example"),
        ('"anna+;touch @TRAP@"@house.test', "y@other.example"),
        ("anna+M=/tmp@house.test", "y@other.example"),
        ("anna+RULES_OK=yes@house.test", "y@other.example"),
        (ANNA, '"`touch @TRAP@`"@other.example'),
        (ANNA, '"$(touch @TRAP@)"@other.example'),
        (ANNA, "LOGFILE=@TRAP@@other.example"),
    ],
)
def test_addresses_are_never_run(mailhost: MailHost, recipient: str, sender: str) -> None:
    trap = Path("/tmp") / f"trap-{uuid.uuid4().hex}"
    token, _queue_id = hand_over(mailhost, recipient.replace("@TRAP@", str(trap)), sender.replace("@TRAP@", str(trap)))
    wait_for(lambda: arrived(mailhost, token), "the letter")
    assert not trap.exists()


@pytest.mark.parametrize(
    ("user", "domain"),
    [
        ("../anna", "house.test"),
        ("anna/x", "house.test"),
        (".anna", "house.test"),
        ("..", "house.test"),
        ("", "house.test"),
        ("an na", "house.test"),
        ("anna\n", "house.test"),
        ("anna\nx", "house.test"),
        ("anna'", "house.test"),
        ("anna`id`", "house.test"),
        ("anna$HOME", "house.test"),
        ("anna", ""),
        ("anna", ".."),
        ("anna", "../house.test"),
        ("anna", "house.test/../house.test"),
        ("anna", "house.test\n"),
    ],
)
def test_names_that_are_no_names_wait(mailhost: MailHost, user: str, domain: str) -> None:
    before = mailhost.letters(KEYS[ANNA])
    queue_id = uuid.uuid4().hex
    assert dispatch(mailhost, user, domain, "y@other.example", "anna@house.test", queue_id) == 75
    assert f"queue={queue_id} wait=name\n" in mailhost.log("procmail.log")
    assert mailhost.letters(KEYS[ANNA]) == before


def test_the_same_by_hand_arrives(mailhost: MailHost) -> None:
    before = len(mailhost.letters(KEYS[ANNA]))
    assert dispatch(mailhost, "anna", "house.test", "y@other.example", "anna@house.test", "BY-HAND") == 0
    assert len(mailhost.letters(KEYS[ANNA])) == before + 1


def test_without_arguments_nothing_is_delivered(mailhost: MailHost) -> None:
    assert dispatch(mailhost) == 75
