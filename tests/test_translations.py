"""Italian, all of it: every sentence has a translation, and no page that somebody can reach says an English word.

The pages are found by following links, as each role; what people typed (names, addresses) is left out of the judgement.
That the catalogue holds every sentence of the code is said by script/lint, which gathers them anew.
"""

import re
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts.models import Community, User
from accounts.wishes import wishes
from deploy.models import MailHost
from domains.models import Domain, Mailbox
from policies import filing
from policies.models import Contact, FilterRule
from reports.models import HourlyTally
from tests.household import Household
from tests.policies.letters import asked_out, held
from tests.policies.uses import level as household_level, published, read

ROLES: Final = {
    "administrator": "marco",
    "guardian": "anna",
    "protected": "emma",
    "owner": "olivia",
    "manager": "rita",
    "member": "sara",
}
CATALOGUES: Final = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))
# None of them is an Italian word too.
WORD: Final = re.compile(r"[a-zà-ù]+")
ENGLISH: Final = frozenset(
    WORD.findall("""
    about accept add added address addresses after again and any aliases at back before begin business but by
    cancel cannot change child choose close day days delete disable domain domains down empty enable ends every
    everybody everything failed family first for from go guardian has have here his home host how is it its
    language last leave letter letters like limit list live mailbox mailboxes make manager may member more my
    name needs never new next nobody nothing notes of off only open or other our owner page people person places
    previous received refused remove resume role save search see sent show sign size somebody something suspend
    suspended take than that the them there these they this to today type undo until was way what when where who
    whose will with without works yet you your
    """)
)
PAGES_AT_MOST: Final = 500


