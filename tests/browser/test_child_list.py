"""Ada on a phone of 360 pixels: letters that wait, her child's list, and strangers' text that does nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESKTOP, SMALL_PHONE
from tests.browser.test_pages_access import SMALL, wrong
from tests.system.held import family_of, hold
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA = "ada@rossi.example"
STRANGER = "zia.carla@gmail.com"
EVIL = "http://evil.example"
PLANTED = (
    f"<script>document.title='run'; alert(1); fetch('{EVIL}/a')</script>"
    f"<img src='{EVIL}/b.png' onerror=alert(2)><style>@import url({EVIL}/c.css); body {{ display: none }}</style>"
    f"<form action='{EVIL}/d'><button>Win</button></form><a href='javascript:alert(3)'>click</a>"
    f"<iframe src='{EVIL}/e'></iframe><svg onload=alert(4)></svg><meta http-equiv=refresh content='0;url={EVIL}/f'>"
    "</bdi></blockquote></p></article></main>\u202eMUM\u2067 {{ 7|add:7 }} {% csrf_token %}"
)
NOT_OURS = "script, style, img, iframe, object, meta, form[action^=http], a[href^=javascript]"


@pytest.fixture
def family(server: Server) -> Server:
    """The server with Ada, Ugo and their child Bo."""
    family_of(server)
    return server


def listed(server: Server) -> list[list[str]]:
    """Bo's list: address, direction, kind, assurance."""
    code = "import json\nfrom policies.models import Contact\nf = ('address', 'direction', 'kind', 'assurance')\n"
    found: list[list[str]] = server.ask(code + "print(json.dumps([list(r) for r in Contact.objects.values_list(*f)]))")
    return found


def number_of(server: Server, name: str) -> int:
    """Somebody's number."""
    return int(server.ask(f"from accounts.models import User\nprint(User.objects.get(name='{name}').pk)"))


def watched(page: Page) -> list[str]:
    """Everything that a page should not do: ask other hosts, open dialogs and windows, break its policy, fail."""
    wrongs: list[str] = []
    own = page.url.split("/", 3)[2]

    def asks(request: Any) -> None:
        if request.url.split("/", 3)[2] != own:
            wrongs.append(f"asked {request.url}")

    def opens(dialog: Any) -> None:
        wrongs.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("request", asks)
    page.on("dialog", opens)
    page.on("popup", lambda popup: wrongs.append(f"window {popup.url}"))
    page.on("pageerror", lambda error: wrongs.append(f"error {error}"))
    page.on("console", lambda told: wrongs.append(f"console {told.text}") if "Policy" in told.text else None)
    return wrongs


def test_always_from_the_first_page_to_the_list(family: Server, visit: Callable[..., Page]) -> None:
    for subject in ("Auguri", "Ancora auguri"):
        hold(family, STRANGER, subject=subject)
    page = visit(ADA, size=SMALL_PHONE)
    expect(page.get_by_role("link", name="2 letters wait for you")).to_be_visible()
    expect(page.locator(".places .waits")).to_have_text("2")
    page.get_by_role("link", name="2 letters wait for you").click()
    card = page.get_by_role("article")
    expect(card).to_contain_text("Really gmail.com: the provider confirms it")
    expect(card).to_contain_text("calls himself “Zia”")
    card.get_by_role("button", name="Always").click()
    expect(page.get_by_text(f"{STRANGER} may write to Bo from now on. 2 letters go on now.")).to_be_visible()
    expect(page.locator("#state .state.live")).to_be_visible()  # on the mail host, and the page found out by itself
    expect(page.get_by_role("heading", level=1)).to_have_text("Nothing waits for you")
    assert [STRANGER, "in", "allowed", "proven"] in listed(family)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{STRANGER} is no longer on the list.")).to_be_visible()
    assert [row[0] for row in listed(family)] == ["nonna.rosa@gmail.com"]


def test_a_look_alike_needs_a_second_click(family: Server, visit: Callable[..., Page]) -> None:
    hold(family, "nonna.r0sa@gmail.com", like="nonna.rosa@gmail.com", called="Nonna Rosa")
    page = visit(ADA, size=SMALL_PHONE)
    page.goto("/waiting/")
    page.get_by_role("link", name="Always").click()
    both = page.locator(".twins dd")
    expect(both).to_have_text(["nonna.r0sa@gmail.com", "nonna.rosa@gmail.com"])
    expect(page.locator(".twins mark")).to_have_text(["0", "o"])
    lefts = [box["x"] for box in (both.nth(n).locator("mark").bounding_box() for n in (0, 1)) if box]
    assert abs(lefts[0] - lefts[1]) < 1  # one under the other
    assert wrong(page) == []
    page.get_by_role("button", name="Always: I have looked").click()
    expect(page.get_by_text("nonna.r0sa@gmail.com may write to Bo from now on.")).to_be_visible()


def test_the_second_guardian_is_told_who_was_first(family: Server, visit: Callable[..., Page]) -> None:
    hold(family, STRANGER)
    ada, ugo = visit(ADA, size=SMALL_PHONE), visit("ugo@rossi.example", size=SMALL_PHONE)
    for page in (ada, ugo):
        page.goto("/waiting/")
    ada.get_by_role("button", name="No").click()
    expect(ada.get_by_text("Bo does not get this letter.")).to_be_visible()
    ugo.get_by_role("button", name="Let this one in").click()
    expect(ugo.get_by_role("alert")).to_contain_text("Ada has answered already: No")
    assert wrong(ugo) == []


