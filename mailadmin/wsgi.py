"""The panel for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

from mailadmin.utf8 import utf8_forms

os.umask(0o007)  # files beside the database belong to panel and agent together
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailadmin.settings")
application = utf8_forms(get_wsgi_application())
