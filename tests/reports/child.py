"""A process of its own with the panel's models, and its database in a file."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A process of its own, with the database in a file."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "mail.log"
        self.database = folder / "db.sqlite3"
        self.environment = {**os.environ, "DATABASE_URL": f"sqlite:///{self.database}", "MAILADMIN_VAR": str(folder)}

    def start(self, code: str) -> "subprocess.Popen[str]":
        """Run code with the panel's models."""
        text = f"import django\ndjango.setup()\n{code}"
        environment = {**self.environment, "DJANGO_SETTINGS_MODULE": "mailadmin.settings"}
        command = [sys.executable, "-c", text, str(self.log)]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def run(self, code: str) -> None:
        """The same, to its end, which is a good one."""
        with self.start(code) as process:
            assert process.wait() == 0

    def migrate(self, *words: str) -> None:
        """Bring the database to a migration: an app and a name, or all to the newest."""
        command = [sys.executable, "manage.py", "migrate", "-v0", *words]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        with sqlite3.connect(self.database) as database:
            rows = database.execute(query).fetchall()
        database.close()
        return rows
