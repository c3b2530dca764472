"""A report taken away as a PDF: for whom the page is, with what the page shows, and nothing from anywhere else."""

import json
import socket
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import Community, User
from accounts.wishes import wishes
from deploy.services.programs import CommandError, run_module
from domains.models import Mailbox
from mailadmin.static import HashedStorage
from reports import takeaway
from reports.models import AccessEntry, DomainTally, Word
from reports.periods import month
from reports.views import pdf
from tests.reports.conftest import Household, count

pytestmark = pytest.mark.django_db
HOSTILE = "\u202egnp.exe\u2066 <script>alert(1)</script> $\\frac{"
Drawn = list[dict[str, Any]]
TINY = b64encode(b"%PDF-1.7").decode()


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Drawn:
    """What was to be drawn; nothing is."""
    asked: Drawn = []

    def draw(_module: str, given: bytes, *, timeout: float) -> bytes:
        assert timeout
        asked.append(json.loads(given))
        return json.dumps({"pdf": TINY, "charts": {}}).encode()

    monkeypatch.setattr(takeaway, "run_module", draw)
    return asked


def saved(client: Client, house: Household, who: str, kind: str, mode: str = "") -> int:
    client.force_login(house.people[who])
    return client.get(f"/reports/community/{house.communities[kind].pk}/?format=pdf&mode={mode}").status_code


def text_of(file: bytes) -> str:
    """Everything that a PDF says, what it is about included, without the places where lines end."""
    reader = PdfReader(BytesIO(file))
    return "".join(page.extract_text() for page in reader.pages).replace("\n", "") + str(reader.metadata)


def fill(house: Household) -> None:
    """Everybody writes and gets letters, and one goes to a domain of an evil name."""
    now = timezone.now()
    for box in house.mailboxes.values():
        for column in ("received", "sent", "away", "quick", "held"):
            count(box.key, column, 3, now - timedelta(hours=2))
        word, _made = Word.objects.get_or_create(text=HOSTILE, defaults={"seen": now})
        DomainTally.objects.create(mailbox=box.key, month=month(now.date()), domain=word, received=1, sent=1)


def rename(thing: Community | User, name: str) -> None:
    """Give a name past every rule, as a database might have it that was restored by hand."""
    with wishes("test", "test"), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {thing._meta.db_table} SET name = %s WHERE id = %s", [name, thing.pk])  # noqa: S608


@pytest.mark.parametrize(
    ("who", "kind", "mode", "status"),
    [
        ("marco", "business", "", 200),
        ("marco", "business", "pseudonyms", 200),
        ("marco", "business", "names", 403),  # without a purpose
        ("rita", "business", "", 200),
        ("rita", "business", "pseudonyms", 403),
        ("sara", "business", "", 403),
        ("ada", "business", "", 403),
        ("rosa", "business", "", 404),
        ("anna", "family", "", 200),
        ("emma", "family", "", 403),
    ],
)
def test_it_checks_who_saves(
    client: Client,
    household: Household,
    drawer: Drawn,
    who: str,
    kind: str,
    mode: str,
    status: int,
) -> None:
    assert saved(client, household, who, kind, mode) == status
    assert len(drawer) == (status == 200)


@pytest.mark.parametrize(
    ("who", "whose", "status"),
    [("emma", "emma", 200), ("anna", "emma", 200), ("sara", "emma", 404), ("anna", "marco", 403)],
)
def test_it_checks_who_saves_a_persons(
    client: Client, household: Household, drawer: Drawn, who: str, whose: str, status: int
) -> None:
    client.force_login(household.people[who])
    assert client.get(f"/reports/person/{household.people[whose].pk}/?format=pdf").status_code == status
    assert len(drawer) == (status == 200)


def test_saving_is_looking(client: Client, household: Household, drawer: Drawn) -> None:
    saved(client, household, "marco", "business", "pseudonyms")
    saved(client, household, "anna", "family")
    noted = set(AccessEntry.objects.values_list("who", "mode", "person__address"))
    assert noted >= {("marco@myfamily.net", "pseudonyms", None), ("anna@myfamily.net", "names", "emma@myfamily.net")}
    assert len(drawer) == 2


