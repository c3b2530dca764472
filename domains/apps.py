"""The app's name."""

from django.apps import AppConfig


class DomainsConfig(AppConfig):
    """domains."""

    name = "domains"
