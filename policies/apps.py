"""From the app's name to what listens as soon as the project has started."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """policies."""

    name = "policies"

    def ready(self) -> None:
        """Connect the triggers."""
        from policies import triggers  # noqa: F401
