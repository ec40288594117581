"""`docs/topics/code-map.md` lists the files of the repository, and its answers lead to symbols that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_layers import ROWS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "django_roomchat"
SCRIPTS = ROOT / "js" / "src"
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "topics" / "code-map.md"

DOCUMENTED = {"_meta", "_default_manager"}
"""Attributes of Django's models that begin with an underscore and are documented."""


def section(heading: str) -> str:
    """The text under a heading of the page, up to the next heading of the same level."""
    text: str
    [text] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    return text


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables under a heading, without the heads of the tables."""
    tables = re.findall(r"(?:^\|.*\|$\n?)+", section(heading), re.M)
    lines = [line for table in tables for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]


def listed(heading: str) -> list[str]:
    return sorted(row[0].strip("`") for row in rows(heading))


def folders_of(heading: str) -> list[str]:
    return re.findall(r"^### `(\w+)/`$", section(heading), re.M)


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# The lists ----------------------------------------------------------------------------------------------------------


def test_the_page_lists_each_module_of_the_package_once() -> None:
    modules = [path for pattern in ("*.py", "*.pyi") for path in PACKAGE.rglob(pattern)]
    names = [
        str(path.relative_to(PACKAGE))
        for path in modules
        if path.parent.name != "migrations" and (path.name != "__init__.py" or path.parent == PACKAGE)
    ]
    # Folders whose files are not listed.
    names += ["locale/", "migrations/", "static/", "templates/"]

    assert listed("`django_roomchat/`") == sorted(names)


def test_each_folder_of_the_package_has_a_heading_or_a_line() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    lines = {name.rstrip("/") for name in listed("`django_roomchat/`") if name.endswith("/")}
    headings = folders_of("`django_roomchat/`")
    assert headings == sorted(folders - lines)


def test_the_page_lists_each_script_once() -> None:
    assert listed("`js/src/`") == sorted(str(path.relative_to(SCRIPTS)) for path in SCRIPTS.rglob("*.js"))


def test_each_folder_of_scripts_has_a_heading_in_the_order_of_imports() -> None:
    [order] = re.findall(
        r"^const ORDER = \[(.*), \"\.\"\];$", (ROOT / "js" / "tests" / "layers.test.js").read_text(), re.M
    )

    assert folders_of("`js/src/`") == re.findall(r'"(\w+)"', order)


def test_the_page_lists_each_folder_of_tests_once() -> None:
    folders = [path.name for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"]

    assert listed("`tests/`") == sorted(f"{name}/" for name in folders)


def test_a_file_is_listed_under_the_heading_of_its_folder() -> None:
    for heading in ("`django_roomchat/`", "`js/src/`"):
        for part in re.split(r"^### ", section(heading), flags=re.M)[1:]:
            folder = quoted(part)[0]
            assert all(name.startswith(folder) for name in re.findall(r"^\| `([^`]+)`", part, re.M)), folder


def test_the_rows_of_the_page_are_those_of_the_imports() -> None:
    table = re.findall(r"^\| (\d+) \| (.*) \| .* \|$", section("Rows"), re.M)

    assert [(int(number), set(quoted(names))) for number, names in reversed(table)] == list(
        enumerate(ROWS, 1)
    )


def test_every_file_that_the_page_names_exists() -> None:
    text = PAGE.read_text()
    named = re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|js|css|html))(?:::\w+)?`", text)
    scripts = section("`js/src/`")

    def exists(name: str) -> bool:
        if name.startswith("test_") or name.endswith(".test.js"):
            return len([*TESTS.rglob(name), *(ROOT / "js" / "tests").rglob(name)]) == 1
        bases = [ROOT, PACKAGE, *([SCRIPTS] if f"`{name}`" in scripts else [])]
        # A template is named without its folder.
        return any((base / name).is_file() for base in [*bases, PACKAGE / "templates" / "django_roomchat"])

    assert named
    assert [name for name in named if not exists(name)] == []


# Where would I change …? ---------------------------------------------------------------------------------------------

TASKS = rows("Where would I change …?")


def test_the_tasks_are_found() -> None:
    assert {"what a muted member may do", "the reconnect delay", "add a setting"} <= {row[0] for row in TASKS}


@pytest.mark.parametrize("row", TASKS, ids=[row[0] for row in TASKS])
def test_a_task_leads_to_a_symbol_in_one_file(row: list[str]) -> None:
    [(name, link)] = re.findall(r"\[`([^`]+)`\]\(([^)]+)\)", row[1])
    path = (PAGE.parent / link).resolve()
    source = path.read_text()

    assert path in (PACKAGE / name, ROOT / name)
    assert quoted(row[2])
    assert [symbol for symbol in quoted(row[2]) if not re.search(rf"{re.escape(symbol)}\b", source)] == []


# Private APIs --------------------------------------------------------------------------------------------------------

PRIVATE = rows("Private APIs that django-roomchat uses")


def foreign_names(path: Path, own: set[str]) -> Iterator[str]:
    """Attributes that begin with an underscore, are read or set in a file, and are not defined in the package."""
    for node in ast.walk(ast.parse(path.read_text(), path)):
        name = ""
        if isinstance(node, ast.Attribute):
            name = node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr", "setattr"):
            name = str(ast.literal_eval(node.args[1])) if isinstance(node.args[1], ast.Constant) else ""
        if name.startswith("_") and not name.endswith("__") and name not in own:
            yield name


def own_names(path: Path) -> Iterator[str]:
    """Names that a file defines: functions, classes, variables, and attributes of ``self`` and ``cls``."""
    for node in ast.walk(ast.parse(path.read_text(), path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) in ("self", "cls")
        ):
            yield node.attr


def test_the_page_lists_every_private_attribute_of_another_package() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "migrations"]
    own = {name for path in sources for name in own_names(path)}
    used = {
        (str(path.relative_to(PACKAGE)), name)
        for path in sources
        for name in foreign_names(path, own | DOCUMENTED)
    }

    noted = {(quoted(row[1])[0], name) for row in PRIVATE for name in quoted(row[0]) if name.startswith("_")}
    assert used == noted
    assert ("realtime/send_queue.py", "_asyncio_future_blocking") in used


@pytest.mark.parametrize("row", PRIVATE, ids=[row[0] for row in PRIVATE])
def test_a_private_api_is_used_where_the_page_says_and_has_a_test(row: list[str]) -> None:
    about, where, _, test = row
    source = (PACKAGE / quoted(where)[0]).read_text()
    file, name = quoted(test)[0].split("::")
    [path] = TESTS.rglob(file)

    assert [api for api in quoted(about) if not re.search(rf"\b{re.escape(api)}\b", source)] == []
    assert re.search(rf"^(async )?def {name}\(", path.read_text(), re.M)
