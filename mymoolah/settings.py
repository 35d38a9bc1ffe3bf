"""Settings: read from the environment once, typed, failing loudly.

`MYMOOLAH_ENV` is `development` (default), `production` or `build` (no servers, no secrets: for `collectstatic` in an
image). Production refuses to start without its addresses and secrets; development makes its own, once, in
`MYMOOLAH_DATA_DIR`.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import environ
import pghistory
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from django.templatetags.static import static
from django.urls import reverse_lazy
from psycopg.conninfo import conninfo_to_dict

from mymoolah.common import embedded, logs
from mymoolah.common.keys import KeyRing, development_keys, require_key, require_secret

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.str("MYMOOLAH_DATA_DIR", default=str(BASE_DIR / ".data"))).resolve()
ENVIRONMENT = env.str("MYMOOLAH_ENV", default="development")
if ENVIRONMENT not in {"development", "production", "build"}:
    raise ImproperlyConfigured(f"MYMOOLAH_ENV is {ENVIRONMENT!r}; it must be development, production or build.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = False


def required(name: str, fallback: str) -> str:
    """The variable `name`; outside production `fallback` stands in for it."""
    value = env.str(name, default="")
    if PRODUCTION and not value:
        raise ImproperlyConfigured(f"{name} must be set in production.")
    return value or fallback


# Secrets ---------------------------------------------------------------------------------------------------------
_made = KeyRing.generate() if ENVIRONMENT != "development" else development_keys(DATA_DIR)
SECRET_KEY = required("MYMOOLAH_SECRET_KEY", _made.secret_key)
ENCRYPTION_KEYS = required("MYMOOLAH_ENCRYPTION_KEYS", _made.encryption_keys).split(",")
BLIND_INDEX_KEY = required("MYMOOLAH_BLIND_INDEX_KEY", _made.blind_index_key)
SIGNING_KEYS = required("MYMOOLAH_SIGNING_KEYS", _made.signing_keys).split(",")
# An empty one, as a comma too many makes it, would let anybody sign.
EASYPAY_SECRETS = [one for one in required("EASYPAY_SECRET", _made.easypay_secret).split(",") if one]

if PRODUCTION:
    for _key in ENCRYPTION_KEYS:
        require_key("MYMOOLAH_ENCRYPTION_KEYS", _key, has_id=True)
    for _key in SIGNING_KEYS:
        require_key("MYMOOLAH_SIGNING_KEYS", _key, has_id=True)
    require_key("MYMOOLAH_BLIND_INDEX_KEY", BLIND_INDEX_KEY, has_id=False)
    require_secret("MYMOOLAH_SECRET_KEY", SECRET_KEY)
    for _secret in EASYPAY_SECRETS or [""]:
        require_secret("EASYPAY_SECRET", _secret)

# Where customers' identity documents lie, encrypted: never below what the web server shows. Back it up with the database.
DOCUMENTS_DIR = Path(required("MYMOOLAH_DOCUMENTS_DIR", str(DATA_DIR / "documents")))

# Where the servers are ------------------------------------------------------------------------------------------
_named = [name for name in ("DATABASE_URL", "REDIS_URL") if env.str(name, default="")]
if ENVIRONMENT == "development" and len(_named) == 1:
    raise ImproperlyConfigured("Set both DATABASE_URL and REDIS_URL, or neither to use the embedded servers.")
EMBEDDED = ENVIRONMENT == "development" and not _named
_servers = embedded.urls(DATA_DIR) if EMBEDDED else None
DATABASE_URL = required("DATABASE_URL", _servers.database_url if _servers else "postgresql:///mymoolah")
# Only who migrates needs the owner's address; web and workers run without it.
DATABASE_OWNER_URL = _servers.database_owner_url if _servers else env.str("DATABASE_OWNER_URL", default="")
REDIS_URL = required("REDIS_URL", _servers.redis_url if _servers else "redis://localhost")
# What the cache calls unix://…?db=0 the broker calls redis+socket://…?virtual_host=0.
_broker_url = REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_BROKER_URL = env.str("MYMOOLAH_BROKER_URL", default=_servers.broker_url if _servers else _broker_url)
if CELERY_BROKER_URL.partition("://")[0] not in {"redis", "rediss", "redis+socket"}:
    raise ImproperlyConfigured(
        "MYMOOLAH_BROKER_URL (REDIS_URL, if it is not set) must begin with redis://, rediss:// or redis+socket://."
    )

# Connections of one process, and how long a request waits for one of them; 0 for none: each is made and closed again.
DATABASE_POOL_SIZE = env.int("DATABASE_POOL_SIZE", default=0)
DATABASE_POOL_WAIT_SECONDS = 0.7
WEB_WORKERS = env.int("WEB_WORKERS", default=2)
DEMO_PASSWORD = env.str("MYMOOLAH_DEMO_PASSWORD", default="moolah-demo")


# Which kind of process this is, as PostgreSQL shows in pg_stat_activity: web, worker, beat or, by default, a command.
PROCESS = env.str("MYMOOLAH_PROCESS", default="command")
# What the client's side bears of a server that is away; an address may say otherwise. How long statements, locks and
# open transactions may take is the server's to say, by role (bootstrap.sql): PgBouncer refuses it as a start-up option.
PATIENCE = {
    "fallback_application_name": f"mymoolah {PROCESS}",
    "connect_timeout": 3,  # seconds
    # A machine that vanishes says nothing. Heard of by TCP alone; sockets of one machine know at once.
    "tcp_user_timeout": 10_000,  # milliseconds
    "keepalives_idle": 30,  # seconds
    "keepalives_interval": 5,  # seconds
    "keepalives_count": 3,
}


def database(url: str, *, pool_size: int = 0) -> dict[str, Any]:
    """Django's description of a libpq address; the pool holds at most `pool_size` connections, 0 for none."""
    parts = {name: value for name, value in conninfo_to_dict(url).items() if value is not None}
    options: dict[str, Any] = {
        name: parts[name] for name in parts.keys() - {"dbname", "user", "password", "host", "port"}
    }
    if pool_size:
        options["pool"] = {
            "min_size": min(2, pool_size),
            "max_size": pool_size,
            "timeout": DATABASE_POOL_WAIT_SECONDS,
            # Its own attempts come ever more seldom, up to minutes; so it gives up, and the next request makes another.
            "reconnect_timeout": 1,
        }
    return {
        "ENGINE": "mymoolah.common.postgresql",
        "NAME": parts.get("dbname", "mymoolah"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": str(parts.get("port", "")),
        "CONN_MAX_AGE": 0,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # PgBouncer hands a connection to somebody else between transactions
        "OPTIONS": {**PATIENCE, **options},
    }


DATABASES = {
    "default": database(DATABASE_URL, pool_size=DATABASE_POOL_SIZE),
    "owner": database(DATABASE_OWNER_URL or DATABASE_URL),
}
# A streaming replica, for what may be a little old (mymoolah/common/replica.py), and how old it may be at most.
DATABASE_REPLICA_URL = env.str("DATABASE_REPLICA_URL", default="")
DATABASE_REPLICA_MAX_LAG_SECONDS = env.float("DATABASE_REPLICA_MAX_LAG_SECONDS", default=30.0)
if DATABASE_REPLICA_URL:
    DATABASES["replica"] = database(DATABASE_REPLICA_URL, pool_size=DATABASE_POOL_SIZE)
DATABASE_ROUTERS = ["mymoolah.common.routers.OwnerMigrates"]
DATABASE_APP_ROLE = DATABASES["default"]["USER"]
# What a row of history points at may be gone by then; it is found by its own row, and by its transaction.
PGHISTORY_FOREIGN_KEY_FIELD = pghistory.ForeignKey(db_index=False)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "moolah",
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
    }
}
RATELIMIT_ENABLE = env.bool("RATELIMIT_ENABLE", default=True)
# Answers to customers, kept in Redis (mymoolah/common/read_cache): whether, which, and where. The same for web, worker and
# commands: a process that keeps none closes the cache for all others when it writes.
READ_CACHE = env.bool("MYMOOLAH_READ_CACHE", default=True)
# What pays by itself; lists are looked at too seldom to be found again (docs/performance.md).
READ_CACHE_FAMILIES = env.list("MYMOOLAH_READ_CACHE_FAMILIES", default=["dashboard"])
READ_CACHE_WARMED = env.int("MYMOOLAH_READ_CACHE_WARMED", default=1_000)  # customers, the last to have used the app
# A Redis of its own, that keeps nothing on a disk and lets the least used go; its queue of tasks must do neither.
_read_cache_url = _servers.redis_url.replace("?db=0", "?db=2") if _servers else REDIS_URL
READ_CACHE_URL = (
    required("MYMOOLAH_READ_CACHE_URL", _read_cache_url)
    if READ_CACHE
    else env.str("MYMOOLAH_READ_CACHE_URL", default=_read_cache_url)
)
if unknown := set(READ_CACHE_FAMILIES) - {"dashboard", "wallets", "vouchers"}:
    raise ImproperlyConfigured(
        f"MYMOOLAH_READ_CACHE_FAMILIES names {', '.join(sorted(unknown))}; there are dashboard, wallets and vouchers."
    )
