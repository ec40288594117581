"""Rules for the repository as a whole."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import django_roomchat

ROOT = Path(__file__).resolve().parent.parent.parent
# Put together here, so that this file does not break its own rules.
REGISTRIES = [
    ".".join(parts)
    for parts in [
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("unpkg", "com"),
        ("jsdelivr", "net"),
    ]
]
LINES_MAX = 500
MACHINE_PATHS = re.compile(
    r"(?<![\w.}/-])/(?:" + "|".join(["ro" + "ot", "wo" + "rk", "ho" + "me", "Us" + "ers"]) + r")/\w"
)


TESTED_ELSEWHERE = {"admin", "conf", "management", "migrations", "models", "templatetags", "views"}
"""Folders of the package that are no chapters: tests/edges and the files of tests/unit test them as a whole."""
WITHOUT_TESTS_OF_THEIR_OWN = {
    "identity/ip_addresses_data.py": "generated; test_ip_addresses.py reads it",
    "messages/types.py": "classes without methods",
    "realtime/hub_socket.py": "a base class; test_connection.py and test_event_stream.py test its subclasses",
    "text/confusables_data.py": "generated; test_confusables.py reads it",
}
"""Modules of the chapters without a test file of their name, with the reason. Add none: write the file."""


def tracked() -> list[Path]:
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # an image, or a compiled translation
        for number, line in enumerate(text.splitlines(), 1):
            if match := pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match[0]}")
    return found


def test_no_file_names_the_host_of_a_package_registry() -> None:
    """A clone must work with any package registry; the tools' own configuration names it."""
    assert lines_with(re.compile("|".join(map(re.escape, REGISTRIES)))) == []


def test_no_file_names_a_path_of_a_developers_machine() -> None:
    assert lines_with(MACHINE_PATHS) == []


def test_the_changelog_knows_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()

    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert versions[0] == django_roomchat.__version__


def test_ci_runs_the_command_that_the_readme_prints() -> None:
    readme = (ROOT / "README.md").read_text()
    ci = (ROOT / ".ci" / "run").read_text()

    commands = re.findall(r"^python3 -m venv .*tox$", readme, re.MULTILINE)
    assert len(commands) == 1
    assert commands[0] in ci


@pytest.mark.parametrize("name", ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"])
def test_what_a_page_links_to_is_there(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / name).read_text())

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_supported_python_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = {c.rsplit(" ", 1)[1] for c in project["classifiers"] if re.search(r":: 3\.\d+$", c)}

    assert promised == set((ROOT / ".python-version").read_text().split())
    ci = (ROOT / ".ci" / "run").read_text()
    tested = {f"3.{minor}" for minor in re.findall(r"py3(\d+)-dj", ci)}
    if re.search(r"tox run -e lowest ", ci):
        tested |= set(
            re.findall(r"^base_python = python(3\.\d+)$", (ROOT / "tox.ini").read_text(), re.MULTILINE)
        )
    assert promised == tested


def test_a_package_has_one_floor() -> None:
    """The test groups repeat packages of the extras; a higher floor there would hide one that is too low.

    Django is excepted: the groups of the matrix choose one of its series.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lists = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    floors: dict[str, set[str]] = {}
    for requirement in (one for some in lists for one in some if isinstance(one, str) and ">=" in one):
        name = re.split(r"[\[>=!<]", requirement)[0]
        floors.setdefault(name, set()).update(re.findall(r">=([\w.]+)", requirement))

    assert {name: found for name, found in floors.items() if len(found) > 1 and name != "django"} == {}


def test_the_release_is_built_in_a_job_that_ran_no_tests_with_tools_that_are_pinned_by_hash() -> None:
    jobs = re.split(
        r"^  (\w+):\n", (ROOT / ".github" / "workflows" / "release.yml").read_text(), flags=re.MULTILINE
    )
    build = dict(zip(jobs[1::2], jobs[2::2], strict=True))["build"]
    tools = (ROOT / ".github" / "release-tools.txt").read_text()
    pinned = re.split(r"^(?=[a-z])", tools, flags=re.MULTILINE)[1:]

    assert ".ci/run" not in build
    installs = re.findall(r"pip install (.*)", build)
    assert [line.split()[0] for line in installs] == ["--require-hashes"]
    assert [one for one in pinned if not re.match(r"[\w.-]+==\S+ \\\n    --hash=sha256:", one)] == []
    wanted = re.findall(r"^[a-z]+$", (ROOT / ".github" / "release-tools.in").read_text(), re.MULTILINE)
    assert set(wanted) <= {one.partition("==")[0] for one in pinned}


def test_no_python_file_has_more_than_500_lines() -> None:
    """The initial migration and the table that is generated from Unicode's data apart."""
    sizes = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in tracked() if path.suffix == ".py"
    }

    assert {path.relative_to(ROOT).as_posix() for path, lines in sizes.items() if lines > LINES_MAX} == {
        "django_roomchat/migrations/0001_initial.py",
        "django_roomchat/text/confusables_data.py",
    }


def test_every_module_of_a_chapter_has_a_test_file_of_its_name() -> None:
    package = ROOT / "django_roomchat"
    chapters = {path.parent.name for path in package.glob("*/__init__.py")} - TESTED_ELSEWHERE
    modules = [path for chapter in chapters for path in (package / chapter).glob("*.py")]
    without = {
        str(path.relative_to(package))
        for path in modules
        if path.name != "__init__.py"
        and not (ROOT / "tests" / "unit" / path.parent.name / f"test_{path.name}").is_file()
    }

    assert without == set(WITHOUT_TESTS_OF_THEIR_OWN)
