"""Lay down a private mail host: folders, certificate, and every configuration file.

In: where (`var/`), which ports, where outside mail goes. Out: the `Layout`, also written to `etc/host.json`.
Touched: everything below `var/`; configuration is written again when its text changed, so each start repeats this.
Raises SetupError, FolderError or CommandError, each with one sentence.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from deploy.host import drift, release
from deploy.host.commands import run
from deploy.host.layout import Layout
from deploy.render.senders import POOL
from deploy.setup.certificate import make_certificate
from deploy.setup.folders import make_folders
from deploy.setup.own_login import make_own_login
from deploy.setup.people import AGENT, MAIL, SetupError, person
from deploy.setup.post_login import make_post_login
from deploy.setup.templates import fill, write
from deploy.setup.world import make_world

HTTP, SMTP, SUBMISSION, IMAP, POP3, DNS = 8000, 2525, 2587, 2143, 2110, 2053
SHADOW_SMTP, SHADOW_SUBMISSION, POST = 2526, 2588, 2589
HOSTNAME = "mail.mailadmin.invalid"
OWN = f"mailadmin@{HOSTNAME}"  # the panel's letters are from it: everybody's always-contact
CARRIER = f"post@{HOSTNAME}"  # the mail user's login, for letters that people forward
# Which names are public suffixes, `edu.it` for one: with rspamd on Debian 12, a package of its own on 13.
SUFFIXES = ("/usr/share/rspamd/effective_tld_names.dat", "/usr/share/publicsuffix/public_suffix_list.dat")
LOGIN_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@+'=&~"
CLASSES = [f"out_{number:03}" for number in range(1, POOL + 1)]
RELAYHOST = re.compile(r"\[[0-9A-Za-z.:-]{1,253}\](:[0-9]{1,5})?\Z")


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person may choose about a private mail host.

    `relayhost`: `[host]:port` that takes all outside mail; without one it waits in the queue, so that a laptop never
    mails strangers. `tls_before_auth`: passwords only over TLS (a real host; on loopback plain clients may try).
    """

    relayhost: str = ""
    map_type: Literal["hash", "cdb", "lmdb"] = "hash"
    tls_before_auth: bool = False
    name: str = "primary"


def lay(
    var: Path, base: int, code: Path, choices: Choices | None = None, say: Callable[[str], None] = lambda _line: None
) -> Layout:
    """Lay down the host below `var`, its ports shifted by `base`; `code` is the checkout that its daemons may enter.

    `say` is told what somebody had changed by hand: it is kept where he chose so, else put aside.
    """
    choices = choices or Choices()
    make_folders(var)
    make_certificate(var / "etc" / "tls")
    make_world(var / "etc" / "dns")
    make_own_login(var / "etc", OWN)
    make_post_login(var / "etc", CARRIER)
    layout = layout_of(var, base, choices)
    write(var / "etc" / "host.json", layout.to_json())
    kept = mind_what_was_changed(layout, say)
    write_configuration(var, layout, choices, code, kept)
    write(layout.etc / release.LAID, release.laid_text(layout))
    lay_first_release(layout, code)
    run(["postfix", "-c", str(layout.postfix), "check"], timeout=30)
    return layout


def layout_of(var: Path, base: int, choices: Choices) -> Layout:
    """The host's folders, users and doors."""
    return Layout(
        name=choices.name,
        root=var / "host",
        mail=var / "mail",
        etc=var / "etc",
        helper=var / "run" / "helper.sock",
        auth=var / "run" / "auth-master",
        controller=var / "run" / "facts" / "controller.sock",
        agent=AGENT,
        mail_user=MAIL,
        map_type=choices.map_type,
        address="127.0.0.1",
        smtp=SMTP + base,
        submission=SUBMISSION + base,
        shadow_smtp=SHADOW_SMTP + base,
        shadow_submission=SHADOW_SUBMISSION + base,
        post=POST + base,
        imap=IMAP + base,
        pop3=POP3 + base,
    )


def mind_what_was_changed(layout: Layout, say: Callable[[str], None]) -> frozenset[str]:
    """Put aside what somebody changed by hand since it was laid down, but for what he keeps: the names of that."""
    changed = list[drift.Drifted]()
    with suppress(release.ReleaseError):  # the first time there is no list
        changed += drift.of_installer(layout)
    for one in changed:
        if one.kept:
            say(f"{layout.etc / one.path} was changed by hand and is kept as it is.")
        else:
            drift.put_aside(layout, one.path)
            say(f"{layout.etc / one.path} was changed by hand: it is written anew, what was there is in etc/by-hand.")
    return frozenset(one.path for one in changed if one.kept)