# Which statements are recorded: all of this share of requests and tasks, and of the others whichever takes so long.
QUERY_LOG_ENABLE = env.bool("QUERY_LOG_ENABLE", default=True)
QUERY_LOG_SAMPLE_SHARE = env.float("QUERY_LOG_SAMPLE_SHARE", default=0.01)
QUERY_LOG_SLOW_MS = env.float("QUERY_LOG_SLOW_MS", default=100.0)
QUERY_LOG_KEPT_DAYS = env.int("QUERY_LOG_KEPT_DAYS", default=14)
if not 0 <= QUERY_LOG_SAMPLE_SHARE <= 1:
    raise ImproperlyConfigured(f"QUERY_LOG_SAMPLE_SHARE is {QUERY_LOG_SAMPLE_SHARE}; it is a share, from 0 to 1.")
if QUERY_LOG_SLOW_MS <= 0 or QUERY_LOG_KEPT_DAYS < 1:
    raise ImproperlyConfigured("QUERY_LOG_SLOW_MS must be more than nothing, and QUERY_LOG_KEPT_DAYS at least 1.")
SILENCED_SYSTEM_CHECKS = ["auth.E003"]  # e-mail is unique, by lower(email)

# Django ------------------------------------------------------------------------------------------------------------
ALLOWED_HOSTS = env.list("MYMOOLAH_ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
ROOT_URLCONF = "mymoolah.urls"
WSGI_APPLICATION = "mymoolah.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
INSTALLED_APPS = [
    "mymoolah.common",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_pgviews",
    "pgtrigger",
    "pghistory",
    "accounts",
    "wallets",
    "transactions",
    "vouchers",
    "reporting",
]
# Whose pages may use the customers' API from a browser: https://app.bank.example, comma-separated; nobody's by default.
CORS_ALLOWED_ORIGINS = [origin.strip() for origin in env.list("MYMOOLAH_CORS_ORIGINS", default=[])]
for _origin in CORS_ALLOWED_ORIGINS:
    # As browsers write it: small letters, no slash at the end, no port that goes without saying. Else it would match none.
    if not re.fullmatch(
        r"https://[a-z0-9.-]+(:(?!443$)[0-9]+)?|http://(localhost|127\.0\.0\.1)(:(?!80$)[0-9]+)?", _origin
    ):
        raise ImproperlyConfigured(
            f"MYMOOLAH_CORS_ORIGINS names {_origin!r}; an origin is written https://app.bank.example, or "
            "http://localhost:3000 on a developer's machine."
        )
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_METHODS = ["GET", "POST", "PATCH", "DELETE"]
CORS_ALLOW_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "X-Request-ID"]
CORS_EXPOSE_HEADERS = [
    "ETag",
    "Idempotency-Replayed",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "WWW-Authenticate",
    "X-Request-ID",
]
CORS_PREFLIGHT_MAX_AGE = 600  # seconds
MIDDLEWARE = [
    *(["mymoolah.common.query_log.QueryLog"] if QUERY_LOG_ENABLE else []),
    "mymoolah.common.middleware.RequestId",
    "mymoolah.common.access_log.AccessLog",
    "mymoolah.common.middleware.ApiHeaders",
    *(["corsheaders.middleware.CorsMiddleware"] if CORS_ALLOWED_ORIGINS else []),
    "mymoolah.common.middleware.CompressLists",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "mymoolah.common.middleware.BodyLimits",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.staff_gate.StaffGate",
    *(["mymoolah.common.middleware.OwnChanges"] if DATABASE_REPLICA_URL else []),
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.staff_trail.EmergencyPower",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "mymoolah" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
LANGUAGE_CODE = "en-za"
TIME_ZONE = "Africa/Johannesburg"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = "mymoolah.formats"
APPEND_SLASH = False
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "static" if ENVIRONMENT != "development" else None  # there the finders serve
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENVIRONMENT != "development"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = ENVIRONMENT == "development"
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024

# Log and metrics -----------------------------------------------------------------------------------------------------
# Lines to read, or one JSON object a line without personal data.
LOG_FORMAT = env.str("MYMOOLAH_LOG_FORMAT", default="json" if PRODUCTION else "plain")
if LOG_FORMAT not in {"json", "plain"}:
    raise ImproperlyConfigured(f"MYMOOLAH_LOG_FORMAT is {LOG_FORMAT!r}; it must be json or plain.")
LOGGING = logs.configuration(as_json=LOG_FORMAT == "json")
# Where web, worker and beat of one machine count together.
METRICS_DIR = Path(env.str("MYMOOLAH_METRICS_DIR", default=str(DATA_DIR / "metrics")))
# Who reads /metrics shows it; while there is none, which production refuses, only this machine may read.
METRICS_TOKEN = required("MYMOOLAH_METRICS_TOKEN", "")
if PRODUCTION:
    require_secret("MYMOOLAH_METRICS_TOKEN", METRICS_TOKEN)
# Where traces go; OpenTelemetry reads the rest of its settings by itself. None are made without.
TRACES_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")

# A language model, if an operator wants one ---------------------------------------------------------------------------
# Any endpoint that speaks as OpenAI's does: https://host/v1, without the rest of the path. None is asked without it.
LLM_URL = env.str("MYMOOLAH_LLM_URL", default="").rstrip("/")
LLM_KEY = env.str("MYMOOLAH_LLM_KEY", default="")
LLM_MODEL = env.str("MYMOOLAH_LLM_MODEL", default="")
LLM_SECONDS = env.float("MYMOOLAH_LLM_SECONDS", default=1.5)  # a customer waits for it
LLM_DAILY_CALLS = env.int("MYMOOLAH_LLM_DAILY_CALLS", default=10_000)
LLM_DAILY_CALLS_EACH = env.int("MYMOOLAH_LLM_DAILY_CALLS_EACH", default=20)  # of one customer
if LLM_URL and not re.fullmatch(
    r"(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?", LLM_URL
):
    raise ImproperlyConfigured(
        "MYMOOLAH_LLM_URL must be written https://host/v1; http:// is for this machine alone, and neither passwords nor "
        "queries belong into it."
    )
if bool(LLM_URL) != bool(LLM_MODEL):
    raise ImproperlyConfigured("Set both MYMOOLAH_LLM_URL and MYMOOLAH_LLM_MODEL, or neither.")
if not re.fullmatch(r"[!-~]*", LLM_KEY):
    raise ImproperlyConfigured("MYMOOLAH_LLM_KEY has letters in it that no header can carry.")
if not 0 < LLM_SECONDS <= 5:
    raise ImproperlyConfigured(f"MYMOOLAH_LLM_SECONDS is {LLM_SECONDS}; nobody is made to wait longer than 5.")

# Sign-in -----------------------------------------------------------------------------------------------------------
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ["email", "phone", "first_name", "last_name", "name"]},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCESS_TOKEN_LIFETIME = dt.timedelta(minutes=15)
REFRESH_TOKEN_LIFETIME = dt.timedelta(days=30)
# Staff sign in with a code beside their password: always in production, elsewhere where this says so.
STAFF_SECOND_FACTOR = env.bool("MYMOOLAH_STAFF_SECOND_FACTOR", default=PRODUCTION)
if PRODUCTION and not STAFF_SECOND_FACTOR:
    raise ImproperlyConfigured("MYMOOLAH_STAFF_SECOND_FACTOR cannot be switched off in production.")
