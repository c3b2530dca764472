"""Every setting of the panel and the worker. What differs from host to host comes from the environment."""

import os
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

MOST_DAYS = 400
BASE_DIR = Path(__file__).resolve().parent.parent


def env_list(name: str, default: str = "") -> list[str]:
    """The comma-separated values of an environment variable."""
    return [value.strip() for value in os.environ.get(name, default).split(",") if value.strip()]


def env_days(name: str, default: int) -> int:
    """A number of days, 1 to 400, of an environment variable."""
    value = os.environ.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:9]) <= MOST_DAYS):
        raise ImproperlyConfigured(f"{name} is “{value}”: write a number of days from 1 to {MOST_DAYS}.")
    return int(value)


def read_secret(path: Path) -> str:
    """The installation's secret key; without one (a build, a test) a key that lives as long as the process."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return secrets.token_urlsafe(50)


# Where state lives, and which mail host this worker serves.
VAR = Path(os.environ.get("MAILADMIN_VAR", BASE_DIR / "var")).absolute()
PORT_BASE = int(os.environ.get("MAILADMIN_PORT_BASE", "0"))
MAILADMIN_HOST = os.environ.get("MAILADMIN_HOST", "primary")
# Where people reach the panel: the one link of the letters that it writes.
MAILADMIN_URL = os.environ.get("MAILADMIN_URL", f"http://localhost:{8000 + PORT_BASE}").rstrip("/")
# How long it is known from whom to whom single letters went; what is counted stays.
MAILADMIN_KEEP_DAYS = env_days("MAILADMIN_KEEP_DAYS", 21)
MAILADMIN_HOST_CONFIG = VAR / "etc" / "host.json"

SECRET_KEY = read_secret(VAR / "db" / "secret_key")
DEBUG = os.environ.get("MAILADMIN_DEBUG") == "1"
ALLOWED_HOSTS = env_list("MAILADMIN_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("MAILADMIN_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "crispy_forms",
    "crispy_bootstrap5",
    "mailadmin",
    "accounts",
    "domains",
    "policies",
    "deploy",
    "reports",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "mailadmin.middleware.security_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "mailadmin.middleware.own_language",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "mailadmin.urls"
WSGI_APPLICATION = "mailadmin.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.viewer",
                "policies.context.looked_after",
            ],
        },
    },
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# SQLite until DATABASE_URL says otherwise. Every transaction says at its start that it will write: Django's
# deferred ones fail with "database is locked" when two upgrade at once.
DATABASE_URL = os.environ.get("DATABASE_URL") or f"sqlite:///{VAR / 'db' / 'mailadmin.sqlite3'}"
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
SESSION_COOKIE_NAME = "mailadmin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_HTTPONLY = True

# Behind TLS (every real host) MAILADMIN_TLS=1 makes cookies and redirects insist on it; loopback has none.
TLS = os.environ.get("MAILADMIN_TLS") == "1"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = TLS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TLS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("it", _("Italian"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/bootstrap/css", BASE_DIR / "node_modules" / "bootstrap" / "dist" / "css"),
    ("vendor/bootstrap/js", BASE_DIR / "node_modules" / "bootstrap" / "dist" / "js"),
    ("vendor/chart", BASE_DIR / "node_modules" / "chart.js" / "dist"),
    ("vendor/htmx", BASE_DIR / "node_modules" / "htmx.org" / "dist"),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "mailadmin.static.HashedStorage"},
}

# The queue carries no authority: a message only says "look", so it may be lost, doubled or late.
CELERY_BROKER_URL = os.environ.get("MAILADMIN_BROKER", f"redis+socket://{VAR / 'redis' / 'redis.sock'}")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# For how many seconds a worker may hear nothing from a queue that answers (mailadmin.watch); tests have less patience.
MAILADMIN_PATIENCE = float(os.environ.get("MAILADMIN_PATIENCE", "120"))
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
}
# What a page may spend on saying "look" when Redis refuses (fails at once) or is frozen (would block for ever).
POKE_TRANSPORT_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5, "max_retries": 0}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
