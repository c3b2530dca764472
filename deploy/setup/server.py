"""`script/server`: lay down everything, start it, say where it is, and stop all of it at the end.

In: `--check`, `--empty`, and settings from the environment. Out: addresses, the one-time password, findings.
Touched: `var/` and the processes it starts. Every refusal is one line on standard error and exit code 1.
"""

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from deploy.host.canary import CanaryError, sing
from deploy.host.commands import CommandError, end_children
from deploy.host.folders import FolderError
from deploy.host.layout import Layout, LayoutError
from deploy.setup import panel
from deploy.setup.check import check
from deploy.setup.folders import make_folders
from deploy.setup.lay import HTTP, Choices, lay
from deploy.setup.leftovers import AlreadyRunning, end_leftovers, lock
from deploy.setup.people import SetupError
from deploy.setup.place import Place, find_place
from deploy.setup.ports import check_ports, read_base
from deploy.setup.programs import mail_programs, panel_programs
from deploy.setup.supervision import Running, supervise

PATTERNS = 240.0  # seconds: rspamd compiles at its first start
CHECKOUT = Path(__file__).resolve().parents[2]
REFUSALS = (SetupError, CommandError, CanaryError, FolderError, LayoutError, AlreadyRunning, OSError)


class Stop(BaseException):
    """Ctrl-C, or somebody asked this process to end."""


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; the exit code."""
    options = _options(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return serve(options)
    except Stop:
        _let_nothing_interrupt()
        end_children()
        _say("Stopped.")
        return 0
    except REFUSALS as refusal:
        print(f"script/server: {' '.join(str(refusal).split())}", file=sys.stderr)
        return 1


def serve(options: argparse.Namespace) -> int:
    """Find the place, take it, start, and either check or wait for the end."""
    if os.geteuid() != 0:
        raise SetupError("Daemons run as users of their own, so this needs root: sudo script/server")
    base = read_base(os.environ.get("MAILADMIN_PORT_BASE", "0"))
    place = find_place(CHECKOUT, Path(os.environ.get("MAILADMIN_VAR", CHECKOUT / "var")).absolute())
    place.prepare_state()
    make_folders(place.var)
    try:
        lock(place.var)
    except AlreadyRunning as running:
        if not options.check:
            raise
        _say(f"{running} That one is checked.")
        return _check(place, Layout.read(place.var / "etc" / "host.json"))
    return _start(options, place, base)


def _start(options: argparse.Namespace, place: Place, base: int) -> int:
    if left := end_leftovers(place.var):
        _say(f"Ended {len(left)} processes of an earlier run.")
    check_ports(base)
    if place.note:
        _say(place.note)
    place.prepare_code()
    choices = Choices(
        relayhost=os.environ.get("MAILADMIN_RELAYHOST", ""), name=os.environ.get("MAILADMIN_HOST", "primary")
    )
    layout = lay(place.var, base, place.code, choices, _say)
    manage = panel.Manage(place.var, place.code, panel.environment(os.environ, place.var))
    words = panel.prepare(manage, example=not options.empty)
    programs = [
        *mail_programs(layout, place.code),
        *panel_programs(place.var, HTTP + base, place.code, manage.environment),
    ]
    with supervise(place.var, str(place.code / ".venv" / "bin" / "python"), programs) as running:
        try:
            _wait(running, layout, manage, HTTP + base)
            _apply(manage, layout, strict=options.check)
            _say(panel.greeting(layout, HTTP + base, place.wished, words))
            return _check(place, layout) if options.check else _watch(running)
        finally:
            _let_nothing_interrupt()
            _say("Stopping …")


def _wait(running: Running, layout: Layout, manage: panel.Manage, http: int) -> None:
    if not list((running.var / "lib" / "rspamd").glob("*.hsmp")):
        _say("The filter compiles its patterns; this happens once, and takes up to a minute.")
    running.wait(lambda: panel.filter_answers(layout), "the filter rspamd", PATTERNS)
    sing(layout)
    running.wait(lambda: panel.mail_answers(layout), "the mail host")
    running.wait(lambda: panel.panel_answers(http), "the panel")


def _apply(manage: panel.Manage, layout: Layout, *, strict: bool) -> None:
    """Have the newest wishes live; where they cannot be, mail goes on as it was, and the panel says why."""
    try:
        manage.run("apply", "--host", layout.name, "--wait")
    except CommandError as error:
        if strict:
            raise
        _say(f"The newest wishes are not live: {' '.join(str(error).split())}")


def _watch(running: Running) -> int:
    """Stay until a signal comes, or until what we started ends by itself."""
    running.process.wait()
    raise SetupError(f"The process runner ended; {running.var}/log/supervisord.log says why.")


def _check(place: Place, layout: Layout) -> int:
    passed = True
    for finding in check(layout, place.var):
        _say(str(finding))
        passed = passed and finding.arrived
    return 0 if passed else 1


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/server", description="Starts panel, worker and a private mail host; Ctrl-C stops all of it."
    )
    parser.add_argument("--check", action="store_true", help="send a letter to every example mailbox, read it, stop")
    parser.add_argument("--empty", action="store_true", help="start without the example household")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    print(text, flush=True)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stop


def _let_nothing_interrupt() -> None:
    """While everything is being stopped, a second Ctrl-C changes nothing."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
