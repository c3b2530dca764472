"""An address that looks like a listed one is known, by whatever trick, and few honest strangers are taken for one."""

import itertools
import random
import string

import pytest
from hypothesis import given, strategies as st

from policies.lookalike import eye, like, one_edit

NONNA, SCHOOL = "nonna.rosa@gmail.com", "@scuola-verdi.edu.it"
LIST = [NONNA, SCHOOL, "anna@gmx.it", "mario@hotmail.com", "karl@xn--mller-kva.example"]
LETTERS = string.ascii_lowercase + string.digits
names = st.text(LETTERS, min_size=5, max_size=12)
domains = names.map(lambda name: f"{name}.example")


@pytest.mark.parametrize(
    ("address", "entry"),
    [
        # letters that look alike
        ("nonna.r0sa@gmail.com", NONNA),
        ("nonna.rosa@gmai1.com", NONNA),
        ("nonna.rosa@grnail.com", NONNA),
        ("nomna.rosa@gmail.com", NONNA),
        ("preside@scuola-vercli.edu.it", SCHOOL),
        ("bidello@5cuo1a-verdi.edu.it", SCHOOL),
        # international names: аnna in Cyrillic, an accent, a dotless i
        ("nonna.rosa@xn--gmal-nza.com", NONNA),
        ("nonna.rosa@xn--gmil-63d.com", NONNA),
        ("nonna.rosa@xn--gmal-spa.com", NONNA),
        ("karl@muller.example", "karl@xn--mller-kva.example"),
        # one edit
        ("xnonna.rosa@gmail.com", NONNA),
        ("nonna.ros@gmail.com", NONNA),
        ("nonnaxrosa@gmail.com", NONNA),
        ("onnna.rosa@gmail.com", NONNA),
        ("nonna.rosa1@gmail.com", NONNA),
        ("hanna@gmx.it", "anna@gmx.it"),
        ("nonna.rosa@gmial.com", NONNA),
        ("preside@scuola-verde.edu.it", SCHOOL),
        # dots, hyphens, an extension
        ("nonnarosa@gmail.com", NONNA),
        ("nonna-rosa@gmail.com", NONNA),
        ("nonna.rosa+posta@gmail.com", NONNA),
        ("preside@scuolaverdi.edu.it", SCHOOL),
        ("preside@scuola-ver-di.edu.it", SCHOOL),
        # another ending
        ("nonna.rosa@gmail.co", NONNA),
        ("preside@scuola-verdi.it", SCHOOL),
        ("preside@scuola-verdi.com", SCHOOL),
        ("mario@hotmail.it", "mario@hotmail.com"),
        ("anna@gmx.at", "anna@gmx.it"),
        # written around the real one
        ("nonna.rosa@gmail.com.evil.example", NONNA),
        ("security@login.gmail.com.evil.example", NONNA),
        ("nonna.rosa@gmail-com.example", NONNA),
        ("help@my-gmail.com", NONNA),
        ("preside@notscuola-verdi.edu.it", SCHOOL),
        # somebody's own name at a provider that is one edit away
        ("nonna.rosa@mail.com", NONNA),
        ("nonna.rosa@ymail.com", NONNA),
    ],
)
def test_a_look_alike_is_known(address: str, entry: str):
    assert like(address, LIST) == entry


@pytest.mark.parametrize(
    "address",
    [
        "stranger@outside.example",
        "preside@scuola-verdi.edu.it",  # of a listed domain
        "preside@blog.scuola-verdi.edu.it",  # its owner's
        "luigi@hotmail.it",
        "mario.rossi@ymail.com",
        "mario@mail.com",
        "rosa@gmail.com",
        "nonna.pina@gmail.com",
        "nonna.rosa@libero.it",  # another provider: her second address, or anybody's
        "ann@gmx.it",
        "anna@gmx.de.example",
        "",
        "@",
        "gmail.com",
        "@gmail.com",
        NONNA.upper(),
    ],
)
def test_who_looks_like_nobody_is_nobodys_look_alike(address: str):
    assert like(address, LIST) == ""


@pytest.mark.parametrize("address", LIST[2:])
def test_who_is_listed_is_no_look_alike_of_a_neighbour(address: str):
    assert like(address, [*LIST, "hanna@gmx.it", "mario@hotmail.it", "karl@muller.example"]) == ""


def test_the_likest_is_named():
    assert like("nonna.rosa@gmai1.com", ["a.friend@gmail.com", "@gmail.example", NONNA]) == NONNA
    assert like("nonna.rosa@gmail.com.evil.example", ["a.friend@gmail.com", NONNA]) == NONNA


