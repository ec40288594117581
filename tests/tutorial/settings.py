"""The test project with the pages of the Channels tutorial in place of ours."""

from pathlib import Path

from tests.settings import *  # noqa: F403  (it is the same project but for what follows)
from tests.settings import TEMPLATES

TEMPLATES = [{**TEMPLATES[0], "DIRS": [Path(__file__).resolve().parent / "templates"]}]