class Page(HTMLParser):
    """What a page says in its own words, and where it leads. Left out: what people typed, and names of languages."""

    DATA: Final = frozenset({"bdi", "code", "kbd", "script", "style", "textarea"})
    VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "rect", "line", "circle"})
    SPOKEN: Final = frozenset({"aria-label", "alt", "title", "placeholder", "data-show", "data-hide"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.fragments: list[str] = []
        self.lang = ""
        self._silent: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read the attributes; fall silent inside what people typed."""
        found = {name: value or "" for name, value in attrs}
        self.words += [value for name, value in found.items() if name in self.SPOKEN]
        self.lang = found["lang"] if tag == "html" else self.lang
        self.links += [found["href"]] if tag == "a" and "href" in found else []
        self.fragments += [found["hx-get"]] if "hx-get" in found else []
        typed = tag in self.DATA or ("address" in found.get("class", "").split() and tag != "h1")
        chosen = tag == "select" and found.get("name") in ("language", "timezone")
        if tag not in self.VOID and (self._silent or typed or chosen):
            self._silent.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Speak again."""
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        """A piece of text."""
        if not self._silent and data.strip():
            self.words.append(" ".join(data.split()))


def tool(*arguments: str) -> str:
    """What a program of GNU gettext says; a complaint fails the test."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sentences(*arguments: str) -> list[str]:
    """The sentences that msgattrib finds, without the header."""
    found = re.findall(r'^msgid "(.+)"$', tool("msgattrib", "--no-wrap", *arguments), re.MULTILINE)
    return [str(sentence) for sentence in found]


def entries(catalogue: Path) -> Iterator[tuple[str, list[str]]]:
    """Every sentence as the catalogue writes it, with its translations: one, or one for each plural."""
    for block in tool("msgcat", "--no-wrap", str(catalogue)).split("\n\n"):
        source = re.search(r'^msgid "(.+)"$', block, re.MULTILINE)
        if source:
            yield source[1], re.findall(r'^msgstr(?:\[\d\])? "(.*)"$', block, re.MULTILINE)


def test_there_is_a_catalogue_for_every_language() -> None:
    wanted = {code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE}
    assert {path.parts[-3] for path in CATALOGUES} == wanted


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.parts[-3])
class TestCatalogue:
    """A catalogue is whole."""

    def test_every_sentence_is_translated(self, catalogue: Path) -> None:
        assert sentences("--untranslated", str(catalogue)) == []

    def test_no_translation_is_a_guess(self, catalogue: Path) -> None:
        assert sentences("--only-fuzzy", str(catalogue)) == []

    def test_gettext_finds_no_fault(self, catalogue: Path) -> None:
        tool("msgfmt", "--check", "--output-file=/dev/null", str(catalogue))

    def test_places_and_markup_are_kept(self, catalogue: Path) -> None:
        pieces = re.compile(r"%\(\w+\)[sd]|<[^>]+>|@|…$")
        wrong = [
            f"{source} -> {translation}"
            for source, translations in entries(catalogue)
            for translation in translations
            if {*pieces.findall(source)} != {*pieces.findall(translation)}
        ]
        assert not wrong, "\n".join(wrong)


def leftovers(page: Page, typed: list[str]) -> set[str]:
    """The pieces of a page's own words that are English."""
    found = set()
    for piece in page.words:
        rest = piece
        for name in typed:
            rest = rest.replace(name, " ")
        rest = re.sub(r"\S*[@.]\S*\w", " ", rest)  # addresses, domains
        if ENGLISH & {*WORD.findall(rest.lower())}:
            found.add(piece)
    return found


def italian(client: Client) -> Client:
    """The same browser, of somebody who reads Italian."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "it"
    return client


def pages(client: Client) -> Iterator[tuple[str, Page]]:
    """Every page and fragment that can be reached from home; a form to fill is also sent empty."""
    waiting, seen = [("/", False)], set()
    while waiting:
        path, fragment = waiting.pop(0)
        if (path, fragment) in seen:
            continue
        seen.add((path, fragment))
        assert len(seen) < PAGES_AT_MOST, "There is no end of pages."
        answer = client.get(path, headers={"HX-Request": "true"} if fragment else {})
        if answer.status_code == 204:
            continue
        page = Page(answer.content.decode())
        yield path, page
        if path.partition("?")[0].endswith(("/add/", "/password/")) and answer.status_code == 200:
            yield f"{path}, refused", Page(client.post(path).content.decode())
        waiting += [(link, False) for link in page.links if link.startswith("/")]
        waiting += [(link, True) for link in page.fragments if link.startswith("/")]


@pytest.fixture
def lived_in(household: Household) -> Household:
    """The household with everything that makes a page say one sentence more."""
    today = timezone.localdate()
    with wishes("test", "test"):
        household.person("ivo", active=False)
        household.person("emma", born=date(2018, 5, 3))
        household.alias("camp@myfamily.net", "emma", "friend@elsewhere.example")
        for address, days in (("@mybusiness.com", None), ("fair@mybusiness.com", 3), ("past@mybusiness.com", -3)):
            alias = household.alias(address, "rita")
            alias.expires = today + timedelta(days=days) if days else None
            alias.internal = bool(days)
            alias.save()
        Domain(name="unsere.example", kind="alias", alias_of=household.home).save()
        Domain(name="friends.example", kind="backup", relay_to="mx.friends.example").save()
        suspended = household.mailboxes["gino"]
        suspended.active = False
        suspended.quota = 0
        suspended.save()
    now = timezone.now()
    for key in ("", *Mailbox.objects.values_list("key", flat=True)):
        HourlyTally(host="primary", hour=now, mailbox=key, **dict.fromkeys(HourlyTally.columns(), 1)).save()
    MailHost.objects.update(seen=now, applied=0)
    MailHost(name="away", role="backup").save()
    write_and_wait(household)
    file_away(household)
    agree(household)
    return household


def file_away(household: Household) -> None:
    """Rules, an answer, spam and forwarding, each once in a mailbox of a parent and of a child."""
    today = timezone.localdate()
    conditions = [{"field": field, "op": "exists", "value": ""} for field in ("list", "attachment", "spam")]
    conditions += [{"field": "size", "op": "over", "value": "2M"}, {"field": "attachment", "op": "is", "value": "pdf"}]
    for name, to in (("anna", "zia@outside.example"), ("emma", "anna@myfamily.net"), ("gino", "sara@mybusiness.com")):
        person, mailbox = household.people[name], household.mailboxes[name]
        with wishes(person, "test"):
            for then in ({"action": "stop"}, {"action": "forward", "to": to}, {"action": "mark-read"}):
                rule = filing.save_rule(person, mailbox, FilterRule(match="any", when=conditions, then=[then]))
            filing.switch_rule(person, rule, on=False)
            filing.set_spam(person, mailbox, over=1, tag="[?]")
            filing.set_forwarding(person, mailbox, to=[to], keep=name == "anna")
            filing.set_vacation(person, mailbox, text="Ciao", first=today, last=today)


def agree(household: Household) -> None:
    """Two versions of the rules of each community, one read by some, and a level that came since."""
    for who, reader in (("anna", "emma"), ("rita", "sara")):
        published(household, who, after="Buona lettura")
        read(household, reader, published(household, who, before="Ciao a tutti"))
    household_level(household, "luca", "learner", incoming="anyone")
    household_level(household, "gino", "inside")


def write_and_wait(household: Household) -> None:
    """Lists with every kind of entry, and letters of every kind that wait."""
    emma, boxes = household.people["emma"], household.mailboxes
    entries: list[dict[str, str]] = [
        {}, {"assurance": "unproven"}, {"assurance": "pinned"}, {"kind": "blocked"}, {"direction": "out"},
        {"assurance": "pinned", "evidence": "ip:192.0.2.0/24"}, {"kind": "always", "direction": "in"},
    ]  # fmt: skip
    with wishes("anna@myfamily.net", "test"):
        for number, facts in enumerate(entries):
            Contact(person=emma, address=f"zia{number}@outside.example", **facts).save()
        row = household.people["luca"].memberships.get()
        row.level, row.overrides = "explorer", [{"hours": "always", "until": "2199-12-31"}]
        row.save()
    for fact in (
        "pass {} dmarc",
        "fail {} dmarc",
        "fail {} login",
        "none {} ip:192.0.2.0/24",
        "none {} -",
        "malformed",
    ):
        held(boxes["emma"], "strano@outside.example", fact=fact, called="Zia")
    held(boxes["emma"], "rosa@xn--gmil-63d.com", called="", facts={"List": "news.lists.example", "Links": "2"})
    held(boxes["emma"], "nonna.r0sa@outside.example", like="nonna.rosa@outside.example")
    held(boxes["emma"], station="in-1", reason="malformed", fact="malformed")
    held(boxes["emma"], "zia0@outside.example", station="in-3", reason="unproven", fact="none {} -")
    held(boxes["emma"], "zia0@outside.example", station="in-6", reason="content", facts={"Reply-To": "other"})
    held(boxes["emma"], "vinci@outside.example", reason="spam", facts={"Spam": "spam 9.0", "Auto": "yes"})
    held(boxes["luca"], "strano@outside.example")
    held(boxes["gino"], "strano@outside.example", facts={"Attachments": "pdf program"})
    asked_out(boxes["emma"], "amica@outside.example", "altra@outside.example")


def typed_by_people() -> list[str]:
    """The names of people and communities, the longest first."""
    names = {*User.objects.values_list("name", flat=True), *Community.objects.values_list("name", flat=True)}
    return sorted(names, key=len, reverse=True)


@pytest.mark.parametrize("role", sorted(ROLES))
def test_no_page_says_an_english_word(lived_in: Household, role: str) -> None:
    typed, wrong, count = typed_by_people(), [], 0
    for path, page in pages(italian(lived_in.client(ROLES[role]))):
        count += 1
        wrong += [f"{path}: {piece}" for piece in sorted(leftovers(page, typed))]
    assert not wrong, "\n".join(wrong)
    assert count > (40 if role == "administrator" else 3)


def test_the_doors_and_the_refusals_speak_italian(household: Household) -> None:
    stranger, parent = italian(Client()), italian(household.client("anna"))
    mailbox = household.mailboxes["marco"]
    answers = {
        "door": stranger.get("/sign-in/"),
        "wrong password": stranger.post("/sign-in/", {"username": "anna@myfamily.net", "password": "guess"}),
        "no such page": parent.get("/nowhere/"),
        "not hers": parent.get(f"/mailboxes/{mailbox.pk}/delete/"),
        "not for her": parent.get("/domains/"),
        "refused": parent.post(f"/people/{household.people['emma'].pk}/delete/"),
    }
    for what, answer in answers.items():
        page = Page(answer.content.decode())
        assert page.lang == "it", what
        assert not leftovers(page, typed_by_people()), what


@pytest.mark.django_db
def test_the_first_page_speaks_italian() -> None:
    for answer in (italian(Client()).get("/setup/"), italian(Client()).post("/setup/")):
        page = Page(answer.content.decode())
        assert page.lang == "it"
        assert not leftovers(page, [])


def test_an_english_page_would_be_found(household: Household) -> None:
    for path in ("/", "/people/", "/mailboxes/add/", "/me/"):
        page = Page(household.client("marco").get(path).content.decode())
        assert page.lang == "en"
        assert len(leftovers(page, typed_by_people())) > 3, path


def test_dates_are_written_the_italian_way(lived_in: Household) -> None:
    emma = lived_in.people["emma"]
    page = italian(lived_in.client("anna")).get(f"/people/{emma.pk}/").content.decode()
    assert "03 maggio 2018" in page.lower()


def test_one_and_many(household: Household) -> None:
    page = italian(household.client("anna"))
    assert "4 caselle" in page.get("/mailboxes/").content.decode()
    assert "1 casella<" in page.get("/mailboxes/?q=emma").content.decode()