def edits(text: str) -> set[str]:
    """Every text one edit away, said another way than the code does."""
    cuts = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    return (
        {a + b[1:] for a, b in cuts if b}
        | {a + letter + b for a, b in cuts for letter in LETTERS}
        | {a + letter + b[1:] for a, b in cuts for letter in LETTERS if b}
        | {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    ) - {text}


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_one_edit_is_what_it_says(text: str, other: str):
    if text != other:
        assert one_edit(text, other, 0) == (other in edits(text)) == one_edit(other, text, 0)


@given(names, domains, st.data())
def test_every_edit_is_found_in_the_local_part_and_in_the_domain(local: str, domain: str, data: st.DataObject):
    entry = f"{local}@{domain}"
    assert like(f"{data.draw(st.sampled_from(sorted(edits(local))))}@{domain}", [entry]) == entry
    name = domain.partition(".")[0]
    other = data.draw(st.sampled_from(sorted(edits(name))))
    assert like(f"{local}@{other}.example", [entry]) == entry
    assert like(f"whoever@{other}.example", [f"@{domain}"]) == f"@{domain}"


@given(names, domains, st.sampled_from(["0o", "1l", "1i", "il", "5s", "oо", "aа"]))
def test_every_letter_that_looks_alike_is_found(local: str, domain: str, alike: str):
    seen, meant = alike[0], alike[1]
    entry, other = f"{local}@{meant}{domain}", f"{seen}{domain}".encode("idna").decode()
    assert like(f"{local}@{other}", [entry]) == entry
    if seen.isascii():
        entry = f"{meant}{meant}{local}@{domain}"
        assert like(f"{seen}{seen}{local}@{domain}", [entry]) == entry


@given(st.text(max_size=60), st.lists(st.text(max_size=30) | st.sampled_from(LIST), max_size=5))
def test_whatever_is_asked_the_answer_is_an_entry_or_nothing(address: str, listed: list[str]):
    assert like(address, listed) in {"", *listed}
    assert like(address, [*listed, address.lower()]) == ""
    assert like(address, reversed(listed)) == like(address, listed)


@given(st.text(max_size=200))
def test_the_eye_reads_whatever_there_is(text: str):
    assert eye(text).count("\n") == text.count("\n")


FIRST, LAST, PLACES = (
    text.split()
    for text in (
        """alessandro alessia alice andrea angela anna antonio beatrice bruno camilla carla carlo chiara claudia daniela
    davide elena elisa emma enrico fabio federica filippo francesca franco gabriele giada gianni giorgia giovanni giulia
    giuseppe greta ilaria irene laura leonardo lorenzo luca lucia luigi marco maria mario marta martina matteo mattia
    michele nicola paola paolo piero pietro roberto rosa sara silvia simone sofia stefano tommaso valentina""",
        """amato barbieri basile bianchi bruno caruso colombo conti costa deluca esposito fabbri ferrara ferrari fontana
    galli gallo gatti greco grassi leone lombardi longo marchetti mancini mariani marini martini mazza messina monti
    moretti neri palmieri parisi pellegrini ricci rinaldi riva rizzo romano rossetti rossi russo sala santoro serra
    silvestri testa valentini villa vitale""",
        "gmail.com libero.it hotmail.it hotmail.com yahoo.it outlook.it icloud.com tiscali.it virgilio.it gmx.de",
    )
)


def test_few_honest_strangers_are_taken_for_somebody():
    """A list of forty friends at the usual providers and their schools, two thousand strangers at the same ones."""
    chance = random.Random(7)
    people = [f"{first}.{last}" for first, last in itertools.product(FIRST, LAST)]
    chance.shuffle(people)
    addresses = [f"{one}@{chance.choice(PLACES)}" for one in people[:2040]]
    listed = [*addresses[:40], "@scuola-verdi.edu.it", "@calcio-olimpia.it"]
    taken = [one for one in addresses[40:] if like(one, listed)]
    assert len(taken) <= 10, taken


@pytest.mark.parametrize("kind", ["one provider", "many domains", "whole domains"])
def test_somebody_listed_is_like_none_of_ten_thousand_others(kind: str):
    chance = random.Random(3)
    word = lambda n: "".join(chance.choices(string.ascii_lowercase, k=n))  # noqa: E731
    local = {"whole domains": lambda: ""}.get(kind, lambda: f"{word(6)}.{word(7)}")
    place = {"one provider": lambda: "gmail.com"}.get(kind, lambda: f"{word(9)}.it")
    listed = [f"{local()}@{place()}" for _ in range(10_000)]
    assert like("nonna.rosa@gmail.com", listed) == ""
    assert like(f"x{listed[5_000]}", listed) == (listed[5_000] if local() else "")
