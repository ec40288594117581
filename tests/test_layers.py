"""A module imports only from rows above its own: whoever reads a module needs to know only the rows above it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import django_roomchat

PACKAGE = Path(django_roomchat.__file__).parent
ROWS = [
    {"addresses", "conf", "errors", "fastlane", "reports", "signatures"},
    {
        "calls",
        "emoji",
        "identity",
        "images",
        "links",
        "lookalikes",
        "origins",
        "outbox",
        "outgoing",
        "protocol",
        "signals",
        "sniffing",
        "storage",
        "text",
        "threads",
        "tickets",
    },
    {"limits", "markdown", "models"},
    {"counter"},
    {"files"},
    {"audit", "bus", "log", "mentions", "standing"},
    {"guests"},
    {"filters", "policy"},
    {"actions", "courier", "frames"},
    {"attachments", "marks", "roll", "search", "incoming", "privacy", "webhooks"},
    {"edits", "lines", "moderation", "people", "reactions", "review"},
    {"pins", "rooms"},
    {"members"},
    {"invitations", "powers"},
    {"verbs"},
    {"hub", "inbox", "page", "transfers"},
    {"presence", "reading", "typists"},
    {"doctor", "drain", "sessions"},
    {"streams"},
    {"admin", "checks", "consumers", "management", "templatetags", "testing", "views"},
]
# These only put the others together.
WIRING = {"__init__", "apps", "asgi", "migrations", "routing", "urls"}
# What a module may not know, whatever its row.
STRANGERS = {
    "hub": {"django_roomchat.messages.post", "django_roomchat.models"},
    "protocol": {"django"},
    "text": {"django"},
}


def row_of(module: str) -> int:
    return next(place for place, row in enumerate(ROWS) if module in row)


def sources(module: str) -> list[Path]:
    folder = PACKAGE / module
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def imports(module: str) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it: inside functions and for type checkers too."""
    for path in sources(module):
        package = ["django_roomchat", *path.relative_to(PACKAGE).parent.parts]
        for node in ast.walk(ast.parse(path.read_text(), path)):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) + 1 - node.level] if node.level else []
                origin = ".".join([*base, *filter(None, [node.module])])
                # `from package import module` and `from package.module import name` look alike here;
                # of the second, the longer name is harmless.
                yield from (f"{origin}.{alias.name}" for alias in node.names)


def siblings(module: str) -> set[str]:
    """The modules of this package that a module imports."""
    names = {name.split(".")[1] for name in imports(module) if name.startswith("django_roomchat.")}
    return {name for name in names if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").exists()} - {
        module
    }


def modules() -> set[str]:
    found = {path.stem for path in PACKAGE.glob("*.py")}
    return found | {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.rglob("*.py"))}


def test_every_module_has_a_row() -> None:
    assert modules() - WIRING == set().union(*ROWS) & modules(), (
        "give the new module a row, here and in the design"
    )


def test_every_row_is_made_of_modules_that_exist() -> None:
    assert set().union(*ROWS) <= modules()


def test_no_module_stands_in_two_rows() -> None:
    assert sum(map(len, ROWS)) == len(set().union(*ROWS))


@pytest.mark.parametrize("module", sorted(set().union(*ROWS)))
def test_a_module_imports_only_from_rows_above_its_own(module: str) -> None:
    wrong = {name for name in siblings(module) if name in WIRING or row_of(name) >= row_of(module)}

    assert wrong == set(), f"{module} is in row {row_of(module)}"


@pytest.mark.parametrize("module", sorted(STRANGERS))
def test_a_module_does_not_know_its_strangers(module: str) -> None:
    met = {
        stranger
        for stranger in STRANGERS[module]
        for name in imports(module)
        if name == stranger or name.startswith(f"{stranger}.")
    }

    assert met == set()


def test_an_import_inside_a_function_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "errors.py").write_text("def late():\n    from django_roomchat import hub\n")
    (tmp_path / "hub.py").touch()
    monkeypatch.setattr("tests.test_layers.PACKAGE", tmp_path)

    assert siblings("errors") == {"hub"}