def test_a_pdf_without_names_names_nobody(client: Client, household: Household) -> None:
    fill(household)
    rename(household.communities["business"], "Co <script>\r\n\u202eoC")
    client.force_login(household.marco)
    answer = client.get(f"/reports/community/{household.communities['business'].pk}/?format=pdf&mode=pseudonyms")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment; ")
    text = text_of(answer.content)
    assert text.count("Person ") == 4
    assert "Letters of Co <script>" in text
    assert "<script>alert(1)</script> $\\frac{" in text
    assert not [character for character in "\u202e\u2066\r" if character in text]
    told = [word for box in Mailbox.objects.all() for word in (box.key, box.address, box.address.partition("@")[0])]
    told += [word for one in User.objects.all() for word in (one.name, one.address)]
    assert not [word for word in told if word.lower() in text.lower()]
    assert PdfReader(BytesIO(answer.content)).trailer["/Root"]["/Lang"] == "en"  # type: ignore[index]


def test_the_drawing_program_is_told_no_name_either(client: Client, household: Household, drawer: Drawn) -> None:
    fill(household)
    saved(client, household, "marco", "business", "pseudonyms")
    (asked,) = drawer
    assert set(asked["charts"]) == {f"{name}@report" for name in ("working", "who", "whom", "when", "rules")}
    text = json.dumps(asked).lower()
    assert not [one for one in User.objects.all() if one.name.lower() in text or one.address in text]
    assert "\\u202e" not in text
    assert "<script>" not in asked["html"]
    for name in asked["charts"]:
        assert f'<img src="cid:{name}" alt="' in asked["html"]


@pytest.fixture
def outside() -> Iterator[tuple[int, list[object]]]:
    """A port, and who knocked there."""
    knocked: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as door:

        def listen() -> None:
            try:
                while True:
                    knocked.append(door.accept()[1])
            except OSError:
                return

        Thread(target=listen, daemon=True).start()
        yield door.getsockname()[1], knocked
        door.shutdown(socket.SHUT_RDWR)


def test_nothing_is_fetched_from_elsewhere(outside: tuple[int, list[object]], tmp_path: Path) -> None:
    port, knocked = outside
    (tmp_path / "secret.css").write_text("body::before { content: 'read' }")
    (tmp_path / "secret.txt").write_text("treasure")
    html = f"""<!doctype html><title>x</title><link rel="stylesheet" href="file://{tmp_path}/secret.css">
        <link rel="attachment" href="file://{tmp_path}/secret.txt"><img src="http://127.0.0.1:{port}/a.png">
        <link rel="stylesheet" href="http://127.0.0.1:{port}/b.css"><img src="cid:other"><img src="data:image/png,x">
        <style>@import url(http://127.0.0.1:{port}/c.css); @font-face {{ font-family: x; src:
        url(file://{tmp_path}/secret.txt) }}</style><p style="font-family: x">here"""
    chart = {"labels": ["a"], "lying": True, "series": [{"name": "n", "values": [1], "shown": ["1"]}]}
    given = json.dumps({"html": html, "charts": {"own": chart}}).encode()
    answer = json.loads(run_module("reports.paper", given, timeout=60))
    file = b64decode(answer["pdf"])
    assert "here" in text_of(file)
    assert "read" not in text_of(file)
    assert not PdfReader(BytesIO(file)).attachments
    assert b64decode(answer["charts"]["own"]).startswith(b"\x89PNG")
    assert not knocked


def test_what_cannot_be_drawn_is_said(client: Client, household: Household, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object, **_more: object) -> bytes:
        raise CommandError("python did not end within 60 s.")

    monkeypatch.setattr(takeaway, "run_module", fail)
    client.force_login(household.marco)
    url = f"/reports/community/{household.communities['business'].pk}/?mode=pseudonyms&format=pdf"
    answer = client.get(url)
    assert answer.status_code == 503
    assert "save the tables one by one, or print the page" in answer.text
    assert 'href="?mode=pseudonyms"' in answer.text
    assert not AccessEntry.objects.exists()
    monkeypatch.setattr(pdf, "PATIENCE", 0.01)
    with pdf.BUSY:
        assert "try again in a minute" in client.get(url).text


def test_panel_and_worker_stay_small() -> None:
    words = "import django; django.setup(); import mailadmin.urls, reports.tasks, sys; print(*sys.modules)"
    environment = {"DJANGO_SETTINGS_MODULE": "mailadmin.settings", "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", words],
        env=environment,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert {"reports.tasks", "reports.takeaway"} <= loaded
    assert not loaded & {"matplotlib", "weasyprint", "numpy", "PIL"}


def test_static_files_are_not_packed_by_what_a_pdf_needs() -> None:
    pytest.importorskip("brotli")  # whitenoise would take a minute for it at each start
    assert not HashedStorage().create_compressor(quiet=True).use_brotli
