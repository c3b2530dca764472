"""`manage.py dump`: write the household file."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from policies.household import dump


class Command(BaseCommand):
    """What it prints, `load` reads back: the identity."""

    help = "Write the household file (TOML) to standard output. Example: manage.py dump --secrets > household.toml"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--secrets."""
        parser.add_argument("--secrets", action="store_true", help="with password hashes: keep the file to yourself")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print."""
        self.stdout.write(dump(secrets=options["secrets"]), ending="")
