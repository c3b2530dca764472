"""The first day, on a phone and in Italian: from an empty installation to the first letter."""

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE, PHONE
from tests.system.server import started_server

pytestmark = [pytest.mark.daemons, pytest.mark.browser, pytest.mark.timeout(300)]

WORD = "il mare d'inverno"


def test_an_empty_installation_gets_its_first_letter(chromium: Browser) -> None:
    with started_server("--empty") as server:
        context = chromium.new_context(base_url=server.url, viewport=PHONE, locale="it-IT", color_scheme="dark")
        page = context.new_page()
        page.set_default_timeout(PATIENCE)

        page.goto("/people/")  # whatever is asked for, the first page comes first
        page.get_by_label("Il tuo nome").fill("Gea")
        page.get_by_label("Il tuo indirizzo").fill("gea@neri.example")
        page.locator("[name=password]").fill(WORD)
        page.locator("[name=again]").fill(WORD)
        page.locator("[name=language]").select_option("it")
        page.locator("main [type=submit]").click()
        page.wait_for_url(server.url + "/")

        page.goto("/domains/add/")
        page.locator("[name=name]").fill("Neri.Example")
        page.locator("[name=new_community]").fill("Famiglia Neri")
        page.locator("[name=new_kind]").select_option("family")
        page.locator("main [type=submit]").click()
        expect(page.locator("#state .state.live")).to_be_visible()

        page.goto("/mailboxes/add/")
        page.locator("[name=local]").fill("gea")
        page.locator("[name=whose][value=here]").check()
        page.get_by_label(re.compile("Gea")).check()
        page.locator("main [type=submit]").click()
        expect(page.locator("#state .state.live")).to_be_visible()

        server.send("zia@outside.example", "gea@neri.example", "benvenuta")
        server.arrives("gea@neri.example", "benvenuta", WORD)
        page.goto("/")
        expect(page.locator("main")).to_contain_text(re.compile(r"\b1\s+in entrata"), timeout=20_000)
