"""A rule is built as a sentence: by mouse, by keyboard, on a phone, in both languages; and what stands beside rules."""

import imaplib
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import SMALL_PHONE, in_every_look
from tests.browser.test_child_list import ADA, watched
from tests.browser.test_pages_access import SMALL, wrong
from tests.host.machine import wait_for
from tests.system.held import family_of
from tests.system.rules import WITH_RULES, number_of, rules_of
from tests.system.server import PASSWORD, Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
EVIL = "<img src=x onerror=alert(1)></bdi></li></ol></main> {{ 7|add:7 }} %(x)s"


@pytest.fixture
def family(server: Server) -> Server:
    """The server with Ada, Ugo and their child Bo, without a rule."""
    family_of(server)
    return server


def building(server: Server, visit: Callable[..., Page], start: str = "", **options: object) -> Page:
    """The page on which Ada makes a rule."""
    page = visit(ADA, **options)
    page.goto(f"/rules/{number_of(server)}/add/{start}", wait_until="networkidle")
    return page


def filed(server: Server, folder: str, subject: str) -> bool:
    """Whether a letter of Ada's lies in a folder."""
    with imaplib.IMAP4("127.0.0.1", server.layout.imap, timeout=20) as imap:
        imap.login(ADA, PASSWORD)
        if imap.select(folder, readonly=True)[0] != "OK":
            return False
        return imap.search(None, "SUBJECT", f'"{subject}"')[1] != [b""]


def test_from_home_to_a_letter_in_its_folder(family: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, size=SMALL_PHONE)
    page.get_by_role("link", name="Rules and vacation ada@rossi.example").click()
    page.get_by_role("link", name="By the subject").click()
    page.get_by_label("What is looked for").fill("compiti")
    page.get_by_label("Which folder").fill("Scuola")
    expect(page.locator(".reads .said")).to_have_text("When the subject contains “compiti”, file it in “Scuola”.")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("The rule is saved.")).to_be_visible()
    expect(page.locator("#state .state.live")).to_be_visible()
    expect(page.locator("#rules .row-link")).to_have_text(["When the subject contains “compiti”, file it in “Scuola”."])
    family.send("bo@rossi.example", ADA, "I COMPITI di Bo", login=("bo@rossi.example", PASSWORD))
    wait_for(lambda: filed(family, "Scuola", "I COMPITI di Bo"), "the letter in its folder")
    assert "I COMPITI di Bo" not in family.subjects(ADA)


def test_folders_that_are_there_are_offered(family: Server, visit: Callable[..., Page]) -> None:
    with imaplib.IMAP4("127.0.0.1", family.layout.imap, timeout=20) as imap:
        imap.login(ADA, PASSWORD)
        imap.create("Viaggi")
        imap.create('"Fatture 2026"')
    page = building(family, visit)
    offered = page.locator("#folders option")
    expect(offered.and_(page.locator("[value=Viaggi]"))).to_have_count(1, timeout=30_000)
    expect(offered.and_(page.locator("[value='Fatture 2026']"))).to_have_count(1)


def test_rows_come_and_go_and_the_focus_goes_with_them(family: Server, visit: Callable[..., Page]) -> None:
    page = building(family, visit, "?start=subject", size=SMALL_PHONE)
    wrongs = watched(page)
    page.get_by_label("What is looked for").fill("compiti")
    page.get_by_role("button", name="Add a condition").click()
    second = page.get_by_role("group", name="Condition 2")
    expect(second.get_by_label("What is looked at")).to_be_focused()
    expect(page.get_by_label("What is looked for").first).to_have_value("compiti")
    second.get_by_label("What is looked at").select_option(label="the size")
    second.get_by_label("What is looked for").fill("2M")
    page.get_by_label("How many conditions must hold").select_option(label="one of these holds")
    expect(second.locator(".joint")).to_have_text(re.compile("or$"))
    page.get_by_role("button", name="Add something to do").click()
    action = page.get_by_role("group", name="Action 2")
    expect(action.get_by_label("What happens")).to_be_focused()
    action.get_by_label("What happens").select_option(label="mark it as read")
    expect(action.get_by_label("Which folder")).to_be_hidden()
    page.get_by_role("button", name="Remove action 1").click()
    expect(page.get_by_role("group", name="Action 1").get_by_label("What happens")).to_be_focused()
    expect(page.locator(".reads .said")).to_have_text(
        "When the subject contains “compiti” or the letter is larger than 2 MB, mark it as read."
    )
    assert wrong(page) == []
    page.get_by_role("button", name="Remove condition 2").click()
    expect(page.get_by_role("button", name="Remove condition 2")).to_have_count(0)
    page.get_by_role("button", name="Remove condition 1").click()
    expect(page.get_by_role("button", name="Add a condition")).to_be_focused()
    expect(page.locator(".reads .said")).to_have_text("With every letter: mark it as read.")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.get_by_text("The rule is saved.")).to_be_visible()
    assert rules_of(family) == [["any", [], [{"action": "mark-read"}], True]]
    assert not wrongs


