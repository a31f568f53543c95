"""Settings of Weftline, read from the environment. With nothing set, it runs embedded: SQLite, loopback only.

The README lists every name. A bad value stops the start with a sentence that names it.
"""

import math
import os
import secrets
from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from orders import environment as env

# Before torch is imported anywhere: two busy-waiting OpenMP threads made the same forward pass 20 times slower on a
# shared two-core machine. The hub of models is never asked: weights come from the repository and from packages.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("WEFTLINE_VAR", str(BASE_DIR / "var"))).resolve()
VAR_DIR.mkdir(parents=True, exist_ok=True)

DEBUG = env.flag("DEBUG", default=False)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", default="localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")


def _embedded_secret() -> str:
    """The embedded server's own key, made once and kept with its data."""
    path = VAR_DIR / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    key = secrets.token_urlsafe(50)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key)
    return key


_own_secret = env.text("SECRET_KEY", "")
SECRET_KEY = _own_secret or _embedded_secret()

DATABASES = {"default": env.database(env.text("DATABASE_URL", f"sqlite:///{VAR_DIR / 'weftline.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
env.refuse_unsafe(debug=DEBUG, hosts=ALLOWED_HOSTS, secret_is_own=bool(_own_secret), databases=DATABASES)

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "generation",
    "inventory_sync",
    "production",
    "orders",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "orders.web.preferences.as_preferred",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "orders.web.forms.say_signed_out",
    "orders.web.undrawn.say_nothing_drawn",
]

ROOT_URLCONF = "orders.urls"
WSGI_APPLICATION = "orders.wsgi.application"
ASGI_APPLICATION = "orders.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "orders.web.preferences.shown_in",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/home/"
LOGOUT_REDIRECT_URL = "/login/"

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("it", "Italiano"), ("tr", "Türkçe"), ("pt", "Português"), ("de", "Deutsch")]
LOCALE_PATHS = [BASE_DIR / "orders" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

_public = any(not env.is_loopback(host) for host in ALLOWED_HOSTS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_TLS_PROXY", default=False) else None
X_FRAME_OPTIONS = "DENY"
# Everything comes from this host, no script or style stands in a page. Files that are handed out say "sandbox"
# themselves. Unfold's pages for administrators evaluate expressions, so they are left out here.
CONTENT_SECURITY_POLICY = {
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "orders.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["orders.api.permissions.RolePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["orders.api.bounds.Json"],
    "DEFAULT_PAGINATION_CLASS": "orders.api.bounds.Page",
    "EXCEPTION_HANDLER": "orders.api.problems.answer",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Weftline",
    "DESCRIPTION": "Bespoke textiles, from a customer's words to cloth on the machine.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# The queue is the doorbell, not the ledger: a message carries one step id and may arrive twice, late or never.
# orders/steps.py holds the truth. One worker on SQLite: it has one writer.
_workers = env.whole("WORKERS", default=1, at_least=1, at_most=64)
_timeout_s = env.whole("STEP_TIMEOUT_S", default=600, at_least=5, at_most=7200)
Q_CLUSTER = {
    "name": "weftline",
    "orm": "default",
    "workers": _workers,
    "queue_limit": _workers,
    "bulk": 1,
    "timeout": _timeout_s + 30,
    # The queue's own lease starts when a message is fetched, not when it is worked, so it has to cover the wait too.
    "retry": (_timeout_s + 30) * math.ceil((2 * _workers + 1) / _workers) + 60,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "guard_cycle": 0.5,
    "poll": 0.1,
    "catch_up": False,
    "scheduler": False,
    "label": "Queue",
    "log_level": "WARNING",
}

_checkpoints = env.folders("CHECKPOINTS")
if taken := {"embedded", "upload"} & _checkpoints.keys():
    raise ImproperlyConfigured(f"CHECKPOINTS names {', '.join(taken)}, which is a generator of its own: rename it.")

WEFTLINE: dict[str, Any] = {
    # name -> dotted path, with :folder where one is needed; resolved and checked once at start
    "generators": {
        **{name: f"generation.backends.checkpoint.CheckpointGenerator:{path}" for name, path in _checkpoints.items()},
        "embedded": "generation.backends.embedded.EmbeddedGenerator",
        "upload": "generation.backends.upload.UploadGenerator",
    },
    "connectors": {
        "ledger": "inventory_sync.connectors.ledger.LedgerErp",
        "odoo": "inventory_sync.connectors.odoo.OdooJsonRpc",
        "odoo_json2": "inventory_sync.connectors.odoo_json2.OdooJson2",
    },
    "formats": {
        "tile": "production.formats.tiff.tile.TileTiff",
        "inks": "production.formats.tiff.inks.InkTiffs",
        "spot": "production.formats.tiff.spot.SpotTiff",
        "bigtiff": "production.formats.tiff.full_length.FullLength",
        "bigtiff_raw": "production.formats.tiff.full_length.FullLengthRaw",
        "pdfx": "production.formats.pdf.pdfx.PdfX",
        "pdfx_pages": "production.formats.pdf.pdfx.PdfXPages",
        "loom": "production.formats.loom.package.LoomPackage",
    },
    # what compares scans of cloth with its source
    "inspector": "production.inspector.ShippedInspector",
    # CIP4's licence keeps its schema out of the product: who has it may name it.
    "xjdf_schema": env.file("XJDF_SCHEMA"),
    "fonts": env.folders("FONTS"),
    "candidates": env.whole("CANDIDATES", default=4, at_least=1, at_most=12),
    "watchers": env.whole("WATCHERS", default=4, at_least=1, at_most=64),
    "public_url": env.address("PUBLIC_URL", default="http://127.0.0.1:8000"),
    "lease_s": env.whole("STEP_LEASE_S", default=30, at_least=1, at_most=3600),
    "step_timeout_s": _timeout_s,
    "sweep_every_s": env.whole("SWEEP_EVERY_S", default=30, at_least=1, at_most=600),
    "erp_poll_s": env.whole("ERP_POLL_S", default=30, at_least=5, at_most=3600),
    "mirror_refresh_s": env.whole("MIRROR_REFRESH_S", default=60, at_least=1, at_most=3600),
    "stale_stock_min": env.whole("STALE_STOCK_MIN", default=15, at_least=1, at_most=1440),
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    # Whoever reads the log must not be able to open a customer's link.
    "filters": {"without_keys": {"()": "orders.loglines.without_keys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_keys"]}},
    "root": {"handlers": ["console"], "level": env.text("LOG_LEVEL", "WARNING").upper()},
    "loggers": {
        "odoorpc": {"level": "WARNING"},  # it writes the password at DEBUG level
        # What they grumble about in a damaged picture, its refusal says in a sentence.
        "pyvips": {"level": "ERROR"},
        "tifffile": {"level": "ERROR"},
    },
}
UNFOLD = {"SITE_TITLE": "Weftline", "SITE_HEADER": "Weftline", "SITE_SUBHEADER": "Words to cloth"}
