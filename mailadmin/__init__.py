"""The project: settings, URLs, Celery's queues and schedule, middleware."""

from mailadmin.celery import app as celery_app

__all__ = ["celery_app"]