# A session in the back-office ends when nobody has used it for a while, and some time after it began in any case.
STAFF_IDLE_TIMEOUT = dt.timedelta(minutes=env.int("MYMOOLAH_STAFF_IDLE_MINUTES", default=30))
STAFF_SESSION_LIFETIME = dt.timedelta(hours=env.int("MYMOOLAH_STAFF_SESSION_HOURS", default=12))
# What matters in the back-office asks for the password again when it was given longer ago than this.
STAFF_CONFIRMED_FOR = dt.timedelta(minutes=env.int("MYMOOLAH_STAFF_CONFIRMED_MINUTES", default=10))
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# Messages to people ------------------------------------------------------------------------------------------------
# smtp+tls://user:password@host:587 and the like; outside production they stand on the console.
_mail_url = env.str("MYMOOLAH_EMAIL_URL", default="") or ("smtp://localhost:25" if PRODUCTION else "consolemail://")
_mail = env.email_url_config(_mail_url)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"] or "", _mail["EMAIL_HOST_PASSWORD"] or ""
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.get("EMAIL_USE_TLS", False), _mail.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 5  # seconds; a worker waits for it, no request
DEFAULT_FROM_EMAIL = env.str("MYMOOLAH_EMAIL_FROM", default="") or "MyMoolah <no-reply@localhost>"
# A class as mymoolah/common/messages.py describes it. A console would write codes into production's logs.
_sms = "mymoolah.common.messages.NoSms" if PRODUCTION else "mymoolah.common.messages.ConsoleSms"
SMS_BACKEND: str = env.str("MYMOOLAH_SMS_BACKEND", default="") or _sms

