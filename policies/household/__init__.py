"""The household file: everything people wish, as one TOML text.

`load` makes the database equal to a file, in one transaction and one generation; `dump` writes the file that `load`
reads back. Absent keys mean the default, except a password and a mailbox's key, which then stay as they are.
Raises `HouseholdError` with one sentence that names the table (its ordinal and address) and the field, or the line
where the text is no TOML; nothing is changed then.
"""

from policies.household.dump import dump
from policies.household.load import Report, load
from policies.household.tables import HouseholdError, parse
from policies.household.undo import Undone, rehearse, undo

__all__ = ["HouseholdError", "Report", "Undone", "dump", "load", "parse", "rehearse", "undo"]
