"""The only settings file. Every value that differs between installations comes from the environment."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent


def env_flag(name: str, *, default: bool) -> bool:
    """A switch from the environment; anything but True, False, 1 and 0 is refused rather than guessed at."""
    value = env.str(name, default=str(default)).strip().lower()
    if value not in {"true", "false", "1", "0"}:
        raise ImproperlyConfigured(f"{name} must be True or False, not {value!r}")
    return value in {"true", "1"}


def env_positive(name: str, *, default: int) -> int:
    """A whole number above zero from the environment."""
    value = env.int(name, default=default)
    if value <= 0:
        raise ImproperlyConfigured(f"{name} must be above 0, not {value}")
    return value


def read_version() -> str:
    """The newest version that CHANGELOG.md names."""
    changelog = BASE_DIR / "CHANGELOG.md"
    found = (
        re.search(r"^## v?\[?(\d+\.\d+\.\d+)", changelog.read_text(), re.M) if changelog.exists() else None
    )
    return found.group(1) if found else "0.1.0"


DEBUG = env_flag("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="for-debug-only") if DEBUG else env.str("SECRET_KEY")
VERSION = read_version()

# --- where things are ------------------------------------------------------------------------------------------
DATA_DIR = Path(env.str("CELLLOOP_DATA_DIR", default=str(BASE_DIR / ".cellloop"))).resolve()
FEATURES_DIR = Path(env.str("FEATURES_DIR", default=str(DATA_DIR / "features"))).resolve()
CELLLOOP_WEIGHTS = Path(
    env.str("CELLLOOP_WEIGHTS", default=str(BASE_DIR / "worker/weights/tiny.safetensors"))
)
FRONTEND_DIR = BASE_DIR / "frontend" / "dist"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": str(MEDIA_ROOT), "file_permissions_mode": 0o640},
    },
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DATABASES = {"default": env.db("DATABASE_URL")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "backend.json_cache.JsonSerializer"},
    }
}

# --- limits ----------------------------------------------------------------------------------------------------
MAX_UPLOAD_MB = env_positive("MAX_UPLOAD_MB", default=2048)
MAX_JSON_MB = env_positive("MAX_JSON_MB", default=64)
MAX_IMAGE_PIXELS = env_positive("MAX_IMAGE_PIXELS", default=400_000_000)  # per plane
FEATURES_BUDGET_GB = env.float("FEATURES_BUDGET_GB", default=20.0)
DECODE_TIMEOUT_S = env.float("DECODE_TIMEOUT_S", default=10.0)
COMPARE_TIMEOUT_S = env.float("COMPARE_TIMEOUT_S", default=60.0)
# A worker that has not said anything for so long is taken for dead and its job is sent again; longer than a step.
JOB_LEASE_S = env_positive("JOB_LEASE_S", default=120)
TORCH_THREADS_INTERACTIVE = env.int("TORCH_THREADS_INTERACTIVE", default=0)  # 0: all cores
TORCH_THREADS_BACKGROUND = env_positive("TORCH_THREADS_BACKGROUND", default=1)  # segment and train, on a CPU
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_JSON_MB * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
DATA_UPLOAD_MAX_NUMBER_FILES = 10

# --- the web process -------------------------------------------------------------------------------------------
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Behind a proxy that speaks https: cookies are then sent over https only. Off for plain http on one's own machine,
# where a browser would drop such cookies and nobody could log in.
BEHIND_HTTPS = env_flag("BEHIND_HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_HTTPS else None
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGIN_URL = "/login"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "django_celery_beat",
    "backend",
    "labeling",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
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
ROOT_URLCONF = "backend.urls"
ASGI_APPLICATION = "backend.asgi.application"
WSGI_APPLICATION = "backend.wsgi.application"
STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_ROOT = FRONTEND_DIR if FRONTEND_DIR.is_dir() else None
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/assets/.+-[\w-]{8,}\.\w+$"  # Vite puts a content hash into these names

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True
USE_I18N = False

# --- the API ---------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "knox.auth.TokenAuthentication",  # first: it makes an anonymous answer a 401 and not a 403
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {
        "login": env.str("LOGIN_RATE", default="10/min"),
        "login_address": env.str("LOGIN_ADDRESS_RATE", default="60/min"),
        "heavy": env.str("HEAVY_RATE", default="30/min"),  # comparing versions, moving weight files
    },
    "EXCEPTION_HANDLER": "labeling.api.errors.exception_handler",
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    "URL_FORMAT_OVERRIDE": None,  # `format` is a parameter of our own: that of exports
}
REST_KNOX = {"TOKEN_TTL": timedelta(days=env_positive("TOKEN_DAYS", default=365))}
KNOX_TOKEN_MODEL = "labeling.ApiToken"  # noqa: S105 (the name of a table)
# Knox's own migrations would make its token table beside ours, which no model stands for.
MIGRATION_MODULES = {"knox": None}
SPECTACULAR_SETTINGS = {
    "TITLE": "CellLoop",
    "DESCRIPTION": "Human-in-the-loop cell labelling.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/api",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "EXTENSIONS_INFO": {},
    "ENUM_NAME_OVERRIDES": {
        "ImageStatus": "labeling.models.ImageStatus",
        "JobStatus": "labeling.models.JobStatus",
        "JobKind": "labeling.models.JobKind",
        "Role": "labeling.models.Role",
        "Split": "labeling.models.Split",
        "VersionStatus": "labeling.models.VersionStatus",
        "RunReason": "labeling.models.RunReason",
        "RunDecision": "labeling.models.RunDecision",
        "CellSource": "labeling.models.Source",
        "Presegmentation": "labeling.models.Presegmentation",
    },
}

# --- the task queue --------------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_DEFAULT_QUEUE = "ingest"
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Longer than the longest run: Redis hands an unacknowledged message to another worker after this time.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 12 * 3600}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Crontab and never an interval: a restarted beat starts intervals anew, so a long one may never come due. Beside
# these the database holds a task for each project with a schedule (labeling.services.schedules).
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {
        "task": "ingest.sweep_jobs",
        "schedule": crontab(minute="*"),
        "options": {"queue": "ingest", "expires": 90},
    },
    "start-due-trainings": {
        "task": "ingest.start_due_trainings",
        "schedule": crontab(minute="*/5"),
        "options": {"queue": "ingest", "expires": 450},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {"django.request": {"level": "ERROR"}},
}
