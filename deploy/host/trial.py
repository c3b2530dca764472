"""Asks the rules of mailboxes about letters, with real procmail: what `samples` runs in a sandbox.

Run as `python -m deploy.host.trial SAMPLE.RC`, with JSON lines on standard input: `["file", PATH]` or `["text", RULES]`
says which rules are asked from now on, `["ask", TO_WHOM, LETTER]` asks them; the letter in base64. Out: a JSON line for
each letter: what procmail wrote into its log, and what else it said, which should be nothing. Touched: scratch files
below the folder for temporary ones. Nothing is delivered.
"""

import base64
import json
import sys
import tempfile
from pathlib import Path
from typing import Final

from deploy.host.commands import run

LONGEST: Final = 20.0  # seconds for one letter
HOMELESS: Final = 'procmail: Couldn\'t chdir to "/nonexistent"'  # a system user has no home


def ask(recipe: Path, log: Path, rules: str, to: str, letter: bytes) -> tuple[str, str]:
    """What procmail logs and says about one letter."""
    log.write_bytes(b"")
    words = ["/usr/bin/procmail", "-t", "-m", str(recipe), str(log), rules, to]
    done = run(words, timeout=LONGEST, input=letter)
    said = [line for line in (done.out + done.err).decode("utf-8", "replace").splitlines() if line != HOMELESS]
    return log.read_text(encoding="utf-8", errors="replace"), " | ".join(said)


def main(recipe: str) -> None:
    """Answer every line. In a sandbox files of root are nobody's, and procmail reads none such: so it gets a copy."""
    with tempfile.TemporaryDirectory() as scratch:
        own, rules = Path(scratch, "sample.rc"), Path(scratch, "rules")
        own.write_bytes(Path(recipe).read_bytes())
        asked = str(rules)
        for line in sys.stdin:
            verb, *words = json.loads(line)
            if verb == "text":
                rules.write_text(words[0], encoding="utf-8")
            if verb == "ask":
                print(json.dumps(ask(own, Path(scratch, "log"), asked, words[0], base64.b64decode(words[1]))))
            else:
                asked = words[0] if verb == "file" else str(rules)


if __name__ == "__main__":
    main(sys.argv[1])
