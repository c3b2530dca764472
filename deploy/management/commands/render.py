"""`manage.py render DIR [--at TIME]`: write what a host would get, touching nothing else."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from accounts.rules import line
from deploy.gather import gather
from deploy.models import MailHost
from deploy.render import render
from deploy.render.quoting import Unwritable


class Command(BaseCommand):
    """The same wishes and the same time give the same bytes."""

    help = "Write what a mail host would get into a folder. Example: manage.py render /tmp/look --at 2026-12-24T20:30"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """DIR, --at, --host."""
        parser.add_argument("dir", type=Path, help="a folder that is empty or does not exist yet")
        parser.add_argument("--at", default="", help="the moment, ISO 8601 (default: now)")
        parser.add_argument("--host", type=line, default="primary", help="the mail host (default: primary)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Render, write."""
        target: Path = options["dir"]
        try:
            if target.exists() and any(target.iterdir()):
                raise ValueError(f"{target} is not empty: name another folder")
            files = render(gather(MailHost.objects.get(name=options["host"])), moment(options["at"]), "/var/mail")
            write(target, files)
        except MailHost.DoesNotExist:
            self.refuse(f"“{options['host']}” is no mail host here.", 1)
        except Unwritable as error:
            self.refuse(str(error), 1)
        except (OSError, OverflowError, ValueError) as error:
            self.refuse(f"{error}.", 2)

    def refuse(self, sentence: str, status: int) -> None:
        """One line on standard error, and the status."""
        self.stderr.write(sentence)
        sys.exit(status)


def moment(text: str) -> datetime:
    """An ISO 8601 moment, UTC where it names no zone; now for nothing."""
    when = datetime.fromisoformat(text) if text else datetime.now(UTC)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def write(target: Path, files: dict[str, bytes]) -> None:
    """Write each file under the folder, for its owner alone: there are password hashes among them."""
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_bytes(content)
