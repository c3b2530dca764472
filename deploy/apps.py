"""The app's name."""

from django.apps import AppConfig


class DeployConfig(AppConfig):
    """deploy."""

    name = "deploy"
