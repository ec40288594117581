"""The test project with the templates and static files of a site of its own, which a test has written."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403  (it is the same project but for what follows)
from tests.settings import TEMPLATES

_folder = Path(os.environ["ROOMCHAT_TEST_SITE"])
TEMPLATES = [{**TEMPLATES[0], "DIRS": [_folder / "templates"]}]
STATICFILES_DIRS = [_folder / "static"]
