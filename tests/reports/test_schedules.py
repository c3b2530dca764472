"""Reports by mail: when they are due, to whom they go, what is in them, and that each comes once."""

import email.policy
import json
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from io import BytesIO

import pytest
from django.core.cache import cache
from pypdf import PdfReader

from accounts.models import Membership, User
from accounts.wishes import wishes
from deploy.services import NotTaken
from deploy.services.programs import CommandError
from domains.models import Mailbox, MailboxPerson
from reports import schedules, sending, takeaway
from reports.fields import digest
from reports.models import AccessEntry, Delivery, ReportSchedule
from reports.readings import of_community, of_person
from tests.reports.conftest import Household, count
from tests.reports.test_takeaway import HOSTILE, fill, rename

pytestmark = pytest.mark.django_db
OWN = "mailadmin@mail.mailadmin.invalid"
MADE = datetime(2026, 11, 18, 9, tzinfo=UTC)  # a Wednesday
MONDAY = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)  # half past six in Rome
PURPOSE = "The quota of next year is to be planned"
PNG = b"\x89PNG"


@dataclass
class MailHostOfTest:
    """Takes letters, unless it is `down`, or `refuses`; `dies` before or after it took one."""

    got: list[EmailMessage] = field(default_factory=list)
    down: bool = False
    refuses: bool = False
    dies: bool = False

    def submit(self, letter: EmailMessage, to: str) -> None:
        if self.down or self.refuses:
            raise NotTaken("no", refused=self.refuses)
        self.got.append(BytesParser(policy=email.policy.default).parsebytes(letter.as_bytes()))
        assert letter["To"] == to
        if self.dies:
            raise KeyboardInterrupt

    def send(self, now: datetime = MONDAY) -> list[EmailMessage]:
        """Send whatever is due; what came."""
        before = len(self.got)
        sending.send_all(now, OWN, self.submit)
        return self.got[before:]


@pytest.fixture
def host() -> MailHostOfTest:
    cache.clear()
    return MailHostOfTest()


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is drawn."""

    def draw(_module: str, given: bytes, *, timeout: float) -> bytes:
        assert timeout
        charts = {name: b64encode(PNG).decode() for name in json.loads(given)["charts"]}
        return json.dumps({"pdf": b64encode(b"%PDF-1.7").decode(), "charts": charts}).encode()

    monkeypatch.setattr(takeaway, "run_module", draw)


def ask(
    house: Household,
    who: str,
    kind: str = "business",
    mode: str = "totals",
    purpose: str = "",
    every: str = "week",
) -> ReportSchedule:
    """She asks for the report of a community."""
    role = Membership.objects.get(user=house.people[who], community=house.communities[kind]).role
    reading = of_community(house.people[who], house.communities[kind], role, mode, purpose, MADE)
    schedules.ask_for(house.people[who], reading, None, every, MADE)
    return ReportSchedule.objects.latest("pk")


def ask_of(house: Household, who: str, whose: str) -> ReportSchedule:
    """She asks for a person's report."""
    reading = of_person(house.people[who], house.people[whose], MADE)
    schedules.ask_for(house.people[who], reading, house.people[whose], "week", MADE)
    return ReportSchedule.objects.latest("pk")


def parts(letter: EmailMessage) -> dict[str, str]:
    """The text of each part that is text, that of the PDF with it, by its type."""
    (pdf,) = (part for part in letter.walk() if part.get_content_type() == "application/pdf")
    pages = PdfReader(BytesIO(pdf.get_content())).pages
    return parts_undrawn(letter) | {"application/pdf": "".join(page.extract_text() for page in pages).replace("\n", "")}


