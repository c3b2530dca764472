"""The panel for a WSGI server."""

import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from mailadmin.celery import freeze_what_is_loaded
from mailadmin.utf8 import utf8_forms

os.umask(0o007)  # files beside the database belong to panel and agent together
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailadmin.settings")
application = utf8_forms(get_wsgi_application())
import_module(settings.ROOT_URLCONF)  # every page, now rather than with the first request
freeze_what_is_loaded()
