"""The promises of the documentation name tests that exist."""

import ast
import re
from pathlib import Path

from tests.support.docs import section, text

ROOT = Path(__file__).resolve().parent.parent.parent


def test_what_the_page_promises_is_shown_by_tests_that_exist() -> None:
    promised = re.findall(r"^\| (\d+) \| .+ \| (.+) \|$", text("topics/page.md"), re.MULTILINE)
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", text("topics/page.md"))
    written = {
        (path.name, function.name)
        for path in (ROOT / "tests" / "browser").glob("test_*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
    }

    assert [int(number) for number, _ in promised] == list(range(1, 25))
    assert all("::test_" in tests for _, tests in promised)
    assert set(named) <= written


def test_each_promise_about_security_names_its_test() -> None:
    rows = section("topics/security.md", "Promises and their tests").split("\n|---|---|\n")[1].splitlines()
    promised = [re.fullmatch(r"\| (.+\.) \| `([\w/]+\.py)::(test_\w+)` \|", row) for row in rows if row]

    assert promised
    assert all(promised), rows
    for row in promised:
        assert row
        _, path, test = row.groups()
        assert re.search(rf"^(async )?def {test}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE), test