@pytest.mark.usefixtures("undrawn")
def test_it_comes_once_a_week_in_the_morning_of_its_time_zone(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco")
    assert not host.send(MADE)
    assert not host.send(MONDAY - timedelta(hours=1))  # half past five in Rome
    (letter,) = host.send(MONDAY)
    assert "16 November 2026 to 22 November 2026" in letter["Subject"]
    assert not host.send(MONDAY)
    assert not host.send(MONDAY + timedelta(days=6))
    assert len(host.send(MONDAY + timedelta(days=7))) == 1


@pytest.mark.usefixtures("undrawn")
def test_what_was_missed_comes_once_for_the_last_week_or_month(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco")
    ask(household, "rita", every="month")
    week, month = host.send(datetime(2027, 3, 3, tzinfo=UTC))
    assert "22 February 2027 to 28 February 2027" in week["Subject"]
    assert "1 February 2027 to 28 February 2027" in month["Subject"]
    assert not host.send(datetime(2027, 3, 3, 1, tzinfo=UTC))


@pytest.mark.usefixtures("undrawn")
def test_the_letter_is_text_html_with_pictures_and_a_pdf(household: Household, host: MailHostOfTest) -> None:
    fill(household)
    count(household.key("marco@mybusiness.com"), "sent", 7, MONDAY - timedelta(days=2))
    ask(household, "marco")
    (letter,) = host.send()
    assert letter["To"] == "marco@myfamily.net"
    assert letter["From"] == f"Mailadmin <{OWN}>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert [part.get_content_type() for part in letter.iter_parts()] == ["multipart/alternative", "application/pdf"]
    html = letter.get_body(("html",))
    assert isinstance(html, EmailMessage)
    pictures = {part["Content-ID"].strip("<>") for part in letter.walk() if part.get_content_type() == "image/png"}
    assert {"when@report", "whom@report"} <= pictures
    assert all(f'src="cid:{cid}"' in html.get_content() for cid in pictures)
    text = letter.get_body(("plain",))
    assert isinstance(text, EmailMessage)
    assert "- In all: Received 0, of these from inside 0, Sent 7" in text.get_content()
    assert "/reports/schedules/" in text.get_content()
    assert "/reports/schedules/" in html.get_content()


@pytest.mark.usefixtures("undrawn")
def test_it_speaks_the_readers_language(household: Household, host: MailHostOfTest) -> None:
    with wishes("test", "test"):
        household.rita.language = "it"
        household.rita.save()
    ask(household, "rita")
    (letter,) = host.send()
    assert letter["Subject"] == "Lettere di Fioretti & Co, da 16 Novembre 2026 a 22 Novembre 2026"


def lose_role(house: Household) -> None:
    with wishes("test", "test"):
        Membership.objects.get(user=house.marco, community=house.communities["business"]).delete()


def become_manager(house: Household) -> None:
    with wishes("test", "test"):
        row = Membership.objects.get(user=house.marco, community=house.communities["business"])
        row.role = "manager"
        row.save()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("change", [lose_role, become_manager])
@pytest.mark.parametrize(("mode", "purpose"), [("pseudonyms", ""), ("names", PURPOSE)])
def test_who_may_not_see_it_any_more_gets_nothing_and_it_ends(
    household: Household, host: MailHostOfTest, change: object, mode: str, purpose: str
) -> None:
    ask(household, "marco", mode=mode, purpose=purpose)
    change(household)  # type: ignore[operator]
    assert not list(schedules.of_reader(household.marco, MADE))
    host.down = True
    with pytest.raises(NotTaken):
        host.send()
    host.down = False
    (letter,) = host.send()
    assert letter["Subject"] == "No more report: letters of Fioretti & Co"
    assert letter.get_content_type() == "text/plain"  # no picture, no PDF
    assert letter.get_content().endswith(
        "You may not see these figures any more, so this was the last letter about it.\n"
    )
    assert not ReportSchedule.objects.exists()
    assert not AccessEntry.objects.exists()
    assert not host.send()


@pytest.mark.usefixtures("undrawn")
def test_a_parent_sees_as_much_as_the_level_lets_her_then(household: Household, host: MailHostOfTest) -> None:
    ask_of(household, "anna", "luca")
    ask_of(household, "luca", "luca")
    with wishes("test", "test"):
        row = Membership.objects.get(user=household.luca)
        row.level = "trusted"  # sight: nothing
        row.protection = "minor"
        row.save()
    came = {letter["To"]: letter["Subject"] for letter in host.send()}
    assert came["anna@myfamily.net"] == "No more report: letters of Luca"
    assert came["luca@myfamily.net"].startswith("Letters of Luca, ")
    assert ReportSchedule.objects.get().reader == household.luca


@pytest.mark.usefixtures("undrawn")
def test_it_goes_to_a_mailbox_that_nobody_else_reads_and_waits_for_one(
    household: Household, host: MailHostOfTest
) -> None:
    ask(household, "rita")
    with wishes("test", "test"):
        box = household.mailboxes["rita@mybusiness.com"].refreshed()
        box.active = False
        box.save()
    assert not host.send()
    with wishes("test", "test"):
        box = household.mailboxes["rita@mybusiness.com"].refreshed()
        box.active = True
        box.save()
        household.rita.active = False
        household.rita.save()
    assert not host.send()
    with wishes("test", "test"):
        household.rita.active = True
        household.rita.save()
    assert len(host.send()) == 1
    assert schedules.mailbox_of(household.sara) == "sara@mybusiness.com"  # and not info@, which Paolo reads too
    assert schedules.mailbox_of(household.ada) == ""
    with wishes("test", "test"):
        MailboxPerson(mailbox=household.mailboxes["sara@mybusiness.com"], user=household.paolo).save()
    assert schedules.mailbox_of(household.sara) == ""


@pytest.mark.usefixtures("undrawn")
def test_each_sending_is_a_look(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco", mode="names", purpose=PURPOSE)
    ask(household, "marco", "family", "names")
    assert not AccessEntry.objects.exists()
    assert len(host.send()) == 2
    lines = set(AccessEntry.objects.values_list("who", "mode", "purpose", "person__address", "when"))
    marco = "marco@myfamily.net"
    assert lines == {
        (marco, "names", PURPOSE, None, MONDAY),
        (marco, "names", "", "emma@myfamily.net", MONDAY),
        (marco, "names", "", "luca@myfamily.net", MONDAY),
    }
    ask(household, "marco", mode="pseudonyms")
    host.send()
    assert AccessEntry.objects.filter(mode="pseudonyms").count() == 1


@pytest.mark.usefixtures("undrawn")
def test_while_the_mail_host_is_away_it_is_tried_again(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco", mode="names", purpose=PURPOSE)
    host.down = True
    with pytest.raises(NotTaken):
        host.send()
    host.down = False
    assert not host.send(MONDAY + timedelta(minutes=1))  # perhaps it was taken: the log is not read yet
    assert len(host.send(MONDAY + timedelta(minutes=2))) == 1
    assert not host.send(MONDAY + timedelta(minutes=9))
    assert AccessEntry.objects.count() == 1


@pytest.mark.usefixtures("undrawn")
def test_one_that_is_refused_leaves_the_others_alone(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco")
    host.refuses = True
    assert not host.send()
    host.refuses = False
    ask(household, "rita")
    assert [letter["To"] for letter in host.send(MONDAY + timedelta(minutes=3))] == ["rita@mybusiness.com"]
    cache.clear()
    assert [letter["To"] for letter in host.send(MONDAY + timedelta(minutes=13))] == ["marco@myfamily.net"]


@pytest.mark.usefixtures("undrawn")
def test_names_without_a_purpose_are_never_sent(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco", mode="names", purpose=PURPOSE)
    ReportSchedule.objects.update(purpose="")
    assert [letter["Subject"] for letter in host.send()] == ["No more report: letters of Fioretti & Co"]
    assert not ReportSchedule.objects.exists()


@pytest.mark.usefixtures("undrawn")
def test_what_cannot_be_drawn_leaves_the_others_alone_and_is_no_look(
    household: Household, host: MailHostOfTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_module: str, _given: bytes, *, timeout: float) -> bytes:
        raise CommandError(f"python did not end within {timeout:g} s.")

    ask(household, "marco", mode="names", purpose=PURPOSE)
    with monkeypatch.context() as broken:
        broken.setattr(takeaway, "run_module", fail)
        assert not host.send()
    ask(household, "rita")
    assert [letter["To"] for letter in host.send()] == ["rita@mybusiness.com"]
    assert not host.send()
    assert not AccessEntry.objects.exists()
    cache.clear()
    assert [letter["To"] for letter in host.send()] == ["marco@myfamily.net"]


@pytest.mark.usefixtures("undrawn")
def test_a_worker_that_dies_after_sending_sends_nothing_twice(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco")
    host.dies = True
    with pytest.raises(KeyboardInterrupt):
        host.send()
    host.dies = False
    (letter,) = host.got
    name = letter["Message-ID"].strip("<>")
    Delivery.objects.create(
        host="primary", queue_id="4aBcD", opened=MONDAY, when=MONDAY, status="sent", message=digest(name)
    )
    assert not host.send(MONDAY + timedelta(minutes=5))
    assert ReportSchedule.objects.get().sent == date(2026, 11, 22)


@pytest.mark.usefixtures("undrawn")
def test_a_worker_that_died_before_has_lost_nothing(household: Household, host: MailHostOfTest) -> None:
    ask(household, "marco")
    host.down = True
    with pytest.raises(NotTaken):
        host.send()
    host.down = False
    assert len(host.send(MONDAY + timedelta(minutes=5))) == 1


@pytest.mark.usefixtures("undrawn")
def test_of_two_workers_one_sends(household: Household, host: MailHostOfTest) -> None:
    schedule = ask(household, "marco")
    reading = schedules.reading(schedule, MONDAY)
    period = schedules.period("week", reading, MONDAY)
    assert sending.marked(schedule, reading, period, MONDAY)
    assert not sending.marked(schedule, reading, period, MONDAY)
    sending.send_one(schedule, reading, period, MONDAY, OWN, host.submit)
    assert not host.got


def test_a_letter_without_names_names_nobody_but_its_reader(household: Household, host: MailHostOfTest) -> None:
    fill(household)
    for box in household.mailboxes.values():
        count(box.key, "sent", 4, MONDAY - timedelta(days=1))
    rename(household.sara, "Sa\r\nBcc: evil@outside.example\u202e<b>")
    rename(household.communities["business"], "Co\r\nBcc: evil@outside.example\u202e<b>")
    ask(household, "rita")
    ask(household, "marco", mode="pseudonyms")
    letters = host.send()
    assert len(letters) == 2
    for letter in letters:
        assert letter["Bcc"] is None
        assert letter["Subject"].startswith("Letters of Co Bcc: evil@outside.example")
        found = parts(letter)
        assert set(found) == {"text/plain", "text/html", "application/pdf"}
        told = [word for box in Mailbox.objects.all() for word in (box.key, box.address, box.address.split("@")[0])]
        told += [word for one in User.objects.all() for word in (one.name, one.address)]
        for kind, text in found.items():
            assert not [word for word in told if word.lower() in text.lower()], kind
            assert "\u202e" not in text
            assert ("Person " in text) == (letter["To"] == "marco@myfamily.net"), kind
        assert "<b>" not in found["text/html"]


@pytest.mark.usefixtures("undrawn")
def test_hostile_text_breaks_neither_lines_nor_markup(household: Household, host: MailHostOfTest) -> None:
    fill(household)
    count(household.key("sara@mybusiness.com"), "sent", 4, MONDAY - timedelta(days=1))
    rename(household.sara, "Sa\r\nBcc: evil@outside.example\u202e<b>")
    ask(household, "marco", mode="names", purpose="To\r\nsee </style><script>alert(2)</script> \u202ewhy")
    (letter,) = host.send()
    found = parts_undrawn(letter)
    assert "- Sa Bcc: evil@outside.example\ufffd<b>: " in found["text/plain"]
    assert "Purpose: To see </style><script>alert(2)</script> \ufffdwhy\n" in found["text/plain"]
    assert "<script" not in found["text/html"]
    assert "<b>" not in found["text/html"]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; $\\frac{" in found["text/html"]
    assert HOSTILE not in found["text/plain"]
    assert "\u202e" not in found["text/html"] + found["text/plain"]


def parts_undrawn(letter: EmailMessage) -> dict[str, str]:
    """The parts that are text."""
    return {
        part.get_content_type(): str(part.get_content())
        for part in letter.walk()
        if part.get_content_type().startswith("text/")
    }


def test_who_asks_twice_gets_it_once(household: Household) -> None:
    assert ask(household, "marco") == ask(household, "marco")
    assert ReportSchedule.objects.get().sent == date(2026, 11, 15)
