"""The folders of a mailbox, through the root helper and the real Dovecot: which there are, and one more."""

import imaplib
from collections.abc import Iterator

import pytest

from deploy.host.helper import HelperError, ask, fetch
from deploy.host.imap import is_name
from tests.host.letters import ANNA, HOUSE, INFO, KEYS, LUCA, MARCO, WORD
from tests.host.machine import MailHost
from tests.host.test_helper_requests import say

pytestmark = pytest.mark.daemons
USUAL = ["Drafts", "Junk", "Sent", "Trash"]


@pytest.fixture(scope="module", autouse=True)
def _house(mailhost: MailHost) -> None:
    mailhost.apply(HOUSE)


def folders(host: MailHost, login: str) -> list[str]:
    """What the helper says."""
    return fetch(host.layout, "folders", login).decode().splitlines()


def make(host: MailHost, login: str, name: str) -> str:
    """Have the helper make a folder."""
    return ask(host.layout, "make-folder", login, name.encode("utf-8", "surrogatepass").hex())


@pytest.fixture
def over_imap(mailhost: MailHost) -> Iterator[imaplib.IMAP4]:
    """Anna's mail program."""
    with imaplib.IMAP4(mailhost.layout.address, mailhost.layout.imap, timeout=30) as dialogue:
        dialogue.login(ANNA, WORD)
        yield dialogue


def test_a_new_mailbox_has_the_usual_folders(mailhost: MailHost) -> None:
    """Also one that several share, and one that is suspended."""
    for login in (MARCO, INFO, LUCA):
        assert folders(mailhost, login) == USUAL


def test_a_folder_is_made_once_and_mail_programs_see_it(mailhost: MailHost, over_imap: imaplib.IMAP4) -> None:
    assert make(mailhost, ANNA, "Scuola/Compiti") == "made"
    assert make(mailhost, ANNA, "Scuola/Compiti") == "there"
    assert make(mailhost, ANNA, "Città & più") == "made"
    assert make(mailhost, ANNA, "Trash") in ("made", "there")
    for name in ("Scuola/Compiti", "Città & più"):
        assert name in folders(mailhost, ANNA)
    for listed in (over_imap.list(), over_imap.lsub()):
        names = b"\n".join(line for line in listed[1] if isinstance(line, bytes))
        assert b'"." Scuola.Compiti' in names
        assert b'"Citt&AOA- &- pi&APk-"' in names
    status = (mailhost.layout.mail / KEYS[ANNA] / "Maildir" / ".Scuola.Compiti").stat()
    assert (status.st_mode & 0o777, status.st_uid) == (0o700, mailhost.layout.mail.stat().st_uid)


def test_what_a_mail_program_makes_is_listed(mailhost: MailHost, over_imap: imaplib.IMAP4) -> None:
    for name in ('"Amici.Gite"', '"&ZeVnLIqe-"', '"a*b"', '"x&AH8-y"', '"-B"'):
        assert over_imap.create(name)[0] == "OK", name
    found = folders(mailhost, ANNA)
    assert {"Amici", "Amici/Gite", "日本語", "a*b", "-B"} <= set(found)
    assert found == sorted(found)
    assert not [name for name in found if "\x7f" in name or name.lower() == "inbox"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "INBOX",
        "inbox",
        "Inbox/x",
        ".",
        "..",
        "../../etc",
        "/etc",
        "a/",
        "/a",
        "a//b",
        "a.b",
        "a/../b",
        "~root",
        "a/~b",
        " a",
        "a ",
        "a/ b",
        "a\nb",
        "a\rb",
        "a\tb",
        "a\0b",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "e\u0300",
        "\ud800",
        "\ue000",
        "\U0010ffff",
        "a" * 61,
        "a" * 200 + "/" + "b" * 39,
    ],
)
def test_a_name_that_no_folder_can_have_is_refused(mailhost: MailHost, name: str) -> None:
    before = sorted(path.name for path in (mailhost.layout.mail / KEYS[MARCO]).rglob("*") if path.is_dir())
    with pytest.raises(HelperError):
        make(mailhost, MARCO, name)
    assert folders(mailhost, MARCO) == USUAL
    after = sorted(path.name for path in (mailhost.layout.mail / KEYS[MARCO]).rglob("*") if path.is_dir())
    assert before in (after, [])


@pytest.mark.parametrize(
    "name", ["-A", "--help", "-u", "$(id)", "`id`", "a\\b", "a;b", "%u", "*", "'", '"', "|x", "a&b", "日" * 60]
)
def test_a_name_is_only_a_name(mailhost: MailHost, name: str) -> None:
    assert make(mailhost, ANNA, name) in ("made", "there")
    assert name in folders(mailhost, ANNA)


@pytest.mark.parametrize(
    "request_",
    [
        b"folders\n",
        b"folders *\n",
        b"folders *@house.test\n",
        b"folders ?nna@house.test\n",
        b"folders -A\n",
        b"folders anna@house.test marco@house.test\n",
        b"folders anna@house.test -A\n",
        b"folders ANNA@house.test\n",
        b"folders anna@house.test\0\n",
        b"make-folder anna@house.test\n",
        b"make-folder anna@house.test \n",
        b"make-folder anna@house.test 4\n",
        b"make-folder anna@house.test 4G\n",
        b"make-folder anna@house.test 4A\n",
        b"make-folder anna@house.test 41 42\n",
        b"make-folder anna@house.test  41\n",
        b"make-folder * 41\n",
        b"make-folder -A 41\n",
        b"make-folder anna@house.test " + b"41" * 241 + b"\n",
        b"make-folder anna@house.test " + b"41" * 5_000_000 + b"\n",
    ],
    ids=range(20),
)  # fmt: skip
def test_anything_else_is_refused(mailhost: MailHost, request_: bytes) -> None:
    try:
        assert say(mailhost, request_).startswith("refused ")
    except (BrokenPipeError, ConnectionResetError):
        assert len(request_) > 1000


@pytest.mark.parametrize("hexadecimal", ["ff", "c3", "eda080", "f4908080", "c0af", "00"])
def test_bytes_that_are_no_text_are_refused(mailhost: MailHost, hexadecimal: str) -> None:
    with pytest.raises(HelperError):
        ask(mailhost.layout, "make-folder", MARCO, hexadecimal)
    assert folders(mailhost, MARCO) == USUAL


def test_nobody_has_no_folders(mailhost: MailHost) -> None:
    with pytest.raises(HelperError, match=r"There is no mailbox nobody@house\.test"):
        folders(mailhost, "nobody@house.test")
    with pytest.raises(HelperError, match=r"There is no mailbox nobody@house\.test"):
        make(mailhost, "nobody@house.test", "Scuola")


def test_the_longest_login_and_the_longest_name_fit_on_a_line(mailhost: MailHost) -> None:
    login = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.test"
    with pytest.raises(HelperError, match="There is no mailbox"):
        make(mailhost, login, "é" * 60 + "/" + "é" * 59)


def test_what_people_write_is_a_name() -> None:
    for name in ("Scuola", "Scuola/Compiti", "Città", "a b", "a\\b", "👪"):
        assert is_name(name), name
