"""From wishes to the mail host."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    """Listens to wishes as soon as the project has started."""

    name = "deploy"

    def ready(self) -> None:
        """Connect the triggers."""
        from deploy import triggers  # noqa: F401
