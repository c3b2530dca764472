"""On a real mail host: a file of the installer's that somebody changed is seen, kept over a start, or written anew."""

import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.host import drift, helper, release
from deploy.host.drift import Drifted
from deploy.host.helper import HelperError
from deploy.setup.lay import SMTP, lay
from tests.host.letters import ANNA, HOUSE, answer, stranger
from tests.host.machine import MailHost, wait_for

pytestmark = pytest.mark.daemons
MINE = "\n# by hand\nsmtpd_banner = mine.example ESMTP\n"


@pytest.fixture
def host(mailhost: MailHost) -> Iterator[MailHost]:
    """The shared host, as it was laid down before and afterwards."""
    mailhost.apply(HOUSE)
    etc = mailhost.layout.etc
    yield mailhost
    (etc / drift.KEPT_FILE).unlink(missing_ok=True)
    for one in drift.of_installer(mailhost.layout):
        helper.ask(mailhost.layout, "lay", one.path)
    helper.ask(mailhost.layout, "reload", "postfix")


def changed(host: MailHost) -> dict[str, Drifted]:
    """What is not as the installer wrote it."""
    return {one.path: one for one in drift.of_installer(host.layout)}


def again(host: MailHost) -> list[str]:
    """The installer's next start; what it says."""
    said: list[str] = []
    lay(host.var, host.layout.smtp - SMTP, host.code, None, said.append)
    return said


def test_what_is_laid_down_has_a_copy_and_has_not_drifted(host: MailHost) -> None:
    assert changed(host) == {}
    assert set(drift.read_list(host.layout.etc / release.LAID)) == set(release.LAID_NAMES)
    for name in release.LAID_NAMES:
        copy = release.copy_of(host.layout, name)
        assert copy.read_bytes() == (host.layout.etc / name).read_bytes()
        assert (copy.stat().st_uid, copy.stat().st_mode & 0o777) == (0, 0o644)


def test_theirs_is_kept_over_a_start_until_it_changes_again(host: MailHost) -> None:
    main = host.layout.postfix / "main.cf"
    mine = main.read_text() + MINE
    main.write_text(mine)
    one = changed(host)["postfix/main.cf"]
    assert drift.with_lines(host.layout, one, {}).lines[-2:] == ("+# by hand", "+smtpd_banner = mine.example ESMTP")
    helper.ask(host.layout, "keep", one.path, one.found)
    assert changed(host)["postfix/main.cf"].kept
    assert again(host) == [f"{main} was changed by hand and is kept as it is."]
    assert main.read_text() == mine
    assert changed(host)["postfix/main.cf"].kept
    main.write_text(mine + "# more\n")
    assert not changed(host)["postfix/main.cf"].kept
    with pytest.raises(HelperError, match="changed again"):
        helper.ask(host.layout, "keep", one.path, one.found)
    (sentence,) = again(host)
    assert "it is written anew, what was there is in etc/by-hand" in sentence
    assert (host.layout.etc / "by-hand/postfix/main.cf").read_text() == mine + "# more\n"
    assert changed(host) == {}


def test_mine_is_taken_and_the_daemons_read_it(host: MailHost) -> None:
    main = host.layout.postfix / "main.cf"
    before = main.read_bytes()
    main.write_text(main.read_text() + MINE)
    helper.ask(host.layout, "reload", "postfix")
    wait_for(lambda: greets(host) == "mine.example", "the change to act")
    helper.ask(host.layout, "keep", "postfix/main.cf", changed(host)["postfix/main.cf"].found)
    assert helper.ask(host.layout, "lay", "postfix/main.cf") == "laid"
    helper.ask(host.layout, "reload", "postfix")
    assert (main.read_bytes(), main.stat().st_uid, main.stat().st_mode & 0o777) == (before, 0, 0o644)
    wait_for(lambda: greets(host) != "mine.example", "the change to be gone")
    with stranger(host.layout) as dialogue:
        assert answer(dialogue, "y@other.example", ANNA).startswith("250")
    main.write_text(main.read_text() + MINE)
    assert not changed(host)["postfix/main.cf"].kept, "what was taken back is no longer kept"


def greets(host: MailHost) -> str:
    """The name that Postfix greets with."""
    with smtplib.SMTP() as dialogue:
        _code, said = dialogue.connect(host.layout.address, host.layout.smtp)
    return said.split()[0].decode()


def test_a_program_can_be_run_again(host: MailHost) -> None:
    deliver = host.layout.etc / "deliver"
    deliver.unlink()
    assert changed(host)["deliver"].found == ""
    helper.ask(host.layout, "lay", "deliver")
    assert deliver.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "words",
    [
        ("lay", "postfix/main.cf.bak"), ("lay", "../etc/postfix/main.cf"), ("lay", "/etc/passwd"), ("lay", "own-login"),
        ("lay", "host.json"), ("lay", "laid.json"), ("lay",), ("lay", "postfix/main.cf", "x"),
        ("lay", "postfix/mainxcf"),
        ("keep", "postfix/main.cf"), ("keep", "postfix/main.cf", "0" * 63), ("keep", "postfix/main.cf", "G" * 64),
        ("keep", "own-login", "0" * 64), ("keep", "postfix/main.cf", "0" * 64, "x"),
    ],
)  # fmt: skip
def test_nothing_else_can_be_laid_or_kept(host: MailHost, words: tuple[str, ...]) -> None:
    with pytest.raises(HelperError, match="refused"):
        helper.ask(host.layout, *words)


def test_a_copy_that_is_not_what_was_laid_is_not_used(host: MailHost) -> None:
    copy = release.copy_of(host.layout, "forward")
    whole = copy.read_bytes()
    copy.write_bytes(whole + b"# evil\n")
    try:
        with pytest.raises(HelperError, match="is not what was laid down"):
            helper.ask(host.layout, "lay", "forward")
    finally:
        copy.write_bytes(whole)


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(host: MailHost, tmp_path: Path) -> None:
    aim, path = tmp_path / "aim", host.layout.etc / "who.awk"
    aim.write_text("untouched")
    path.unlink()
    path.symlink_to(aim)
    assert changed(host)["who.awk"].found
    helper.ask(host.layout, "lay", "who.awk")
    assert not path.is_symlink()
    assert aim.read_text() == "untouched"
