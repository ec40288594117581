"""pytest-playwright's fixtures (`page`, `new_context`, `browser`), driving a Chromium that is here or was fetched.

A test that fails leaves its screenshot in `test-results/`.
"""

import os
from typing import Any

import pytest

from tests.services import Missing, skip_or_fail
from tests.services.chromium import ARGUMENTS, Chromium, find


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    try:
        return find()
    except Missing as missing:
        skip_or_fail(missing)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any], chromium: Chromium) -> dict[str, Any]:
    return {
        **browser_type_launch_args,
        "args": ARGUMENTS,
        "env": {**os.environ, **chromium.env},
        "executable_path": str(chromium.executable),
    }
