#!/usr/bin/env python
"""Django's command line for Mailadmin: `manage.py help` lists the commands, each has `--help` with an example."""

import os
import sys


def main() -> None:
    """Run one command. Files beside the database get its owner and rights from SQLite itself, whoever runs it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailadmin.settings")
    from django.core.management import execute_from_command_line
    from django.db import Error

    try:
        execute_from_command_line(sys.argv)
    except Error as error:
        sys.exit(f"The database does not answer ({error}): script/server makes it and starts everything.")


if __name__ == "__main__":
    main()
