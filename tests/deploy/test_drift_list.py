"""Files that somebody changed by hand: they are shown, kept or written anew, and nobody else's wishes with them."""

import html
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.chain import examined, head
from accounts.models import AuditEntry, Wishes
from accounts.wishes import wishes
from deploy import export
from deploy.host import drift, files, release
from deploy.models import Drift, HostRequest, MailHost, Release
from deploy.services import doctor, drifting
from policies.models import Contact
from tests.deploy.standin import Standin
from tests.household import Household

pytestmark = [pytest.mark.daemons, pytest.mark.django_db]
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
URL = "/changes/drift/"


@pytest.fixture
def here(doors: Standin, household: Household, settings: Any, tmp_path: Path) -> Standin:
    """A mail host with the household's release, whose helper does what the real one does with the installer's files."""
    layout = doors.layout
    for name in release.laid(layout):
        release.copy_of(layout, name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(layout.etc / name, release.copy_of(layout, name))
    (layout.etc / "host.json").write_text(layout.to_json())
    settings.MAILADMIN_HOST_CONFIG = layout.etc / "host.json"

    def act(request: str) -> None:
        verb, *words = request.split(" ")
        if verb == "lay":
            drift.lay(layout, *words)
        if verb == "keep":
            drift.keep(layout, *words)

    doors.on_ask = act
    export.reconcile("primary")
    return doors


def seen(now: datetime = NOW) -> dict[str, Drift]:
    """What the agent finds."""
    drifting.look("primary", now)
    return {row.path: row for row in Drift.objects.all()}


def follow(client: Client, row: Drift, act: str, found: str | None = None) -> str:
    """Press a button, let the host do it, and look what became of it."""
    answer = client.post(f"{URL}{row.pk}/{act}/", {"found": row.found if found is None else found})
    if answer.status_code != 302:
        return answer.text
    drifting.answer_asked("primary", export.renew)
    return client.get(answer["Location"]).text


def test_what_is_as_it_was_written_is_not_shown(here: Standin, household: Household) -> None:
    assert seen() == {}
    client = household.client("marco")
    assert "Every file is as it was written." in client.get(URL).text
    assert "changed by hand." not in client.get("/").text
    assert doctor.by_hand(here.layout) == (True, "It is as it was laid down.")


def test_a_changed_main_cf_is_shown_line_by_line_without_secrets(here: Standin, household: Household) -> None:
    with (here.layout.postfix / "main.cf").open("a") as file:
        file.write("mydomain = evil.example\nsmtp_password = geheim\n# {SHA512-CRYPT}$6$abc\n")
    row = seen()["postfix/main.cf"]
    assert (row.installed, row.kept, row.since) == (True, False, NOW)
    text = household.client("marco").get(URL).text
    for words in ("+mydomain = evil.example", "+smtp_password = •••", "{•••}", "Keep theirs", "Take mine"):
        assert words in text, words
    assert "geheim" not in text
    assert "$6$" not in text
    assert "1 file of the mail host was changed by hand." in household.client("marco").get("/").text
    assert not doctor.by_hand(here.layout)[0]
    assert seen(NOW + timedelta(minutes=1))["postfix/main.cf"].since == NOW


def test_keep_theirs_lasts_until_it_changes_again(here: Standin, household: Household) -> None:
    main = here.layout.postfix / "main.cf"
    main.write_text("# mine\n")
    generation = Wishes.current()
    assert "It stays as it is" in follow(household.client("marco"), seen()["postfix/main.cf"], "keep")
    assert Drift.objects.get().kept
    assert main.read_text() == "# mine\n"
    assert "was changed by hand." not in household.client("marco").get("/").text
    assert doctor.by_hand(here.layout)[0]
    entry = AuditEntry.objects.latest("pk")
    assert (entry.kind, entry.door, entry.who, entry.what) == (
        "act", "drift", "marco@myfamily.net", "postfix/main.cf on primary",
    )  # fmt: skip
    assert Wishes.current() == generation
    main.write_text("# another\n")
    assert not seen()["postfix/main.cf"].kept
    assert "1 file of the mail host was changed by hand." in household.client("marco").get("/").text


def test_take_mine_writes_it_anew_and_puts_theirs_aside(here: Standin, household: Household) -> None:
    main = here.layout.postfix / "main.cf"
    before = main.read_text()
    main.write_text("# mine\n")
    assert "It is written anew." in follow(household.client("marco"), seen()["postfix/main.cf"], "take")
    assert main.read_text() == before
    assert (here.layout.etc / "by-hand/postfix/main.cf").read_text() == "# mine\n"
    assert here.asked[-2:] == ["lay postfix/main.cf", "reload postfix"]
    assert not Drift.objects.exists()
    assert AuditEntry.objects.latest("pk").kind == "act"


def test_a_file_that_is_gone_can_only_be_written_anew(here: Standin, household: Household) -> None:
    here.layout.dovecot.unlink()
    row = seen()["dovecot.conf"]
    client = household.client("marco")
    assert "it is gone" in client.get(URL).text
    assert "Keep theirs" not in client.get(URL).text
    assert client.post(f"{URL}{row.pk}/keep/", {"found": ""}).status_code == 422
    assert "It is written anew." in follow(client, row, "take")
    assert here.layout.dovecot.exists()


def test_in_a_release_nothing_is_kept_and_a_new_one_is_made(here: Standin, household: Household) -> None:
    live = release.live(here.layout)
    assert live
    (live.path / "postfix/aliases").write_text("kids@myfamily.net evil@outside.example\n")
    row = seen()["postfix/aliases"]
    client = household.client("marco")
    text = client.get(URL).text
    assert "+kids@myfamily.net evil@outside.example" in text
    assert "Keep theirs" not in text
    assert "In a release nothing can be kept" in client.post(f"{URL}{row.pk}/keep/", {"found": row.found}).text
    assert "A new release is live" in follow(client, row, "take")
    now = release.live(here.layout)
    assert now
    assert now.number > live.number
    assert release.verify(now.path) == []
    assert "evil" in (live.path / "postfix/aliases").read_text(), "the one before keeps what was there"
    assert "postfix/aliases had been changed by hand" in Release.objects.latest("pk").log
    assert seen() == {}


def test_a_change_of_wishes_says_what_it_replaced(here: Standin, household: Household) -> None:
    live = release.live(here.layout)
    assert live
    (live.path / "postfix/sentences").write_text("")
    assert set(seen()) == {"postfix/sentences"}
    with wishes("test", "test"):
        household.alias("new@myfamily.net", "anna")
    export.reconcile("primary")
    assert "postfix/sentences had been changed by hand" in Release.objects.latest("pk").log
    assert seen() == {}


def test_what_people_wish_for_themselves_is_not_shown(here: Standin, household: Household) -> None:
    with wishes("test", "test"):
        Contact(person=household.people["emma"], address="nonna.rosa@gmail.com").save()
    export.reconcile("primary")
    live = release.live(here.layout)
    assert live
    (path, *_more) = sorted((live.path / "procmail").rglob("emma.rc"))
    path.write_text(path.read_text() + "# segreto\n")
    (live.path / "procmail/evil.rc").write_text("x")
    assert {row.closed for row in seen().values()} == {True}
    text = household.client("marco").get(URL).text
    assert "segreto" not in text
    assert "what differs is not shown" in text
    assert "somebody put it there" in text


def test_what_was_changed_again_is_looked_at_first(here: Standin, household: Household) -> None:
    main = here.layout.postfix / "main.cf"
    main.write_text("# one\n")
    row = seen()["postfix/main.cf"]
    client = household.client("marco")
    main.write_text("# two\n")
    assert "changed again meanwhile" in follow(client, row, "take")
    assert "changed again meanwhile" in follow(client, row, "keep", "0" * 64)
    assert main.read_text() == "# two\n"
    assert not AuditEntry.objects.filter(kind="act").exists()
    shutil.copy(release.copy_of(here.layout, "postfix/main.cf"), main)
    row = Drift.objects.get()
    assert "there is nothing to do" in follow(client, row, "take")


def test_a_release_that_cannot_be_begun_is_an_answer_too(here: Standin, household: Household) -> None:
    live = release.live(here.layout)
    assert live
    (live.path / "postfix/aliases").write_text("kids@myfamily.net evil@outside.example\n")
    (here.layout.root / ".reconcile").unlink()
    (here.layout.root / ".reconcile").mkdir()
    text = follow(household.client("marco"), seen()["postfix/aliases"], "take")
    assert "The new release could not be made live: the first page says why." in text
    found = MailHost.objects.get()
    assert found.error
    assert found.error in html.unescape(household.client("marco").get("/").text)
    assert HostRequest.objects.get().state == HostRequest.State.DONE


def test_while_the_host_knows_more_no_release_is_made_anew(here: Standin, household: Household) -> None:
    live = release.live(here.layout)
    assert live
    (live.path / "postfix/aliases").write_text("kids@myfamily.net evil@outside.example\n")
    row = seen()["postfix/aliases"]
    Release.objects.all().delete()
    MailHost.objects.update(snapshot="another", expected=0)
    Wishes.objects.update(generation=live.manifest.generation - 1)
    assert "The new release could not be made live" in follow(household.client("marco"), row, "take")
    assert MailHost.objects.get().ahead == live.manifest.generation


def test_it_is_for_administrators_alone(here: Standin, household: Household) -> None:
    (here.layout.postfix / "main.cf").write_text("# mine\n")
    row = seen()["postfix/main.cf"]
    for who in ("anna", "emma", "olivia", "rita", "sara"):
        client = household.client(who)
        for act in ("take", "keep"):
            assert client.get(f"{URL}{row.pk}/{act}/").status_code == 405
            assert client.post(f"{URL}{row.pk}/{act}/", {"found": row.found}).status_code == 403
    asked = household.client("marco").post(f"{URL}{row.pk}/take/", {"found": row.found})["Location"]
    assert household.client("anna").get(asked).status_code == 403
    with wishes("test", "test"):
        household.person("marco", administrator=False)
        household.person("anna", administrator=True)
    assert household.client("anna").get(asked).status_code == 404
    drifting.answer_asked("primary", export.renew)
    assert HostRequest.objects.get().answer == {"error": drifting.FORBIDDEN}
    assert (here.layout.postfix / "main.cf").read_text() == "# mine\n"


def test_a_helper_that_fails_says_so(here: Standin, household: Household) -> None:
    (here.layout.postfix / "main.cf").write_text("# mine\n")
    here.helper_fails = "lay"
    assert "The mail host did not do it" in follow(household.client("marco"), seen()["postfix/main.cf"], "take")


def test_nobody_looks_while_a_release_is_made(here: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    (here.layout.postfix / "main.cf").write_text("# mine\n")

    def busy(*_words: object, **_options: object) -> None:
        raise files.Busy("Somebody is at it.")

    with monkeypatch.context() as patched:
        patched.setattr(files, "locked", busy)
        assert seen() == {}
    assert set(seen()) == {"postfix/main.cf"}


def test_a_release_names_the_head_of_the_log_and_doctor_finds_it(here: Standin, household: Household) -> None:
    live = release.live(here.layout)
    assert live
    assert live.manifest.audit == str(head(live.manifest.generation))
    assert doctor.audit()[0]
    number = int(live.manifest.audit.split()[0])
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE id = %s", [number])
    assert examined().wrong is None, "what is left is a chain"
    ok, sentence = doctor.audit()
    assert (ok, f"Entry {number}" in sentence, "cut or replaced" in sentence) == (False, True, True)
    Wishes.objects.update(generation=live.manifest.generation - 1)
    assert "This is an older database" in doctor.audit()[1]


def test_an_older_release_without_a_head_is_read(here: Standin) -> None:
    live = release.live(here.layout)
    assert live
    path = live.path / "MANIFEST.json"
    text = "\n".join(line for line in path.read_text().splitlines() if '"audit"' not in line)
    path.write_text(text)
    assert release.Release(live.path).manifest.audit == ""
    assert doctor.audit()[0]


def test_a_host_that_is_gone_takes_its_rows_along(here: Standin) -> None:
    (here.layout.postfix / "main.cf").write_text("# mine\n")
    assert seen()
    MailHost.objects.all().delete()
    assert not Drift.objects.exists()
