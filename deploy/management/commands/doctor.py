"""`manage.py doctor`: every check of the health page, one line each."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from deploy.services.doctor import examine


class Command(BaseCommand):
    """Exit 0: all is well. 1: a check failed."""

    help = "Check database, queue, worker, files and doors. Example: manage.py doctor --json"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--json."""
        parser.add_argument("--json", action="store_true", help="the checks as a JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, print."""
        checks = list(examine())
        if options["json"]:
            self.stdout.write(json.dumps([asdict(check) for check in checks]))
        else:
            for check in checks:
                self.stdout.write(f"{'ok    ' if check.ok else 'FAILED'} {check.name}: {check.sentence}")
        sys.exit(0 if all(check.ok for check in checks) else 1)