def test_only_words_that_fit_are_offered(family: Server, visit: Callable[..., Page]) -> None:
    page = building(family, visit)
    field, verb = page.get_by_label("What is looked at"), page.get_by_label("How it is compared")
    value, kind, name = (page.get_by_label(one) for one in ("What is looked for", "Which kind", "Name of the line"))
    field.select_option(label="the size")
    expect(verb.locator("option")).to_have_text(["is over", "is under", "is not over", "is not under"])
    expect(page.get_by_text("Like 500K or 2M.")).to_be_visible()
    field.select_option(label="an attachment")
    expect(verb).to_have_value("exists")
    expect(value).to_be_hidden()
    expect(kind).to_be_hidden()
    verb.select_option(label="is of the kind")
    expect(kind).to_be_visible()
    field.select_option(label="a line of its head")
    expect(name).to_be_visible()
    expect(value).to_be_visible()
    field.select_option(label="the spam filter")
    verb.select_option(label="gives more than")
    expect(page.get_by_text("points", exact=True)).to_be_visible()
    field.select_option(label="the text")
    expect(verb.locator("option")).to_have_text(["contains", "does not contain"])
    verb.select_option(label="does not contain")
    field.select_option(label="the subject")
    expect(verb).to_have_value("not contains")  # what still fits stays


@pytest.mark.parametrize(
    ("language", "sentence"), [("en", "When the sender is nonna@gmail.com, flag it."), ("it", "nonna@gmail.com")]
)
def test_a_rule_is_built_with_keys_alone(
    family: Server, visit: Callable[..., Page], language: str, sentence: str
) -> None:
    page = building(family, visit, language=language)
    page.locator("#id_when-0-field").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#id_when-0-value")).to_be_focused()
    page.keyboard.type("Nonna@Gmail.com")
    page.keyboard.press("Tab")  # the button that takes the row away
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#id_then-0-action")).to_be_focused()
    for _word in range(4):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#id_then-0-action")).to_have_value("flag")
    expect(page.locator(".reads .said")).to_contain_text(sentence)
    page.locator("#id_when-0-value").focus()
    page.keyboard.press("Enter")  # saves: it does not press the first button there is
    page.wait_for_url(re.compile(r"/rules/\d+/\?generation"))
    assert rules_of(family) == [
        ["all", [{"field": "from", "op": "is", "value": "nonna@gmail.com"}], [{"action": "flag"}], True]
    ]


def test_what_is_wrong_is_said_beside_its_place_and_gets_the_focus(family: Server, visit: Callable[..., Page]) -> None:
    page = building(family, visit, size=SMALL_PHONE)
    page.get_by_label("What is looked for").fill("nonna")
    page.get_by_role("button", name="Save the rule").click()
    expect(page.locator("#errors")).to_be_focused()
    value = page.get_by_label("What is looked for")
    expect(value).to_have_attribute("aria-invalid", "true")
    expect(value).to_have_accessible_description(re.compile("“nonna” is not an address"))
    assert wrong(page) == []
    page.get_by_role("link", name="What is looked for").click()
    expect(value).to_be_focused()
    assert rules_of(family) == []