def write_laid(layout: Layout, name: str, text: str, kept: frozenset[str]) -> None:
    """One of the installer's files and its copy; somebody's own stays as it is."""
    copy, mode = release.copy_of(layout, name), 0o755 if name in drift.RUN else 0o644
    write(copy, text)
    if name not in kept:
        write(layout.etc / name, text, mode)


def write_configuration(
    var: Path, layout: Layout, choices: Choices, code: Path, kept: frozenset[str] = frozenset()
) -> None:
    """Every file that Postfix, procmail, Dovecot, rspamd and Redis read, but for the releases."""
    values = _values(var, layout, choices) | {"CODE": str(code)}
    values |= {name.upper(): fill(name, values).rstrip("\n") for name in ("submission_options", "shadow_options")}
    for name in release.LAID_NAMES:
        template = _dovecot_template() if name == "dovecot.conf" else Path(name).name
        write_laid(layout, name, fill(template, values), kept)
    write(layout.etc / "redis.conf", fill("redis.conf", values))


def dns_port(layout: Layout) -> int:
    """Where the private host's own resolver answers, shifted like the other ports."""
    return layout.smtp - SMTP + DNS


def lay_first_release(layout: Layout, code: Path) -> None:
    """The agent's own release 000000, which holds nothing, so that the daemons can start before the first wish."""
    if (layout.root / "current").is_symlink():
        return
    words = ["/usr/bin/python3", "-E", "-s", "-m", "deploy.setup.first_release", str(layout.etc / "host.json")]
    run(words, timeout=30, person=person(layout.agent), cwd=code)


def _values(var: Path, layout: Layout, choices: Choices) -> dict[str, str]:
    mail = person(MAIL)
    plain = {f.name.upper(): str(getattr(layout, f.name)) for f in fields(layout)}
    return plain | {
        "VAR": str(var),
        "HOSTNAME": HOSTNAME,
        "OWN": OWN,
        "CARRIER": CARRIER,
        "MILTER": str(var / "run" / "milter" / "rspamd.sock"),
        "SCANNER": str(var / "run" / "rspamd" / "scanner.sock"),
        "SUFFIXES": _suffixes(),
        "NAMESERVER": f"{layout.address}:{dns_port(layout)}",
        "HOSTNAME_PATTERN": re.escape(HOSTNAME),
        "MAIL_UID": str(mail.uid),
        "MAIL_GID": str(mail.gid),
        "LOGIN_CHARACTERS": LOGIN_CHARACTERS,
        "LOG_PERMISSIONS": "maillog_file_permissions = 0640" if _postfix_version() >= (3, 9) else "",
        "POOL": ", ".join(CLASSES),
        "CLASSES": "\n".join(map(_class, CLASSES)),
        "OUTSIDE": _outside(choices.relayhost),
        "TLS_BEFORE_AUTH": "yes" if choices.tls_before_auth else "no",
        "AUTH_WITHOUT_TLS": "no" if choices.tls_before_auth else "yes",
    }


def _class(name: str) -> str:
    """One restriction class: its list is asked for the recipient, for any extension of his, and for his domain."""
    own = f"regexp:{{ {{ /^(.*)$$/ {name[-3:]}=$$1 }} }}"
    asked = (f"check_recipient_access pipemap:{{ ${form}, {own}, $lists }}" for form in ("exact", "extended", "domain"))
    return f"{name} = {', '.join(asked)}"


def _outside(relayhost: str) -> str:
    if not relayhost:
        return (
            "# No relay host was named: mail for the world outside waits in the queue.\ndefer_transports = smtp, relay"
        )
    if not RELAYHOST.match(relayhost):
        raise SetupError(f"MAILADMIN_RELAYHOST is {relayhost!r}; write it like [192.0.2.1]:25.")
    return f"# All mail for the world outside goes one way.\nrelayhost = {relayhost}"


def _suffixes() -> str:
    for path in SUFFIXES:
        if Path(path).exists():
            return path
    raise SetupError(f"Neither {' nor '.join(SUFFIXES)} is there: install the packages rspamd and publicsuffix.")


def _dovecot_template() -> str:
    version = run(["dovecot", "--version"], timeout=10).out.decode()
    if version.startswith("2.3."):
        return "dovecot-2.3.conf"
    if version.startswith("2.4."):
        return "dovecot-2.4.conf"
    raise SetupError(f"Dovecot {version.split()[0]} is installed; 2.3 and 2.4 are known.")


def _postfix_version() -> tuple[int, ...]:
    version = run(["postconf", "-dh", "mail_version"], timeout=10).out.decode()
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
