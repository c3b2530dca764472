"""The recipes that are laid down once, without the daemons: enough to ask procmail about rules."""

from pathlib import Path

from deploy.host.layout import Layout
from deploy.setup import templates


def laid(folder: Path) -> Layout:
    """A host of which there is nothing but these recipes."""
    ports = dict.fromkeys(("smtp", "submission", "shadow_smtp", "shadow_submission", "post", "imap", "pop3"), 0)
    paths = {name: folder / name for name in ("root", "mail", "helper", "auth", "controller")}
    for name in ("rules.rc", "would.rc", "sample.rc"):
        templates.write(folder / name, templates.fill(name, {"ETC": str(folder)}))
    return Layout("primary", **paths, etc=folder, agent="", mail_user="", map_type="hash", address="", **ports)
