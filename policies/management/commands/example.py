"""`manage.py example`: load the example household and print its logins."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import User
from policies.example import load_example
from policies.household import HouseholdError


class Command(BaseCommand):
    """Idempotent: people who are there keep their passwords."""

    help = "Load the example household and print its logins, one a line. Example: manage.py example"

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, print address and password."""
        try:
            logins = load_example()
        except HouseholdError as error:
            self.stderr.write(f"The example household does not fit what is here: {error}")
            raise SystemExit(1) from None
        administrators = set(User.objects.filter(administrator=True).values_list("address", flat=True))
        for address, word in sorted(logins.items()):
            self.stdout.write(f"{address}\t{word}" + ("\tadministrator" if address in administrators else ""))
