"""`manage.py load FILE`: make the database equal to a household file."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from policies.household import HouseholdError, Report, load

LARGEST = 64 << 20  # bytes; a hundred thousand mailboxes take about twenty million


class Command(BaseCommand):
    """Exit 0: loaded. 1: refused, nothing changed. 2: the file cannot be read."""

    help = "Make the database equal to a household file (TOML).\n\nExample: manage.py load household.toml --prune"

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the example on a line of its own."""
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --prune, --json."""
        parser.add_argument("file", help="the household file, or - for standard input")
        parser.add_argument("--prune", action="store_true", help="remove what the file does not name")
        parser.add_argument("--json", action="store_true", help="list what changed as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, print what changed."""
        try:
            report = load(read(options["file"]), "command line", prune=options["prune"])
        except HouseholdError as error:
            self.refuse(str(error), 1)
        except (OSError, ValueError) as error:
            self.refuse(f"{options['file']} cannot be read: {error}", 2)
        else:
            self.stdout.write(json.dumps(asdict(report)) if options["json"] else words(report))

    def refuse(self, sentence: str, status: int) -> None:
        """One line on standard error, and the status."""
        self.stderr.write(" ".join(sentence.split()))
        sys.exit(status)


def read(name: str) -> str:
    """The text of a file that is not too large."""
    data = sys.stdin.buffer.read(LARGEST + 1) if name == "-" else Path(name).read_bytes()
    if len(data) > LARGEST:
        raise ValueError("it is larger than 64 MB")
    return data.decode("utf-8")


def words(report: Report) -> str:
    """What a load did, one line a row."""
    lines = [f"{verb} {row}" for verb in ("created", "changed", "removed") for row in getattr(report, verb)]
    return "\n".join([*(lines or ["nothing to change"]), f"generation {report.generation}"])
