"""Settings of the measured servers: those of a deployment, as documented. `benchmarks.serve` sets the
environment variables.
"""

import os

import dj_database_url

from django_roomchat.conf import RATES

SECRET_KEY = "only for measuring, and public"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
INSTALLED_APPS = [
    "channels",
    "django_roomchat",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
ROOT_URLCONF = "benchmarks.urls"
ASGI_APPLICATION = "benchmarks.apps.roomchat.application"
# Rate limits are off: the benchmarks measure what a server can do, not what it allows one person.
ROOMCHAT = dict.fromkeys(RATES)

DATABASES = {"default": dj_database_url.parse(os.environ["DATABASE_URL"])}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
    }

layer = os.environ.get("ROOMCHAT_BENCH_LAYER", "memory")
if layer == "memory":
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
else:
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # With its default timeout, redis-py 8 disconnects the tutorial's idle consumers, and all but 100
            # of those that talk at once.
            "CONFIG": {
                "hosts": [{"address": layer, "socket_timeout": None, "max_connections": 2000}],
                "capacity": 5000,
            },
        }
    }

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
STATIC_URL = "static/"
TIME_ZONE = "UTC"
USE_TZ = True
# Where a measured process is one of several, the in-memory layer is intended.
SILENCED_SYSTEM_CHECKS = ["roomchat.W005"]
