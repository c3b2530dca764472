"""The example household: POLICY's cast, each with a password made on this installation.

The passwords are kept in the database folder, readable by the panel alone, so that `script/server --check` can sign in
and a second call prints the same.
"""

import json
import secrets
from pathlib import Path

from django.conf import settings

from accounts.models import User
from policies.household import load, parse

FILE = Path(__file__).with_name("example.toml")
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without letters that look alike


def logins_file() -> Path:
    """Where the passwords of the example people stand."""
    return settings.VAR / "db" / "example.json"


def new_password() -> str:
    """About 59 bits that a person can type."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))


def known_logins() -> dict[str, str]:
    """The passwords that were given out, by address."""
    try:
        logins: dict[str, str] = json.loads(logins_file().read_text(encoding="utf-8"))
        return logins
    except (OSError, ValueError):
        return {}


def load_example() -> dict[str, str]:
    """Load the example household where it is missing; the passwords that still open, by address."""
    logins = known_logins()
    there = set(User.objects.values_list("address", flat=True))
    text = FILE.read_text(encoding="utf-8")
    for person in parse(text)["person"]:
        address = person["address"]
        if address not in there:
            logins[address] = new_password()
            line = f'address = "{address}"\nname ='
            text = text.replace(line, f'address = "{address}"\npassword = "{logins[address]}"\nname =')
    load(text, "example")
    keep(logins)
    return {address: word for address, word in logins.items() if opens(address, word)}


def opens(address: str, word: str) -> bool:
    """True while a person has not chosen a password of her own."""
    person = User.objects.filter(address=address).first()
    return bool(person and person.check_password(word))


def keep(logins: dict[str, str]) -> None:
    """Write the passwords down for the panel alone, with the owner of the folder."""
    path = logins_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(logins, indent=1) + "\n", encoding="utf-8")
