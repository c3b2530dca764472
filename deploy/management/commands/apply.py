"""`manage.py apply [--host NAME] [--wait]`: ask a mail host's worker to apply the newest wishes now."""

import sys
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand

from accounts.rules import line
from accounts.wishes import Wishes
from deploy.models import MailHost
from deploy.tasks import poke

PATIENCE = 30.0  # seconds


class Command(BaseCommand):
    """Exit 0: asked, or with --wait live and verified. 1: not. 2: no such host."""

    help = "Apply the newest wishes now. Example: manage.py apply --wait"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--host, --wait."""
        parser.add_argument("--host", type=line, default="primary", help="the mail host (default: primary)")
        parser.add_argument("--wait", action="store_true", help="wait until it is live and verified, or say why not")

    def handle(self, *args: Any, **options: Any) -> None:
        """Poke, wait."""
        name, asked, generation = options["host"], datetime.now(UTC), Wishes.current()
        if not MailHost.objects.filter(name=name).exists():
            self.refuse(f"“{name}” is no mail host here.", 2)
        reached = poke(name, verify_all=True)
        if options["wait"]:
            self.wait(name, generation, asked)
        elif not reached:
            self.refuse("The queue does not answer: the worker will apply by its own clock, once it runs.", 1)

    def wait(self, name: str, generation: int, asked: datetime) -> None:
        """Until the worker says that this generation is live and was verified after it was asked."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            host = MailHost.objects.get(name=name)
            if not host.ahead and host.applied >= generation and host.verified and host.verified >= asked:
                self.stdout.write(f"generation {host.applied} is live on {name}")
                return
            if host.ahead or (host.state(generation) == "failed" and host.seen and host.seen >= asked):
                self.refuse(host.error, 1)
            time.sleep(0.05)
        self.refuse(f"The worker of {name} did not answer in {PATIENCE:.0f} seconds: is it running?", 1)

    def refuse(self, sentence: str, status: int) -> None:
        """One line on standard error, and the status."""
        self.stderr.write(" ".join(sentence.split()))
        sys.exit(status)