def test_a_rule_is_built_without_javascript(family: Server, visit: Callable[..., Page]) -> None:
    page = building(family, visit, "?start=subject", java_script_enabled=False, size=SMALL_PHONE)
    page.get_by_label("What is looked for").fill("fattura")
    page.get_by_role("button", name="Add a condition").click()
    second = page.get_by_role("group", name="Condition 2")
    second.get_by_label("What is looked at").select_option("size")
    second.get_by_label("How it is compared").select_option("over")
    second.get_by_label("What is looked for").fill("1M")
    page.get_by_label("Which folder").fill("Fatture")
    page.get_by_role("button", name="See how it reads").click()
    expect(page.locator(".reads .said")).to_contain_text("the letter is larger than 1 MB, file it in “Fatture”.")
    assert rules_of(family) == []
    page.get_by_role("button", name="Save the rule").last.click()
    expect(page.get_by_text("The rule is saved.")).to_be_visible()
    assert len(rules_of(family)) == 1


def test_a_slider_says_what_its_number_means(family: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, size=SMALL_PHONE)
    page.goto(f"/rules/{number_of(family)}/spam/")
    slider, number = page.get_by_role("slider"), page.get_by_role("spinbutton")
    expect(page.locator(".slider output")).to_have_text("usual")
    slider.focus()
    for _step in range(4):
        page.keyboard.press("ArrowRight")
    expect(number).to_have_value("10")
    expect(page.locator(".slider output")).to_have_text("lenient")
    number.fill("2")
    expect(slider).to_have_value("2")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("2: very strict"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The spam setting is saved.")).to_be_visible()
    expect(page.get_by_text("Letters with more than 2 spam points go to Junk.")).to_be_visible()


def test_an_answer_is_seen_while_it_is_written(family: Server, visit: Callable[..., Page]) -> None:
    page = visit(ADA, size=SMALL_PHONE)
    wrongs = watched(page)
    page.goto(f"/rules/{number_of(family)}/vacation/")
    page.get_by_label("What you answer").fill(f"Sono al mare.\n{EVIL}")
    seen = page.get_by_role("region", name="What they read")
    expect(seen).to_contain_text(f"Sono al mare.\n{EVIL}", use_inner_text=True)
    page.get_by_label("Subject").fill("Torno lunedì")
    expect(seen).to_contain_text("Torno lunedì")
    page.get_by_role("button", name="Save the answer").click()
    expect(page.get_by_text("The answer is saved.")).to_be_visible()
    expect(page.get_by_text("answers now")).to_be_visible()
    page.get_by_role("button", name="Remove the answer").click()
    expect(page.get_by_text("Nobody gets an answer by itself any more.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("answers now")).to_be_visible()
    assert not wrongs


@in_every_look
def test_every_page_can_be_used_by_everybody(
    server: Server, visit: Callable[..., Page], theme: str, size: ViewportSize, language: str
) -> None:
    hostile = f'[[mailbox.rule]]\nwhen = [{{ field = "subject", op = "is", value = "{EVIL}" }}]\n'
    hostile += f'then = [{{ action = "file", folder = "{"y" * 60}" }}, {{ action = "copy", folder = "<b>x" }}]\n'
    server.load(WITH_RULES.replace("[[mailbox.rule]]", f"{hostile}[[mailbox.rule]]", 1))
    page = visit(ADA, size=size, color_scheme=theme, language=language)
    wrongs = watched(page)
    own, empty = f"/rules/{number_of(server)}/", f"/rules/{number_of(server, 'bo@rossi.example')}/"
    places = [
        own,
        empty,
        f"{own}add/",
        f"{own}add/?start=copy",
        *(f"{own}{one}/" for one in ("vacation", "spam", "forwarding")),
    ]
    for place in places:
        page.goto(place, wait_until="networkidle")
        wrongs += [f"{place} {found}" for found in wrong(page)]
        wrongs += [f"{place} small: {found}" for found in page.evaluate(SMALL)]
    page.goto(own)
    assert EVIL in page.locator("#rules").inner_text()
    assert page.locator("#rules img").count() == 0
    page.locator("#rules .row-link").first.click()
    page.wait_for_load_state("networkidle")
    wrongs += [f"{page.url} {found}" for found in wrong(page)]
    assert not wrongs, "\n".join(wrongs)
