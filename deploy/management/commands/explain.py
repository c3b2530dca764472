"""`manage.py explain --to ADDR [--login ADDR] [--client IP] [--envelope ADDR]`: what would become of a letter."""

import ipaddress
import json
import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand

from accounts.rules import Refused, address
from deploy.explain import COMMAND, LONGEST, Trial, ask, author_of
from deploy.models import HostRequest
from deploy.tasks import poke_explain
from policies import cases, filter_words
from policies.sentences import story

PATIENCE: Final = 10.0  # seconds until the host's worker has begun
LONGEST_ANSWER: Final = 60.0
STRICTEST: Final = ("refuse", "retry", "hold", "later", "deliver")


class Command(BaseCommand):
    """Exit 0: the answer as JSON on standard output. 2: nobody answers, or the question cannot be asked."""

    help = (
        "Say what would become of a letter (on standard input), as JSON. "
        "Example: manage.py explain --to emma@myfamily.net --client 192.0.2.1 < letter.eml"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--to, --login, --client, --envelope."""
        parser.add_argument("--to", required=True, help="the recipient")
        parser.add_argument(
            "--login", default="", help="who signed in to send it (default: nobody, it is from outside)"
        )
        parser.add_argument("--client", default="192.0.2.1", help="the IP address that it comes from")
        parser.add_argument(
            "--envelope", help="its envelope sender, '' for none (default: the login, or the From line)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, wait, print."""
        try:
            trial = read(sys.stdin.buffer.read(LONGEST + 1), options)
            request = ask(COMMAND, trial)
        except (Refused, ValueError) as error:
            return self.refuse(f"{error}")
        poke_explain(request.host.name)
        found = self.wait(request)
        if "error" in found:
            return self.refuse(found["error"])
        self.stdout.write(json.dumps(summary(found, trial, request.asked), ensure_ascii=False))
        return None

    def wait(self, request: HostRequest) -> dict[str, Any]:
        """The answer; the request goes in any case."""
        began = time.monotonic()
        try:
            while (waited := time.monotonic() - began) < LONGEST_ANSWER:
                request.refresh_from_db()
                if request.answer is not None:
                    return dict(request.answer)
                if waited > PATIENCE and request.state == HostRequest.State.ASKED:
                    break
                time.sleep(0.05)
        finally:
            request.delete()
        return {"error": f"The worker of {request.host} did not answer in {waited:.0f} seconds: is it running?"}

    def refuse(self, sentence: str) -> None:
        """One line on standard error, and exit 2."""
        self.stderr.write(" ".join(sentence.split()))
        sys.exit(2)


def read(letter: bytes, options: dict[str, Any]) -> Trial:
    """The trial that was asked for; raises Refused or ValueError for an address that is none."""
    login = address(options["login"]) if options["login"] else ""
    envelope = options["envelope"]
    sender = envelope if envelope is not None else login or author_of(letter)
    sender = address(sender) if envelope else sender
    return Trial(letter, address(options["to"]), login, str(ipaddress.ip_address(options["client"])), sender)


def summary(found: dict[str, Any], trial: Trial, at: datetime) -> dict[str, Any]:
    """The strictest of what happens at each mailbox, and all of them."""
    facts = found["facts"]
    told = [told_of(outcome, trial, facts, at) for outcome in found["outcomes"]]
    worst = min(told, key=lambda one: STRICTEST.index(one["verdict"]))
    top = {name: value for name, value in worst.items() if name != "address"}
    return {**top, "facts": facts, "mailboxes": told}


def told_of(outcome: dict[str, Any], trial: Trial, facts: dict[str, str], at: datetime) -> dict[str, Any]:
    """One mailbox. `rule`: the line of the list that spoke, or the first of the mailbox's own rules that acted."""
    case = cases.case(cases.of_trial(outcome, trial.login, trial.to, facts, at)[-1])
    kept = {name: outcome[name] for name in ("address", "verdict", "folder", "station", "reason")}
    if not outcome.get("rules"):
        return {**kept, "rule": outcome["entry"], "sentence": str(story(case))}
    said = [str(story(case)), *filter_words.done(outcome["key"], outcome["rules"])]
    more = {"rules": outcome["rules"], "more": outcome["more"]}
    return {**kept, **more, "station": "rules", "rule": outcome["rules"][0], "sentence": " ".join(said)}
