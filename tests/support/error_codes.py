"""Which error codes each function of the package can raise, from its source.

A function can raise the codes of the errors that it constructs, and those of everything that it names: functions, classes that it
instantiates, constants, and methods of the policy. This is conservative: conditions are not evaluated. Errors that a ``try`` or
:func:`~django_roomchat.policy.allows` catches do not count. A policy and a content filter can add codes of their own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import django_roomchat
from django_roomchat import errors

PACKAGE = Path(django_roomchat.__file__).parent
ERRORS = "django_roomchat.errors"
POLICIES = "django_roomchat.policy.policies"
DECISION = ("django_roomchat.policy.decisions", "Decision")
# These return errors as results. Only the second name of a pair raises them.
RETURNED = {("django_roomchat.log.appending", "append"): "django_roomchat.messages.post"}
CHECKED = ("django_roomchat.policy.decisions", "checked")
"""Passes on the decisions of the method that it is given, which is named elsewhere."""
CATCHERS = {("django_roomchat.policy.permissions", "allows")}
"""Functions that catch what their first argument raises."""
REQUIRE = ("django_roomchat.policy.permissions", "require")
"""Raises a decision of the policy as an error. Elsewhere decisions are only true or false."""
ALL_ERRORS = {"ChatError", "Exception", "BaseException"}

Unit = tuple[str, str]
"""A module, and the name of a function, class, method or constant in it."""


@cache
def tree_of(module: str) -> ast.Module | None:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return ast.parse(file.read_text(encoding="utf-8"))
    return None


@cache
def definitions(module: str) -> dict[str, ast.AST]:
    """Return the functions, classes, methods (``Class.method``) and constants of a module."""
    found: dict[str, ast.AST] = {}
    tree = tree_of(module)
    for node in tree.body if tree is not None else ():
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign):
            found |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{each.name}": each for each in node.body if isinstance(each, ast.FunctionDef)
            }
    return found


@cache
def imports(module: str) -> dict[str, tuple[str, str]]:
    """Return the names that a module imports from the package, anywhere in it: module and name there, ``""`` for a module."""
    found: dict[str, tuple[str, str]] = {}
    tree = tree_of(module)
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_roomchat"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = tree_of(inner) is not None
                found[alias.asname or alias.name] = (
                    (inner, "") if is_module else (str(node.module), alias.name)
                )
    return found


def resolve(module: str, name: str) -> Unit | None:
    """Return where a name of a module is defined, through the modules that only re-export it."""
    if name in definitions(module):
        return module, name
    where = imports(module).get(name)
    return where if where is None or not where[1] else resolve(*where)


def target_of(module: str, node: ast.AST) -> Unit | None:
    """Return what an expression such as ``name`` or ``module.name`` refers to."""
    if isinstance(node, ast.Name):
        return resolve(module, node.id)
    if isinstance(node, ast.Attribute):
        owner = target_of(module, node.value)
        if owner is not None and not owner[1]:
            return resolve(owner[0], node.attr)
    return None


def local_names(function: ast.AST) -> set[str]:
    names = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    return names | {
        node.id
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }


def catches_all(handler: ast.ExceptHandler) -> bool:
    caught = ast.walk(handler.type) if handler.type is not None else ()
    return handler.type is None or any(
        isinstance(node, ast.Name) and node.id in ALL_ERRORS for node in caught
    )


def passes_on(handler: ast.ExceptHandler) -> bool:
    """Return whether a handler raises the caught error again, or keeps it as a value."""
    causes = {id(node.cause) for node in ast.walk(handler) if isinstance(node, ast.Raise)}
    return any(
        (isinstance(node, ast.Raise) and node.exc is None)
        or (isinstance(node, ast.Name) and node.id == handler.name and id(node) not in causes)
        for node in ast.walk(handler)
    )


def walk(module: str, node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that can run and whose errors leave *node*: no annotations, nothing whose errors are caught."""
    yield node
    if isinstance(node, ast.Try):
        is_caught = any(catches_all(handler) and not passes_on(handler) for handler in node.handlers)
        children: list[ast.AST] = [
            *([] if is_caught else node.body),
            *node.handlers,
            *node.orelse,
            *node.finalbody,
        ]
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        children = [*node.decorator_list, *node.body]
    elif isinstance(node, ast.AnnAssign):
        children = [node.value] if node.value else []
    elif isinstance(node, ast.Call) and target_of(module, node.func) in CATCHERS:
        children = [node.func, *node.args[1:]]
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from walk(module, child)