def test_an_answer_works_without_javascript(family: Server, visit: Callable[..., Page]) -> None:
    hold(family, STRANGER)
    page = visit(ADA, size=SMALL_PHONE, java_script_enabled=False)
    page.get_by_role("link", name="Show what waits for you").click()
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_text(f"{STRANGER} is blocked")).to_be_visible()
    assert [STRANGER, "in", "blocked", "proven"] in listed(family)


def test_what_strangers_write_runs_and_loads_nothing(family: Server, visit: Callable[..., Page]) -> None:
    fact = {"From": f"none {STRANGER} -", "List": "none", "Subject": PLANTED[:200]}
    letter, question = hold(
        family, STRANGER, subject=PLANTED[:300], called=PLANTED[:200], excerpt=PLANTED, sender=PLANTED[:300], facts=fact
    )
    long, _question = hold(
        family, f"{'a' * 64}@{'b' * 60}.example", excerpt="x" * 300, subject="y" * 300, called="z" * 200
    )
    out, _question = hold(family, "amica@outside.example", direction="out", recipients=[PLANTED[:300], "a@b.example"])
    page = visit(ADA, size=SMALL_PHONE)
    wrongs = watched(page)
    places = ["/", "/waiting/", f"/waiting/{letter}/", f"/waiting/{long}/", f"/waiting/{out}/"]
    for place in [*places, f"/waiting/questions/{question}/?choice=always"]:
        page.goto(place, wait_until="networkidle")
        text = page.locator("main").inner_text()
        assert "run" not in page.title()
        assert "<script>document.title" in text or place == places[3]
        assert not set("\u202e\u2067") & set(text)
        assert page.locator(f"main :is({NOT_OURS})").count() == 0
        wrongs += [f"{place} {found}" for found in wrong(page)]
    assert not wrongs, "\n".join(wrongs)


@pytest.mark.parametrize(("theme", "size"), [("light", SMALL_PHONE), ("dark", SMALL_PHONE), ("light", DESKTOP)])
def test_every_page_can_be_used_by_everybody(
    family: Server, visit: Callable[..., Page], theme: str, size: ViewportSize
) -> None:
    letter, question = hold(family, "nonna.r0sa@gmail.com", like="nonna.rosa@gmail.com")
    hold(family, "rosa@xn--gmil-63d.com", facts={"From": "none rosa@xn--gmil-63d.com -", "List": "none"})
    hold(family, "win@prize.example", reason="spam")
    hold(
        family, "amica@outside.example", direction="out", login="bo@rossi.example", recipients=["amica@outside.example"]
    )
    person = number_of(family, "Bo")
    page = visit(ADA, size=size, color_scheme=theme)
    wrongs = watched(page)
    lists = f"/family/{person}/people/"
    places = [
        "/",
        "/waiting/",
        "/waiting/silent/",
        f"/waiting/{letter}/",
        f"/waiting/questions/{question}/?choice=once",
    ]
    places += [f"/family/{person}/", lists, f"{lists}add/", f"{lists}paste/", f"{lists}?q=nobody"]
    for place in places:
        page.goto(place, wait_until="networkidle")
        wrongs += [f"{place} {found}" for found in wrong(page)]
        wrongs += [f"{place} small: {found}" for found in page.evaluate(SMALL)]
        if place == lists:
            follow(page, "Nonna Rosa", wrongs)
    page.goto(f"/family/{person}/")
    follow(page, "Change the level", wrongs)
    assert not wrongs, "\n".join(wrongs)


def follow(page: Page, name: str, wrongs: list[str]) -> None:
    """Look at the page behind a link, too."""
    page.get_by_role("link", name=name).first.click()
    page.wait_for_load_state("networkidle")
    wrongs += [f"{page.url} {found}" for found in wrong(page)]


def test_several_are_pasted_looked_at_and_saved(family: Server, visit: Callable[..., Page]) -> None:
    hold(family, STRANGER)
    page = visit(ADA, size=SMALL_PHONE)
    page.goto(f"/family/{number_of(family, 'Bo')}/people/paste/")
    page.get_by_label("Addresses").fill(f"Zia Carla <{STRANGER}>\n@gmail.com\nno address\nnonna.r0sa@gmail.com")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Before it is saved")
    expect(page.locator("main")).to_contain_text("2 more people may write to Bo, and be written to.")
    expect(page.locator("main")).to_contain_text("1 waiting letter will be delivered now.")
    expect(page.locator("main")).to_contain_text(re.compile("Line 3: “no address” is not an address"))
    assert wrong(page) == []
    page.get_by_role("button", name="Save 3 entries").click()
    expect(page.locator("#errors")).to_be_focused()
    assert wrong(page) == []
    page.get_by_label("If you mean it, type @gmail.com again").fill("@gmail.com")
    page.get_by_role("button", name="Save 3 entries").click()
    expect(page.get_by_text("3 entries are on the list. 1 waiting letter will be delivered now.")).to_be_visible()
    expect(page.locator("#state .state.live")).to_be_visible()
    assert len(listed(family)) == 4


def test_an_entry_is_removed_and_put_back(family: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, size=SMALL_PHONE)
    page.goto(f"/family/{number_of(family, 'Bo')}/people/")
    page.get_by_role("button", name="Remove nonna.rosa@gmail.com").click()
    expect(page.get_by_text("nonna.rosa@gmail.com is no longer on the list.")).to_be_visible()
    assert listed(family) == []
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("It is as it was before.")).to_be_visible()
    expect(page.get_by_role("link", name="Nonna Rosa")).to_be_visible()
    assert listed(family) == [["nonna.rosa@gmail.com", "both", "allowed", "proven"]]
