"""The settings of the test run, for a site with a user model of its own."""

from tests.settings import *  # noqa: F403  (all settings, but for those below)
from tests.settings import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*[name for name in _APPS if name != "django.contrib.admin"], "tests.uuid_users"]
AUTH_USER_MODEL = "uuid_users.Person"
ROOT_URLCONF = "tests.uuid_users.urls"