# Who is mailed the reports of maintenance, comma-separated; nobody by default. And how large the database's disk is, for
# the monthly one to say when it is full; 0: not known.
OPERATORS_MAIL = [one.strip() for one in env.list("MYMOOLAH_OPERATORS_MAIL", default=[]) if one.strip()]
if wrong := [one for one in OPERATORS_MAIL if not re.fullmatch(r"[^@\s]+@[^@\s]+", one)]:
    raise ImproperlyConfigured(f"MYMOOLAH_OPERATORS_MAIL names {wrong[0]!r}, which is no e-mail address.")
DATABASE_DISK_GIB = env.float("MYMOOLAH_DATABASE_DISK_GIB", default=0.0)

# Production -------------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Sessions are the staff's. They are kept in the database; the cookie is a key, and browsers keep it for our host alone.
SESSION_COOKIE_NAME = "__Host-staff" if PRODUCTION else "staff"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # a link in a mail leads to the page, no form elsewhere leads to a deed
SESSION_COOKIE_AGE = int(STAFF_SESSION_LIFETIME.total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION
SECURE_HSTS_PRELOAD = PRODUCTION
if PRODUCTION:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CSRF_FAILURE_VIEW = "accounts.refusal_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("MYMOOLAH_TRUSTED_ORIGINS", default=[])
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # The admin's theme evaluates Alpine expressions and sets styles inline.
        "script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
    }
}

