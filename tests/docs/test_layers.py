"""A chapter imports only chapters below it, and the top of the package stays small enough to be read at a glance."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import django_roomchat

PACKAGE = Path(django_roomchat.__file__).parent
# From the bottom to the top.
ROWS = [
    {"conf", "errors", "protocol", "signals", "text"},
    {"database", "models", "throttled_logging"},
    {"files", "pubsub"},
    {"identity", "log"},
    {"filters", "policy"},
    {"rooms"},
    {"messages"},
    {"moderation", "privacy", "webhooks"},
    {"realtime"},
    {
        "admin",
        "apps",
        "asgi",
        "checks",
        "consumers",
        "management",
        "routing",
        "templatetags",
        "testing",
        "urls",
        "views",
    },
]
FREE_OF_DJANGO = ["protocol", "text"]
ENTRIES_MAX = 32
"""Modules and chapters at the top of the package."""
ARROWS_MAX = 170
"""Pairs of entries of which one imports the other; 455 when all modules stood side by side."""


def entry_of(module: str) -> str:
    return module.partition(".")[0]


def row_of(module: str) -> int:
    return next(number for number, row in enumerate(ROWS) if entry_of(module) in row)


def modules() -> dict[str, Path]:
    """The modules of the package by their dotted names below it; a package is named like its folder."""
    paths = [path for path in PACKAGE.rglob("*.py") if path.parent.name != "migrations"]
    names = {path: path.relative_to(PACKAGE).with_suffix("").parts for path in paths}
    found = {
        ".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in names.items()
    }
    del found[""]
    return found


MODULES = modules()


def imported_names(path: Path) -> Iterator[str]:
    """Dotted names that a file imports, anywhere in it: inside functions and for type checkers, too."""
    for node in ast.walk(ast.parse(path.read_text(), path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Relative imports are refused by the linter (TID252) above siblings, and not used among them.
            assert not node.level, f"{path.name} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_modules(path: Path) -> set[str]:
    """Modules of the package that a file imports."""
    names = [
        name.removeprefix("django_roomchat.")
        for name in imported_names(path)
        if name.startswith("django_roomchat.")
    ]
    return {name if name in MODULES else name.rpartition(".")[0] for name in names} & set(MODULES)


IMPORTS = {module: imported_modules(path) - {module} for module, path in MODULES.items()}


def arrows() -> set[tuple[str, str]]:
    """Which entry at the top of the package imports which other."""
    pairs = {(entry_of(module), entry_of(other)) for module, others in IMPORTS.items() for other in others}
    return {(one, other) for one, other in pairs if one != other}


def circle(edges: dict[str, set[str]]) -> list[str]:
    """A path that ends where it begins, if there is one."""
    done: set[str] = set()

    def look(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for other in sorted(edges[node]):
            if found := look(other, [*path, node]):
                return found
        done.add(node)
        return []

    return next(filter(None, (look(node, []) for node in sorted(edges))), [])


def test_every_entry_has_one_row() -> None:
    assert sorted(name for row in ROWS for name in row) == sorted({entry_of(module) for module in MODULES})


def test_there_are_ten_rows() -> None:
    assert len(ROWS) == 10


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_from_its_own_row_or_below(module: str) -> None:
    assert {other for other in IMPORTS[module] if row_of(other) > row_of(module)} == set()


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(IMPORTS) == []


def test_no_entries_import_each_other_in_a_circle() -> None:
    entries = {entry_of(module): set[str]() for module in MODULES}
    for one, other in arrows():
        entries[one].add(other)

    assert circle(entries) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]


def test_the_top_of_the_package_stays_small() -> None:
    assert len({entry_of(module) for module in MODULES}) <= ENTRIES_MAX


def test_few_entries_import_each_other() -> None:
    assert 0 < len(arrows()) <= ARROWS_MAX


@pytest.mark.parametrize("chapter", FREE_OF_DJANGO)
def test_a_chapter_is_free_of_django(chapter: str) -> None:
    mine = [path for module, path in MODULES.items() if entry_of(module) == chapter]

    assert [name for path in mine for name in imported_names(path) if name.split(".")[0] == "django"] == []


def test_the_hub_does_not_know_the_models() -> None:
    assert {
        name for name in IMPORTS["realtime.hub"] if entry_of(name) in ("models", "messages", "rooms")
    } == set()


def test_a_class_name_stands_for_one_thing() -> None:
    """The models and the admin are named like the frames that concern the same thing; an app configuration has one name."""
    names = [
        node.name
        for module, path in MODULES.items()
        if entry_of(module) not in ("models", "admin", "management", "apps")
        for node in ast.parse(path.read_text(), path).body
        if isinstance(node, ast.ClassDef)
    ]

    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_an_import_inside_a_function_counts(tmp_path: Path) -> None:
    late = tmp_path / "late.py"
    late.write_text("def late():\n    from django_roomchat.realtime import hub\n")

    assert imported_modules(late) == {"realtime.hub"}