def literal(node: ast.AST | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def code_of_call(call: ast.Call, target: Unit) -> str | None:
    """Return the code of an error, or of a decision that denies, that a call constructs."""
    module, name = target
    given = next((keyword.value for keyword in call.keywords if keyword.arg == "code"), None)
    if module == ERRORS:
        default = getattr(errors, name).code
    elif target == DECISION and call.args and literal(call.args[0]) is False:
        default = "forbidden"
    else:
        return None
    # A code that is not written here is that of a decision or of a filter's answer, which has a default, too.
    return str(literal(given) or default)


def methods_named(name: str) -> Iterator[Unit]:
    """Yield the methods of this name of all policies, because a site can choose any of them."""
    yield from ((POLICIES, key) for key in definitions(POLICIES) if key.endswith(f".{name}"))


def edges(unit: Unit) -> tuple[set[str], set[Unit]]:
    """Return the codes that a unit produces itself, and the units that it names."""
    module, name = unit
    node = definitions(module)[name]
    local = local_names(node) if isinstance(node, ast.FunctionDef) else set()
    codes: set[str] = set()
    named: set[Unit] = set()
    calls = [each for each in walk(module, node) if isinstance(each, ast.Call)]
    called = {id(call.func) for call in calls}
    required = {
        id(each) for call in calls if target_of(module, call.func) == REQUIRE for each in ast.walk(call)
    }
    for each in walk(module, node):
        if isinstance(each, ast.Name) and each.id in local:
            continue
        target = target_of(module, each)
        if isinstance(each, ast.Call) and (made := target_of(module, each.func)) is not None:
            codes |= {code for code in [code_of_call(each, made)] if code}
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "self":
            named |= {(module, key) for key in definitions(module) if key.endswith(f".{each.attr}")}
        if isinstance(each, ast.Attribute) and (id(each) in required or module == POLICIES):
            named |= set(methods_named(each.attr))
        elif isinstance(text := literal(each), str) and text.startswith("can_"):
            named |= set(methods_named(text))
        if target is None or not target[1] or target[0] in (ERRORS, "django_roomchat.models"):
            continue
        defined = definitions(target[0]).get(target[1])
        if isinstance(defined, ast.ClassDef):
            codes |= default_code(defined)
            # The methods of a class run only if it is instantiated; a policy's are named one by one.
            if id(each) in called and target[0] != POLICIES:
                named |= {
                    (target[0], key) for key in definitions(target[0]) if key.startswith(f"{target[1]}.")
                }
        elif RETURNED.get(target, module) == module and target != CHECKED:
            named.add(target)
    return codes, named


def default_code(node: ast.ClassDef) -> set[str]:
    """Return the default of a class's field ``code``, as that of a content filter's refusal."""
    if node.name == "Decision":
        return set()
    fields = [
        each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
    ]
    return {str(literal(each.value)) for each in fields if ast.unparse(each.target) == "code" and each.value}


@cache
def cached_edges(unit: Unit) -> tuple[frozenset[str], frozenset[Unit]]:
    codes, named = edges(unit)
    return frozenset(codes), frozenset(named)


def reachable_codes(module: str, name: str) -> set[str]:
    """Return the error codes that a function of the package can raise."""
    start = resolve(module, name)
    assert start is not None, f"{module}.{name} is not defined in the package"
    found: set[str] = set()
    waiting, seen = [start], {start}
    while waiting:
        codes, named = cached_edges(waiting.pop())
        found |= codes
        waiting += named - seen
        seen |= named
    return found


def path_to(module: str, name: str, code: str) -> list[str]:
    """Return a chain of names that leads from a function to an error code, to explain a result."""
    start = resolve(module, name)
    assert start is not None
    waiting: list[tuple[Unit, ...]] = [(start,)]
    seen = {start}
    while waiting:
        path = waiting.pop(0)
        codes, named = cached_edges(path[-1])
        if code in codes:
            return [".".join(unit) for unit in path]
        waiting += [(*path, unit) for unit in named - seen]
        seen |= named
    return []
