"""What an entry of a list may be, whom it means, and which ones are dangerous."""

import pytest

from accounts.rules import Refused
from policies import rules

OWN = {"myfamily.net"}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" Nonna.Rosa@GMAIL.com ", "nonna.rosa@gmail.com"),
        ("@Scuola-Verdi.edu.it", "@scuola-verdi.edu.it"),
        ("@bücher.example", "@xn--bcher-kva.example"),
        ("zio@bücher.example", "zio@xn--bcher-kva.example"),
        ("o'brien+list@mail.example", "o'brien+list@mail.example"),
    ],
)
def test_an_entry_has_one_form(typed, stored):
    assert rules.entry(typed) == stored
    assert rules.entry(stored) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "@", "nonna", "@it", "@localhost", "*@gmail.com", "@*.edu.it", "@.edu.it", "a b@x.example", "a@b@c.example",
     "@x.example\n@y.example", "@192.0.2.1", "nonna%evil@gmail.com", '"x"@y.example', None, 5, "@a..b"],
)  # fmt: skip
def test_what_is_no_entry_is_refused(typed):
    with pytest.raises(Refused):
        rules.entry(typed)


@pytest.mark.parametrize(
    ("listed", "wanted", "means"),
    [
        ("nonna.rosa@gmail.com", "nonna.rosa@gmail.com", True),
        ("nonna.rosa@gmail.com", "nonnaxrosa@gmail.com", False),
        ("nonna.rosa@gmail.com", "xnonna.rosa@gmail.com", False),
        ("nonna.rosa@gmail.com", "nonna.rosa+x@gmail.com", False),
        ("nonna.rosa@gmail.com", "nonna.rosa@gmail.com.evil.example", False),
        ("@scuola-verdi.edu.it", "preside@scuola-verdi.edu.it", True),
        ("@scuola-verdi.edu.it", "preside@notscuola-verdi.edu.it", False),
        ("@scuola-verdi.edu.it", "preside@blog.scuola-verdi.edu.it", False),
    ],
)
def test_an_entry_means_itself_and_a_domain_itself_alone(listed, wanted, means):
    assert rules.matches(listed, wanted) == means


@pytest.mark.parametrize("listed", ["@gmail.com", "@co.uk", "@edu.it", "@github.io", "@myfamily.net", "@libero.it"])
@pytest.mark.parametrize("kind", ["allowed", "always"])
def test_an_entry_that_lets_in_the_world_is_typed_again_or_refused(listed, kind):
    with pytest.raises(Refused, match=f"“{listed}”"):
        rules.refuse_danger(listed, kind, OWN, confirmed=False)
    rules.refuse_danger(listed, kind, OWN, confirmed=True)
    rules.refuse_danger(listed, "blocked", OWN, confirmed=False)
    assert rules.typed_again(listed, f" {listed.upper()} ")
    assert not rules.typed_again(listed, "")
    assert not rules.typed_again(listed, "@other.example")


@pytest.mark.parametrize("listed", ["@scuola-verdi.edu.it", "@partner.example", "nonna@gmail.com", "@co.example"])
def test_other_entries_are_no_danger(listed):
    rules.refuse_danger(listed, "allowed", OWN, confirmed=False)
