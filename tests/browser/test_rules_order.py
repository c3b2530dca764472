"""The order of rules: by mouse, by finger, by keyboard, by buttons, and without JavaScript."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE, SMALL_PHONE
from tests.browser.test_child_list import watched
from tests.browser.test_pages_access import wrong
from tests.host.machine import wait_for
from tests.system.rules import WITH_RULES, number_of, order
from tests.system.server import Server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]
ADA = "ada@rossi.example"


@pytest.fixture
def three(server: Server) -> Server:
    """The server, where Ada has three rules that file in Alfa, Beta and Gamma."""
    server.load(WITH_RULES)
    return server


def opened(server: Server, visit: Callable[..., Page], **options: object) -> Page:
    """Ada's rules in a window."""
    page = visit(ADA, **options)
    page.goto(f"/rules/{number_of(server)}/")
    expect(page.locator("#rules > li")).to_have_count(3)
    return page


def seen(page: Page) -> str:
    """The order on the page, by first letters of the folders, with the numbers beside them in step."""
    expect(page.locator("#rules .rule-place")).to_have_text(["1", "2", "3"])
    return "".join(text[0] for text in page.locator("#rules strong").all_inner_texts() if text[0].isupper())


def becomes(page: Page, server: Server, wanted: str) -> None:
    """The page shows this order, the wishes have it, and it is live, all by itself."""
    expect(page.locator(".told")).to_contain_text("The rule has place")
    assert seen(page) == wanted
    wait_for(lambda: order(server) == wanted, f"the order {wanted}")
    expect(page.locator("#state .state.live")).to_be_visible()
    page.reload()
    assert seen(page) == wanted


def grip(page: Page, number: int) -> Locator:
    """What a rule is held by."""
    found = page.locator("#rules .grip").nth(number)
    found.scroll_into_view_if_needed()
    return found


def middle(place: Locator) -> tuple[float, float]:
    """Where the middle of something is."""
    box = place.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_rule_is_dragged_with_the_mouse(three: Server, visit: Callable[..., Page]) -> None:
    page = opened(three, visit)
    wrongs = watched(page)
    (x, y), (_x, low) = middle(grip(page, 0)), middle(grip(page, 2))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, (y + low) / 2, steps=8)
    expect(page.locator("#rules li.dragged")).to_have_count(1)
    page.mouse.move(x, low + 10, steps=8)
    expect(page.locator("#rules li").last).to_have_class("card rule dragged")
    page.mouse.up()
    expect(page.locator("#rules li.dragged")).to_have_count(0)
    becomes(page, three, "BGA")
    assert not wrongs


def test_escape_puts_a_dragged_rule_back(three: Server, visit: Callable[..., Page]) -> None:
    page = opened(three, visit)
    (x, y), (_x, low) = middle(grip(page, 0)), middle(grip(page, 2))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, low + 10, steps=8)
    expect(page.locator("#rules li").last).to_have_class("card rule dragged")
    page.keyboard.press("Escape")
    page.mouse.up()
    assert seen(page) == "ABG"
    assert page.locator(".told").count() == 0
    assert order(three) == "ABG"


def test_a_rule_is_dragged_with_a_finger(three: Server, visit: Callable[..., Page]) -> None:
    page = opened(three, visit, size=SMALL_PHONE, has_touch=True, is_mobile=True)
    before = page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    x, y = middle(grip(page, 0))
    _x, low = middle(page.locator("#rules li").nth(1))
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 21):
        point = {"x": x, "y": y + (low + 20 - y) * step / 20}
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    expect(page.locator("#rules li").nth(1)).to_have_class("card rule dragged")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    becomes(page, three, "BAG")
    assert page.evaluate("scrollY") == before  # the finger moved the rule, not the page


def test_a_rule_is_moved_with_keys_alone(three: Server, visit: Callable[..., Page]) -> None:
    page = opened(three, visit)
    page.keyboard.press("ArrowDown")  # the list of rules, as every list, goes by arrows
    first = page.locator("#rules .row-link").first
    expect(first).to_be_focused()
    moved = page.locator(f"#{first.get_attribute('id')}")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")  # it is the last one already
    said = page.locator("body > [role=status]")
    expect(said).to_have_text("The rule is at place 3 of 3 now.")
    expect(page.locator(".told")).to_contain_text("The rule has place 3 now.")
    expect(moved).to_be_focused()
    becomes(page, three, "BGA")
    moved.focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("body > [role=status]")).to_have_text("The rule is at place 2 of 3 now.")
    wait_for(lambda: order(three) == "BAG", "the order BAG")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("give the rule that has the focus another place")


def test_a_rule_is_moved_with_buttons_and_the_focus_stays(three: Server, visit: Callable[..., Page]) -> None:
    page = opened(three, visit, size=PHONE)
    top = page.get_by_role("button", name="Move rule 1 up")
    expect(top).to_have_attribute("aria-disabled", "true")
    top.click(force=True)  # nothing is above it
    up = page.get_by_role("button", name="Move rule 3 up")
    up.focus()
    page.evaluate("scrollTo({ top: 500, behavior: 'instant' })")
    place = middle(up)[1]
    up.press("Enter")
    expect(page.locator(".told")).to_contain_text("The rule has place 2 now.")
    again = page.get_by_role("button", name="Move rule 2 up")
    expect(again).to_be_focused()
    assert abs(middle(again)[1] - place) < 8  # it stays under the finger, for the next press
    again.press("Enter")
    expect(page.locator(".told")).to_contain_text("The rule has place 1 now.")
    expect(page.get_by_role("button", name="Move rule 1 up")).to_be_focused()
    assert wrong(page) == []
    becomes(page, three, "GAB")


def test_it_works_without_javascript(three: Server, visit: Callable[..., Page]) -> None:
    page = opened(three, visit, java_script_enabled=False)
    expect(page.locator("#rules .grip").first).to_be_hidden()
    page.get_by_role("button", name="Move rule 1 down").click()
    expect(page.get_by_text("The rule has place 2 now.")).to_be_visible()
    assert order(three) == "BAG"
    page.get_by_role("button", name="Switch off rule 2").click()
    expect(page.get_by_text("The rule is off: it rests.")).to_be_visible()
    page.get_by_role("button", name="Remove rule 1").click()
    expect(page.get_by_text("The rule is removed.")).to_be_visible()
    assert order(three) == "AG"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("It is as it was before.")).to_be_visible()
    assert order(three) == "BAG"


def test_what_somebody_else_removed_meanwhile_is_said(three: Server, visit: Callable[..., Page]) -> None:
    page, other = opened(three, visit), opened(three, visit)
    other.get_by_role("button", name="Remove rule 1").click()
    expect(other.get_by_text("The rule is removed.")).to_be_visible()
    page.get_by_role("button", name="Move rule 1 down").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Rules for")
    assert order(three) == "BG"
