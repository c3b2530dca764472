"""The panel for a WSGI server."""

import os

from django.core.wsgi import get_wsgi_application

os.umask(0o007)  # files beside the database belong to panel and agent together
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mailadmin.settings")
application = get_wsgi_application()
