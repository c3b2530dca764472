"""A lock that is out of step with what it was made from is told, without network."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
NAMES = ["pyproject.toml", "package.json", "package-lock.json", "script/locks.py"]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "script").mkdir()
    for name in NAMES + [path.name for path in TOP.glob("requirements*.lock")]:
        shutil.copy(TOP / name, tmp_path / name)
    return tmp_path


def check(checkout: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, checkout / "script/locks.py", "check"], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_locks_are_in_step(checkout: Path) -> None:
    assert check(checkout) == (0, "")


def test_another_dependency_needs_new_python_locks(checkout: Path) -> None:
    change(checkout / "pyproject.toml", '"gunicorn>=23"', '"gunicorn>=24"')
    status, said = check(checkout)
    assert status == 1
    assert said.count("run script/lock") == 3


def test_another_asset_needs_a_new_node_lock(checkout: Path) -> None:
    change(checkout / "package.json", '"htmx.org": "^', '"htmx.org": "^1.')
    assert check(checkout) == (1, "package-lock.json is not made from package.json as it is now; run script/lock\n")


@pytest.mark.parametrize("address", ["https://packages.example/simple", "file:///srv/packages", "git+ssh://host/x"])
def test_an_address_in_a_python_lock_is_found(checkout: Path, address: str) -> None:
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write(f"--extra-index-url {address}\n")
    assert check(checkout) == (1, "requirements.lock names an address\n")


def test_an_address_in_the_node_lock_is_found(checkout: Path) -> None:
    change(checkout / "package-lock.json", '"version"', '"resolved": "https://packages.example/x.tgz", "version"')
    assert check(checkout) == (1, "package-lock.json names an address\n")