# The customers' API -----------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.authentication.IsCustomer"],
    "DEFAULT_THROTTLE_CLASSES": ["mymoolah.common.throttling.GroupThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["mymoolah.common.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "mymoolah.common.openapi.Operation",
    "EXCEPTION_HANDLER": "mymoolah.common.problems.problem_handler",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS answers like any other method that is not there: the schema says it all
    "UNAUTHENTICATED_USER": "accounts.authentication.Nobody",
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
# Per user, or per address while nobody is signed in; sign_in per account, *_address per address besides.
RATE_LIMITS_PER_MINUTE = {
    "sign_in": 5,
    "sign_in_address": 20,
    "registrations": 10,
    "codes": 10,
    "codes_address": 30,
    "previews": 10,
    "previews_address": 30,
    "documents": 5,
    "documents_address": 10,
    "money": 60,
    "statements": 30,
    "reads": 300,
}
RATE_LIMITS_PER_HOUR = {"support": 100, "support_replies": 60}
# How long questions to the support assistant and their answers are kept, and of a ticket what was said after it closed.
SUPPORT_KEPT_DAYS = env.int("MYMOOLAH_SUPPORT_KEPT_DAYS", default=90)
if SUPPORT_KEPT_DAYS < 1:
    raise ImproperlyConfigured("MYMOOLAH_SUPPORT_KEPT_DAYS must be at least 1.")
# How many proxies of our own stand before the web process, each adding to X-Forwarded-For.
TRUSTED_PROXIES = env.int("MYMOOLAH_TRUSTED_PROXIES", default=0)
if TRUSTED_PROXIES < 0:
    raise ImproperlyConfigured(f"MYMOOLAH_TRUSTED_PROXIES is {TRUSTED_PROXIES}; it counts proxies, 0 for none.")
SPECTACULAR_SETTINGS = {
    "TITLE": "MyMoolah",
    "DESCRIPTION": "A wallet and voucher bank. Money is a string of rand and cents; errors are RFC 9457 problems.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "TAGS": [
        {"name": "accounts", "description": "Registering, signing in, and one's own profile, contacts and devices"},
        {"name": "kyc", "description": "Proving who one is, and what that allows"},
        {"name": "wallets", "description": "What one has, at a glance and wallet by wallet"},
        {"name": "transfers", "description": "Sending money, and what was sent and received"},
        {"name": "vouchers", "description": "Vouchers of every type: making, redeeming and cancelling them"},
        {"name": "statements", "description": "A wallet's period, to read, to file or to print"},
        {"name": "support", "description": "Asking the support assistant, and the people behind it"},
        {"name": "tills", "description": "For EasyPay, not for customers: what happened at a till"},
    ],
    "ENUM_NAME_OVERRIDES": {
        "AccountStatus": "accounts.models.User.Status",
        "KycStatus": "accounts.models.User.KycStatus",
        "KycSubmissionStatus": "accounts.models.KycSubmission.Status",
        "KycDocumentKind": "accounts.models.KycDocument.Kind",
        "IdType": "accounts.models.KycSubmission.IdType",
        "Contact": "accounts.serializers.CONTACTS",
        "KycRequirement": "wallets.kyc_serializers.REQUIREMENTS",
        "EntryType": "transactions.models.Transaction.Type",
        "TransferKind": "transactions.models.Kind",
        "WalletStatus": "wallets.models.Wallet.Status",
        "VoucherStatus": "vouchers.models.Voucher.Status",
        "VoucherType": "vouchers.models.Voucher.Type",
        "TillResult": "vouchers.models.TillEvent.Result",
        "SupportIntent": "reporting.support.serializers.INTENTS",
        "SupportTicketStatus": "reporting.support.models.SupportTicket.Status",
        "SupportLanguage": "reporting.support.serializers.LANGUAGES",
        "SupportSpeaker": "reporting.support.serializers.SPEAKERS",
        "LinkMethod": "reporting.support.serializers.METHODS",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "mymoolah.common.openapi_links.add_links",
    ],
}

