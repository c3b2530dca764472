"""A key that a domain's letters are signed with, through the root helper."""

import pwd
import subprocess
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor

import pytest

from deploy.host.helper import HelperError, ask
from tests.host.machine import MailHost

pytestmark = pytest.mark.daemons
DOMAIN = "xn--caff-8oa.house.test"


def test_a_key_is_made_once_and_only_the_filter_reads_it(mailhost: MailHost) -> None:
    with ThreadPoolExecutor(4) as pool:
        (public,) = {*pool.map(lambda _turn: ask(mailhost.layout, "dkim-key", DOMAIN, "s2026"), range(4))}
    assert ask(mailhost.layout, "dkim-key", DOMAIN, "s2026") == public
    assert ask(mailhost.layout, "dkim-key", DOMAIN, "s2027") != public
    words = ["openssl", "pkey", "-pubin", "-inform", "DER", "-noout", "-text"]
    said = subprocess.run(words, input=b64decode(public, validate=True), check=True, capture_output=True).stdout
    assert b"(2048 bit)" in said
    folder = mailhost.layout.etc / "dkim" / DOMAIN
    assert sorted(path.name for path in folder.iterdir()) == ["s2026.key", "s2027.key"]
    status, filters = (folder / "s2026.key").stat(), pwd.getpwnam("_rspamd")
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o640, 0, filters.pw_gid)
    for user, reads in (("_rspamd", True), (mailhost.layout.agent, False), ("mailadmin", False)):
        words = ["setpriv", f"--reuid={user}", f"--regid={pwd.getpwnam(user).pw_gid}", "--clear-groups", "--", "cat"]
        assert (mailhost.run(*words, str(folder / "s2026.key")).returncode == 0) == reads


def test_without_its_folder_it_says_so(mailhost: MailHost) -> None:
    place = mailhost.layout.etc / "dkim"
    place.rename(place.with_name("dkim.away"))
    try:
        with pytest.raises(HelperError, match="dkim"):
            ask(mailhost.layout, "dkim-key", DOMAIN, "s2026")
    finally:
        place.with_name("dkim.away").rename(place)
