"""Any user model will do. One that is not Django's needs settings of its own, and so a run of its own."""

import os
import subprocess
import sys

import pytest

from tests.services.server import ROOT


@pytest.mark.slow
def test_a_user_model_with_uuids_and_without_user_names_does_everything():
    # A database of its own: its tables are others.
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    environment["DJANGO_SETTINGS_MODULE"] = "tests.uuid_users.settings"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--ds=tests.uuid_users.settings",
    ]

    done = subprocess.run(
        [*command, "tests/uuid_users/checks.py"], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout
