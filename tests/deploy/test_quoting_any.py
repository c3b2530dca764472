"""Whatever a value is: it is refused, or written so that it reads back."""

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st

from deploy.host.commands import run
from deploy.render import quoting, reading
from deploy.render.quoting import Unwritable
from tests.deploy.household import HASH
from tests.strategies import hostile_text

HEADER = "# A header.\n"
BOUNDED = settings(max_examples=60, deadline=None)


def written(write: Callable[[], str]) -> str | None:
    """What a writer makes of a value, or None where it refuses with one sentence that is fit to be shown."""
    try:
        return write()
    except Unwritable as error:
        sentence = str(error)
        assert sentence.isprintable()
        assert sentence.endswith(".")
        assert len(sentence) < 200
        return None


@given(hostile_text(), hostile_text())
@example("a@b.example", "x" * 60000)
@example("a@b.example", "550 5.7.1 no # comment, a \\ and a % stay")
def test_a_map_entry_is_refused_or_reads_back(key: str, value: str) -> None:
    line = written(lambda: quoting.map_line(key, value))
    if line is not None:
        assert reading.read_map(HEADER + line) == {key: value}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", "x"),
        ("k", ""),
        (" k", "x"),
        ("#k", "x"),
        ("k:", "x"),
        ("K", "x"),
        ('"k"', "x"),
        ("k\\", "x"),
        ("k k", "x"),
        ("k\0", "x"),
        ("k\n", "x"),
        ("é", "x"),
        ("k", " x"),
        ("k", "x "),
        ("k", "x\n"),
        ("k", "x\ny z"),
        ("k", "x\0"),
        ("k", "\t"),
        ("k", "é"),
        ("k" * 321, "x"),
        ("k", "x" * 60001),
    ],
)
def test_a_map_never_holds(key: str, value: str) -> None:
    with pytest.raises(Unwritable):
        quoting.map_line(key, value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "x",
        "@b.example",
        "|x@b.example",
        "#x@b.example",
        "/x@b.example",
        "-x@b.example",
        '"x y"@b.example',
        "x,y@b.example",
        "x y@b.example",
        "x%y@b.example",
        "x!y@b.example",
        "x@y@b.example",
        "X@b.example",
        "x.@b.example",
        "x..y@b.example",
        "x@b",
        "x@-b.example",
        "x@b.123",
        "x@bücher.example",
        "x@b.example\n",
        "x\0@b.example",
        "x" * 65 + "@b.example",
        "x@" + "b." * 124 + "example",
        "x@" + "b" * 64 + ".example",
    ],
)
def test_it_is_no_address(text: str) -> None:
    with pytest.raises(Unwritable):
        quoting.address(text)


@pytest.mark.parametrize("text", ["o'brien@b.example", "a+b=c&d~e@xn--bcher-kva.example", "_x.y-@b.co", "x@b.123.it"])
def test_it_is_an_address(text: str) -> None:
    assert quoting.address(text) == text


@pytest.mark.parametrize("text", ["a+b@b.example", "o'brien@b.example", "-a@b.example", "a-@b.example", "_a@b.example"])
def test_an_address_of_ours_also_names_a_file(text: str) -> None:
    with pytest.raises(Unwritable):
        quoting.own_address(text)


@given(hostile_text())
@example("it's")
@example("a\\")
def test_a_recipe_word_is_refused_or_reads_back(text: str) -> None:
    word = written(lambda: quoting.procmail_word(text))
    if word is not None:
        assert reading.read_word(word) == text


@pytest.mark.parametrize("text", ["", "a\nb", "a\0", "\x7f", "\x85", "\u2028", "\ud800", "a" * 1001])
def test_a_recipe_never_holds(text: str) -> None:
    with pytest.raises(Unwritable):
        quoting.procmail_word(text)


@given(hostile_text(), hostile_text(), hostile_text(), hostile_text())
def test_a_passwd_line_is_refused_or_reads_back(login: str, password: str, home: str, extra: str) -> None:
    for given_login in (login, "emma@b.example"):
        for secret in (password, HASH):
            for folder in (home, "/var/mail/0123456789abcdef"):
                check_passwd_line(given_login, secret, folder, extra)


def check_passwd_line(login: str, password: str, home: str, extra: str) -> None:
    """One of the values is hostile, or several."""
    line = written(lambda: quoting.passwd_line(login, password, home, [quoting.extra_field("reason", extra)]))
    if line is not None:
        found = reading.read_passwd(HEADER + line)
        assert found == {login: (password or quoting.NOBODY, home, (f"reason={extra}",))}


