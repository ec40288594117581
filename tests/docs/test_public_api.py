"""The public names: how their parameters are named and typed, that they can be imported, and their asynchronous twins."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import django_roomchat
from django_roomchat import conf, moderation

ROOT = Path(__file__).parents[2]
PACKAGE = Path(django_roomchat.__file__).parent
DOTTED = re.compile(r"\bdjango_roomchat(?:\.\w+)+")
NOT_CODE = ("django_roomchat.js", "django_roomchat.css")
TWINLESS = {"verify_signature", "stream_export"}
"""A pure function, and a generator: :func:`export_user` has a twin."""


def functions() -> dict[str, Callable[..., Any]]:
    found = {name: getattr(django_roomchat, name) for name in django_roomchat.__all__}
    found |= {name: it for name, it in vars(moderation).items() if inspect.isfunction(it)}
    return {name: it for name, it in found.items() if inspect.isfunction(it)}


FUNCTIONS = functions()
PLAIN = {name: it for name, it in FUNCTIONS.items() if not inspect.iscoroutinefunction(it)}
TWINS = {name: it for name, it in FUNCTIONS.items() if inspect.iscoroutinefunction(it)}


def resolve(path: str) -> Any:
    """Import a dotted path: a module, or a name in one, or an attribute of that."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError as error:
            if error.name != ".".join(parts[:length]):
                raise
            continue
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(path)


def documented_paths() -> Iterator[str]:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        yield from DOTTED.findall(page.read_text())
    yield from (text for text in DOTTED.findall(inspect.getsource(conf)))


def examples() -> Iterator[ast.Module]:
    """Yield the Python examples of the documentation that are complete enough to be parsed."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            try:
                yield ast.parse(block)
            except SyntaxError:
                continue


def imported_names() -> Iterator[tuple[str, str]]:
    """Yield what the examples of the documentation import."""
    for tree in examples():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_roomchat"):
                yield from ((str(node.module), alias.name) for alias in node.names)


def example_calls() -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of public functions in the examples."""
    for tree in examples():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
                yield ast.unparse(node), node


@pytest.mark.parametrize("path", sorted(set(documented_paths()) - set(NOT_CODE)))
def test_a_documented_path_can_be_imported(path: str) -> None:
    resolve(path)


@pytest.mark.parametrize(("module", "name"), sorted(set(imported_names())))
def test_an_example_imports_what_exists(module: str, name: str) -> None:
    resolve(f"{module}.{name}")


@pytest.mark.parametrize(("text", "call"), dict(example_calls()).items())
def test_an_example_calls_a_function_with_its_parameters(text: str, call: ast.Call) -> None:
    assert isinstance(call.func, ast.Name)
    keywords = {keyword.arg: None for keyword in call.keywords if keyword.arg}

    assert inspect.signature(FUNCTIONS[call.func.id]).bind(*call.args, **keywords) is not None


def test_a_missing_path_is_found() -> None:
    with pytest.raises(AttributeError):
        resolve("django_roomchat.messages.post.nothing")
    with pytest.raises(AttributeError):
        resolve("django_roomchat.nothing")


def test_the_stub_is_the_only_list_of_names() -> None:
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    names = [alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]

    assert ["__version__", *names] == django_roomchat.__all__
    assert len(names) == len(set(names))


# Parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_the_target_comes_first_and_the_actor_last(name: str) -> None:
    parameters = inspect.signature(PLAIN[name]).parameters
    actor = parameters.get("author" if name == "post_message" else "by")

    assert {"who", "author", "wait_seconds"} & set(parameters) == (
        {"author"} if name == "post_message" else set()
    )
    assert actor is None or actor.kind is actor.KEYWORD_ONLY
    assert (
        "room" not in parameters or name in ("search_messages", "recheck") or next(iter(parameters)) == "room"
    )


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_people_and_rooms_have_one_type_each(name: str) -> None:
    expected = {
        "room": ("str | Room", "str | Room | None"),
        "by": ("Actor", "Actor | None"),
        "author": ("Actor | None",),
        "user": ("Actor", "Target", "Target | None"),
        "one": ("Actor",),
        "other": ("Actor",),
    }
    if name == "make_ticket":  # it needs an account
        expected["user"] = ("AbstractBaseUser | None",)
    for parameter in inspect.signature(PLAIN[name]).parameters.values():
        assert parameter.name not in expected or parameter.annotation in expected[parameter.name]
    assert "Any" not in str(inspect.signature(PLAIN[name]).return_annotation).replace("dict[str, Any]", "")


@pytest.mark.parametrize("name", sorted(PLAIN))
def test_a_function_documents_its_arguments_result_and_errors(name: str) -> None:
    doc = inspect.cleandoc(PLAIN[name].__doc__ or "")
    signature = inspect.signature(PLAIN[name])
    args = doc.partition("\nArgs:\n")[2].partition("\n\n")[0]
    documented = [
        one for names in re.findall(r"^    (\w[\w, ]*): ", args, re.MULTILINE) for one in names.split(", ")
    ]

    assert documented == list(signature.parameters)
    assert ("\nReturns:\n" in doc) == (signature.return_annotation != "None")


# Twins ----------------------------------------------------------------------------------------------------------


def test_every_function_has_an_asynchronous_twin() -> None:
    assert {f"a{name}" for name in PLAIN.keys() - TWINLESS} == TWINS.keys()


@pytest.mark.parametrize("name", sorted(TWINS))
def test_a_twin_has_the_signature_of_its_function(name: str) -> None:
    twin, function = TWINS[name], PLAIN[name[1:]]

    assert inspect.signature(twin) == inspect.signature(function)
    assert (twin.__name__, twin.__module__) == (name, function.__module__)
    assert twin.__doc__ == f"Asynchronous twin of :func:`{function.__name__}`."
