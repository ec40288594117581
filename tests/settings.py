"""The settings of the test run, and of the servers that tests start.

`DATABASE_URL` points the whole run at another database (PostgreSQL in the `pg` environment of tox),
`REDIS_URL` a server at a channel layer (`ROOMCHAT_TEST_LAYER=pubsub`: the other one of channels-redis),
`ROOMCHAT_TEST_CONFIG` (JSON) at other values of `ROOMCHAT`.
"""

import json
import os
import tempfile
from pathlib import Path

import dj_database_url

from django_roomchat.conf import RATES

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = "only for tests, and public"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]

INSTALLED_APPS = [
    "daphne",  # first: it gives runserver its ASGI side
    "channels",
    "django_roomchat",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
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
            ],
        },
    },
]
ROOT_URLCONF = "tests.urls"
ASGI_APPLICATION = "tests.asgi.application"
if "REDIS_URL" in os.environ:
    pubsub = os.environ.get("ROOMCHAT_TEST_LAYER") == "pubsub"
    # The plain form of the channels-redis documentation, on purpose: it has to work.
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": f"channels_redis.{'pubsub.RedisPubSubChannelLayer' if pubsub else 'core.RedisChannelLayer'}",
            "CONFIG": {"hosts": [os.environ["REDIS_URL"]]},
        },
    }
else:
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# Without DEBUG and in memory is what a test run is: one process.
SILENCED_SYSTEM_CHECKS = ["roomchat.W005"]

# Tests hammer; those of the limits set their own.
ROOMCHAT = dict.fromkeys(RATES) | json.loads(os.environ.get("ROOMCHAT_TEST_CONFIG", "{}"))

_database_url = os.environ.get("DATABASE_URL")
if _database_url is None:
    # A file, not memory: the package's database threads open connections of their own.
    # A folder of its own, so that two runs at once do not share it; it goes when the run ends.
    _folder = tempfile.TemporaryDirectory(prefix="roomchat-tests-", ignore_cleanup_errors=True)
    _database_url = f"sqlite:///{_folder.name}/db.sqlite3"
DATABASES = {"default": dj_database_url.parse(_database_url)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
    }
    DATABASES["default"]["TEST"] = {"NAME": f"{DATABASES['default']['NAME']}.test"}

# Signing a test user in must not cost a password hash of production strength.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/chat/"
LANGUAGE_CODE = "en"
STATIC_URL = "static/"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
