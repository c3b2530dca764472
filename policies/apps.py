"""The app's name."""

from django.apps import AppConfig


class PoliciesConfig(AppConfig):
    """policies."""

    name = "policies"
