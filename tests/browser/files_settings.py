"""The test project with a place for files, under the strictest content security policy that a chat can have."""

import os

from tests.browser.strict_settings import *  # noqa: F403  (the same project)

MEDIA_ROOT = os.environ["MEDIA_ROOT"]