# Background work --------------------------------------------------------------------------------------------------
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request that hands a task over cannot wait for a broker that is away or hangs; a worker can: see celery.py.
BROKER_PATIENCE_SECONDS = 0.5
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    "max_retries": 0,
    "socket_connect_timeout": BROKER_PATIENCE_SECONDS,
    "socket_timeout": BROKER_PATIENCE_SECONDS,
}
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
DASHBOARD_REFRESH_SECONDS = env.int("DASHBOARD_REFRESH_SECONDS", default=60)
CELERY_BEAT_SCHEDULE = {
    "refresh-dashboard": {
        "task": "reporting.refresh_dashboard",
        "schedule": float(DASHBOARD_REFRESH_SECONDS),
        "options": {"expires": DASHBOARD_REFRESH_SECONDS},
    },
    **(
        {"warm-cache": {"task": "reporting.warm_cache", "schedule": 240.0, "options": {"expires": 240}}}
        if READ_CACHE and READ_CACHE_WARMED > 0 and "dashboard" in READ_CACHE_FAMILIES
        else {}
    ),
    "write-query-times": {
        "task": "reporting.write_query_times",
        "schedule": 15.0,
        "options": {"expires": 15},
    },
    "forget-query-times": {
        "task": "reporting.forget_query_times",
        "schedule": crontab(hour=4, minute=10),
        "options": {"expires": 3600},
    },
    "forget-support": {
        "task": "reporting.forget_support",
        "schedule": crontab(hour=4, minute=20),
        "options": {"expires": 3600},
    },
    "take-days": {
        "task": "reporting.take_days",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "verify-ledger": {
        "task": "reporting.verify_ledger",
        "schedule": crontab(day_of_week="sunday", hour=2, minute=30),  # minutes of both cores at ten million entries
        "options": {"expires": 3600},
    },
    "verify-changes": {
        "task": "reporting.verify_changes",
        "schedule": crontab(minute=15),
        "options": {"expires": 1800},
    },
    "remember-sizes": {
        "task": "reporting.remember_sizes",
        "schedule": crontab(hour=1, minute=45),
        "options": {"expires": 3600},
    },
    "maintenance-daily": {
        "task": "reporting.maintenance_daily",
        "schedule": crontab(hour="5-11", minute=0),  # again after a worker was killed; a report there is stays
        "options": {"expires": 3_600},
    },
    "maintenance-weekly": {
        "task": "reporting.maintenance_weekly",
        "schedule": crontab(day_of_week="monday", hour="5-11", minute=30),
        "options": {"expires": 3_600},
    },
    "maintenance-monthly": {
        "task": "reporting.maintenance_monthly",
        "schedule": crontab(day_of_month="1", hour="6-11", minute=0),
        "options": {"expires": 3_600},
    },
    "clear-sessions": {
        "task": "accounts.clear_sessions",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600},
    },
    "process-till-events": {
        "task": "vouchers.process_till_events",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "expire-vouchers": {
        "task": "vouchers.expire_vouchers",
        "schedule": 300.0,
        "options": {"expires": 300},
    },
    "expire-holds": {
        "task": "transactions.expire_holds",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
}

UNFOLD = {
    "LOGIN": {"form": "accounts.forms.StaffSignInForm"},
    "SITE_TITLE": "MyMoolah",
    "SITE_HEADER": "MyMoolah",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": "/api/docs",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/mymoolah/favicon.svg"}],
    "SHOW_BACK_BUTTON": True,
    "SHOW_HISTORY": False,  # what happened to a thing stands in the audit trail, which its page shows
    "STYLES": [lambda _: static("mymoolah/theme.css")],
    "SCRIPTS": [
        lambda _: static("mymoolah/access.js"),
        lambda _: static("mymoolah/find.js"),
        lambda _: static("mymoolah/history.js"),
    ],
    # Of links on dark ground; the theme's own is too dark to read.
    "COLORS": {"primary": {"500": "oklch(74% .17 305)"}},
    "DASHBOARD_CALLBACK": "reporting.start_page.start_page",
    "ACCOUNT": {"navigation": [{"title": "Second factor", "link": reverse_lazy("second_factor")}]},
    "SIDEBAR": {"navigation": "reporting.start_page.navigation", "show_search": False},
}