@pytest.mark.parametrize("value", ["", "50%", "a:b", "a b", "a\tb", "é", "a\n", "x" * 301])
def test_an_extra_field_never_holds(value: str) -> None:
    with pytest.raises(Unwritable):
        quoting.extra_field("reason", value)


@pytest.mark.parametrize(
    "value",
    ["x", "!", "{PLAIN}x", "{SHA512-CRYPT}", "{SHA512-CRYPT}$6$a:b", "{SHA512-CRYPT}$6$%", HASH + "\n", "!" + HASH],
)
def test_it_is_no_password_hash(value: str) -> None:
    with pytest.raises(Unwritable):
        quoting.passwd_line("emma@b.example", value, "/mail/x")


@given(hostile_text())
def test_a_sentence_about_a_value_is_short_and_clean(text: str) -> None:
    assert quoting.spoken(text).isprintable()
    assert len(quoting.spoken(text)) <= 61


@pytest.mark.parametrize(
    "text",
    [
        "a b\n",
        HEADER + "a b",
        HEADER + "a\n",
        HEADER + " a b\n",
        HEADER + "a b\n c\n",
        HEADER + "a b\na c\n",
        HEADER + "#a b\n",
        HEADER + "a b\r\n",
        HEADER + "a b \n",
        HEADER + 'a"b c\n',
    ],
)
def test_the_reader_accepts_no_other_map(text: str) -> None:
    with pytest.raises(reading.Misread):
        reading.read_map(text)


@pytest.mark.parametrize(
    "text",
    [
        "BOX=x\nRULES_OK=yes\n",
        "BOX='a'\nLIST=`id`\nRULES_OK=yes\n",
        "BOX='a'\n",
        "BOX='a'`id`\nRULES_OK=yes\n",
        "BOX='a'\nREPLY_TO='hold'\nLIST='b'\nRULES_OK=yes\n",
    ],
)
def test_the_reader_accepts_no_other_recipe(text: str) -> None:
    with pytest.raises(reading.Misread):
        reading.read_recipe(HEADER + text)


@pytest.fixture(scope="module")
def postfix() -> "Path":
    """The least configuration that postmap wants."""
    folder = Path(tempfile.mkdtemp(prefix="mailadmin-quoting-"))
    (folder / "main.cf").write_text("compatibility_level = 3.6\n")
    os.utime(folder / "main.cf", (1, 1))
    return folder


@pytest.mark.daemons
@given(entries=st.dictionaries(hostile_text(12), hostile_text(), min_size=1, max_size=30))
@example(entries={"a@b.example": "x,y", "@b.example": '550 5.7.1 "quoted" \\ and # and =', "b.example": "DUNNO"})
@example(entries={"o'brien+x=y&z~@b.example": "x", ".": "x", "a.": "y", "--": "z", "k=v": "x=y"})
@BOUNDED
def test_postmap_reads_what_was_written(postfix: Path, entries: dict[str, str]) -> None:
    lines = {key: line for key, value in entries.items() if (line := written(partial(quoting.map_line, key, value)))}
    source = postfix / "map"
    source.write_text(HEADER + "".join(lines.values()))
    built = run(["postmap", "-c", str(postfix), f"hash:{source}"], timeout=10)
    everything = run(["postmap", "-c", str(postfix), "-s", f"hash:{source}"], timeout=10).out.decode()
    assert built.text == ""
    assert sorted(everything.splitlines()) == sorted(f"{key}\t{entries[key]}" for key in lines)


@pytest.mark.daemons
@given(text=hostile_text())
@example(text='it\'s `id` $(id) $HOME \\ "quoted" | ! # end\\')
@example(text="è una parola")
@BOUNDED
def test_procmail_reads_what_was_written(text: str) -> None:
    word = written(lambda: quoting.procmail_word(text))
    if word is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        rc = Path(folder) / "rc"
        rc.write_bytes(f'X={word}\nLOGABSTRACT=no\nLOGFILE={folder}/log\nLOG="$X"\nDEFAULT=/dev/null\n'.encode())
        run(["procmail", "-m", str(rc)], timeout=10, input=b"Subject: x\n\nx\n")
        assert (Path(folder) / "log").read_bytes() == text.encode()
