"""Every verdict in words: the fact, the rule, who set it and when, and the one thing that changes it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

import pytest

from policies import why
from policies.sentences import Case, Entry, Level, Said, stations, story

EVIL, NONNA = "evil@other.example", "nonna.rosa@gmail.com"
STARTER = Level("starter", "list", by="Marco", when=date(2026, 5, 3))
EXPLORER = Level("explorer", "proven", by="Marco", when=date(2026, 5, 3))
INSIDE = Level("inside", "list", "business", listless=True)
LISTED = Entry(NONNA, "allowed", "proven", "Emma", "Anna", date(2026, 6, 1))
BLOCKED = Entry(EVIL, "blocked", "proven", "Emma", "Anna", date(2026, 6, 1))
HELD = Case("in", "hold", "in-5", "stranger", "Emma", EVIL, proof="pass", how="dmarc", level=STARTER)
SENT = Case("out", "hold", "out-2", "stranger", "Emma", others=(EVIL,), level=STARTER)


def changed(case: Case, **changes: Any) -> Case:
    return replace(case, **changes)


TOLD = {
    "a stranger": (
        HELD,
        f"Held because nobody on Emma's list has the address {EVIL}. "
        "Marco chose ‘Starter’ for Emma on 2026-05-03. "
        "At this level only the family and people on the list may write to Emma. "
        f"Add {EVIL} to Emma's list to let such letters in.",
    ),
    "a look-alike": (
        changed(HELD, author="nonna.r0sa@gmail.com", like=NONNA),
        f"Careful: it looks like {NONNA}, which is on the list, and is another.",
    ),
    "what to do about a look-alike": (
        changed(HELD, reason="unproven", author="nonna.r0sa@gmail.com", like=NONNA, level=EXPLORER),
        "Ask by telephone first: if it is somebody you know, add nonna.r0sa@gmail.com to Emma's list.",
    ),
    "an exception": (
        changed(HELD, level=replace(EXPLORER, setting="list", until=date(2026, 9, 1))),
        "An exception to ‘Explorer’ holds for Emma until 2026-09-01.",
    ),
    "a stranger to who works inside": (
        changed(HELD, person="Ivo", level=INSIDE),
        f"Held because {EVIL} is not one of us. Ivo has the level ‘Inside only’. "
        "At this level only own people may write to Ivo. Choose another level for Ivo to let such letters in.",
    ),
    "somebody without proof": (
        changed(HELD, reason="unproven", proof="none", how="-", level=EXPLORER),
        f"Held because it is not proven that {EVIL} wrote this letter. The provider confirms nothing.",
    ),
    "spam": (changed(HELD, reason="spam"), "Held without asking, because it looks like spam"),
    "a blocked one": (
        changed(HELD, station="in-2", reason="blocked", entry=BLOCKED),
        f"Held without asking, because {EVIL} is blocked. Anna blocked {EVIL} on Emma's list on 2026-06-01. "
        f"Take {EVIL} off Emma's list to hear from there again.",
    ),
    "Nonna's name alone": (
        changed(HELD, station="in-3", reason="unproven", author=NONNA, proof="fail", how="dmarc", entry=LISTED),
        f"Held because it is not proven that {NONNA} wrote this letter. "
        "The provider says that this letter is not from there. "
        f"Anna put {NONNA} on Emma's list on 2026-06-01. Letters from {NONNA} must be proven. "
        f"Ask {NONNA}, but not by answering: if the letter is real, let this one in.",
    ),
    "an outsider as Mum": (
        changed(HELD, station="in-3", reason="unproven", author="anna@myfamily.net", proof="fail", ours=True),
        "Held because the letter says it is from anna@myfamily.net, but nobody signed in to send it.",
    ),
    "nobody in particular": (
        changed(HELD, station="in-1", reason="malformed", author="", proof="malformed"),
        "Held because the letter does not say clearly whom it is from",
    ),
    "past the filter": (
        changed(HELD, station="in-1", reason="malformed", author="", proof="unknown"),
        "Held because nothing is known about this letter",
    ),
    "through a mailing list": (
        changed(HELD, author=NONNA, entry=LISTED, through="knit.example.org"),
        f"Held because the letter comes through the mailing list knit.example.org, not straight from {NONNA}.",
    ),
    "answers elsewhere": (
        changed(HELD, station="in-6", reason="content", author=NONNA, entry=LISTED),
        f"Held because an answer would not go to {NONNA} but to another address.",
    ),
    "a listed one": (
        changed(HELD, verdict="deliver", station="in-8", reason="", author=NONNA, entry=LISTED),
        f"Delivered because {NONNA} is on Emma's list. The letter proves that it is from there.",
    ),
    "one accepted without proof": (
        changed(
            HELD, verdict="deliver", station="in-8", reason="", proof="none", author=NONNA,
            entry=replace(LISTED, assurance="unproven"),
        ),
        f"Anna put {NONNA} on Emma's list on 2026-06-01. Letters from {NONNA} are accepted without proof.",
    ),
    "Mum": (
        changed(HELD, verdict="deliver", station="in-8", author="anna@myfamily.net", ours=True, guardian=True),
        "Delivered because anna@myfamily.net is one of us, and signed in.",
    ),
    "no level": (
        changed(HELD, verdict="deliver", station="in-8", reason="", level=None),
        "Delivered because nothing limits who may write to Emma.",
    ),
    "to a stranger": (
        SENT,
        f"Held because it is to somebody who is not on Emma's list: {EVIL}. Marco chose ‘Starter’ for Emma on "
        "2026-05-03. At this level a letter to anybody who is not on the list waits for an answer, whole. "
        f"Add {EVIL} to the list to let such letters go.",
    ),
    "to no partner": (
        changed(SENT, verdict="refuse", person="Gino", level=Level("partners", "list", "business")),
        f"Refused because Gino may not write to {EVIL}.",
    ),
    "to a blocked one": (
        changed(SENT, verdict="refuse", reason="blocked", entry=BLOCKED),
        f"Refused because {EVIL} is blocked for Emma.",
    ),
    "as another": (
        changed(SENT, verdict="refuse", station="out-1", reason="sender"),
        "Refused because the letter is in the name of another than Emma.",
    ),
    "to anybody": (
        changed(SENT, verdict="deliver", level=Level("trusted", "anyone", by="Marco", when=date(2026, 5, 3))),
        "Sent because Emma may write to strangers.",
    ),
    "to nobody": (
        changed(SENT, verdict="refuse", station="", reason="unknown"),
        "Refused because there is no such address.",
    ),
    "what is not known here": (
        changed(HELD, verdict="refuse", station="", reason="", answer="5.7.1 No."),
        "Refused. The sender is told: 5.7.1 No.",
    ),
    "a station to come": (changed(HELD, station="in-9", reason="moon"), "Held at the station in-9: moon."),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_the_story_of(name: str) -> None:
    case, said = TOLD[name]
    assert said in str(story(case))


def every_case() -> Iterator[Case]:
    """Every verdict with every entry and level."""
    held = [("in-1", "malformed"), ("in-2", "blocked"), ("in-3", "unproven"), ("in-5", "stranger")]
    held += [("in-5", "unproven"), ("in-5", "spam"), ("in-6", "content")]
    ends = [("in", "hold", *one) for one in held]
    ends += [("in", "deliver", "in-8", ""), ("in", "retry", "", "recipe"), ("out", "retry", "", "")]
    ends += [("in", "refuse", "", reason) for reason in ("unknown", "suspended", "internal", "full", "sender", "")]
    ends += [
        ("out", "hold", "out-2", "stranger"),
        ("out", "deliver", "out-2", ""),
        ("out", "refuse", "out-2", "blocked"),
    ]
    ends += [
        ("out", "refuse", "out-2", "stranger"),
        ("out", "refuse", "out-1", "sender"),
        ("out", "refuse", "out-1", "malformed"),
    ]
    levels = [None, STARTER, EXPLORER, INSIDE, Level("trusted", "anyone"), Level("explorer", "tell")]
    for end, entry, level in product(ends, (None, LISTED, BLOCKED, replace(LISTED, by="", when=None)), levels):
        for proof, ours in product(("pass", "fail", "none", "temp", "malformed", "unknown"), (False, True)):
            yield Case(*end, "Emma", NONNA, (EVIL,), proof, "-", ours=ours, entry=entry, level=level)


def test_every_verdict_has_a_fact_and_every_place_is_filled() -> None:
    for case in every_case():
        told = story(case)
        assert told.fact, case
        assert "%(" not in str(told), case
        assert str(told).strip(), case


def test_no_sentence_claims_what_no_station_enforces() -> None:
    idle = re.compile(r"attach|link|word|hour|night|morning|asleep|a day|limit[^s]", re.IGNORECASE)
    for case in every_case():
        steps = [step.label for step in stations(case) if step.station not in ("in-7", "out-4")]  # these are the hours
        texts = " ".join(map(str, [story(case), *steps]))
        assert not idle.search(texts), texts


def test_who_set_a_rule_is_named_with_the_day() -> None:
    for case in (
        TOLD["a stranger"][0],
        TOLD["a blocked one"][0],
        TOLD["Nonna's name alone"][0],
        TOLD["to a stranger"][0],
    ):
        rule = " ".join(map(str, story(case).rule))
        assert re.search(r"(Marco|Anna) (chose|blocked|put) .* on 2026-0[56]-0[13]\.", rule), rule
        assert story(case).remedy, case


def test_a_name_that_runs_from_right_to_left_stays_in_its_place() -> None:
    said = str(story(changed(HELD, person="אמה")).remedy)
    assert "\N{FIRST STRONG ISOLATE}אמה\N{POP DIRECTIONAL ISOLATE}" in said


@pytest.mark.parametrize(
    ("case", "states"),
    [
        (HELD, "passed passed passed passed decided waiting waiting waiting"),
        (changed(HELD, station="in-1", reason="malformed"), "passed decided" + " waiting" * 6),
        (changed(HELD, verdict="later", station="in-7", reason="hours"), "passed " * 6 + "decided waiting"),
        (changed(HELD, verdict="deliver", station="in-8"), "passed " * 7 + "decided"),
        (changed(HELD, verdict="refuse", station="in-5", reason="internal"), "decided" + " waiting" * 7),
        (SENT, "passed passed decided waiting waiting"),
        (changed(SENT, verdict="refuse", station="out-1"), "decided waiting waiting waiting waiting"),
        (changed(SENT, verdict="refuse", station="out-4", reason="hours"), "passed passed passed decided waiting"),
        (changed(SENT, verdict="deliver"), "passed passed passed passed decided"),
        (changed(HELD, station="in-9"), "decided" + " waiting" * 7),
    ],
)
def test_the_row_of_stations_shows_where_it_was_decided(case: Case, states: str) -> None:
    assert " ".join(step.state for step in stations(case)) == states


def test_a_percent_sign_of_a_stranger_breaks_nothing() -> None:
    assert "100%s@x.example" in str(story(changed(HELD, author="100%s@x.example")))
    assert why.spoken(Said("%(text)s", {"text": "100% %(name)s"})) == "100% %(name)s"
