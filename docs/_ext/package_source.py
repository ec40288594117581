"""Reads the content of the reference pages from the package's source.

This module does not import Sphinx, so that the tests can use it.
"""

import ast
import inspect
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec

import django_roomchat
from django_roomchat import protocol

PACKAGE = Path(django_roomchat.__file__).parent

WIRE = {
    "client": [frame.__name__ for frame in get_args(protocol.ClientFrame)],
    "server": [frame.__name__ for frame in get_args(protocol.ServerFrame)],
    "objects": [
        "Event",
        "Author",
        "Quote",
        "Reactions",
        "Mention",
        "Line",
        "File",
        "FileToPost",
        "EarlierText",
        "Person",
        "You",
        "Limits",
        "Hit",
        "ListedMember",
        "ListedRoom",
        "LastMessage",
        "ListedInvitation",
        "SanctionedUser",
        "SanctionInForce",
    ],
    "tutorial": ["TutorialPost", "TutorialMessage", "TutorialError"],
}

# Names of the protocol's types in JSON terms, for readers who do not use Python.
WIRE_TYPES = {
    "Author": "object, see :wire-object:`Author`",
    "LastMessage": "object, see :wire-object:`LastMessage`",
    "Limits": "object, see :wire-object:`Limits`",
    "Key": "text of 1 to 100 characters",
    "Line": "object, see :wire-object:`Line`",
    "Quote": "object, see :wire-object:`Quote`",
    "Position": "whole number, 0 to 2\\ :sup:`53` − 1",
    "Seconds": "whole number, 1 to 10\\ :sup:`9`",
    "You": "object, see :wire-object:`You`",
    "Annotated[int, msgspec.Meta(ge=1, le=100000)]": "whole number, 1 to 100,000",
    "Annotated[int, msgspec.Meta(ge=1, le=500)]": "whole number, 1 to 500",
    "Cursor": "text of at most 500 characters",
    "Epoch": "text of at most 64 characters",
    "Identifier": "text of at most 64 characters",
    "MessageId": "text of 1 to 64 characters",
    "Prefix": "text of at most 100 characters",
    "Token": "text of at most 100 characters",
    "Role": "``owner``, ``moderator`` or ``member``",
    "bool": "``true`` or ``false``",
    "dict[Name, Position]": "object: room name → position",
    "dict[str, Reactions]": "object: emoji → :wire-object:`Reactions`",
    "dict[str, int]": "object: room name → position",
    "float": "number",
    "int": "whole number",
    "list[EarlierText]": "list of :wire-object:`EarlierText`",
    "list[Event]": "list of :wire-object:`Event`",
    "list[Hit]": "list of :wire-object:`Hit`",
    "list[ListedInvitation]": "list of :wire-object:`ListedInvitation`",
    "list[ListedRoom]": "list of :wire-object:`ListedRoom`",
    "list[ListedMember]": "list of :wire-object:`ListedMember`",
    "SanctionInForce": "object, see :wire-object:`SanctionInForce`",
    "list[SanctionedUser]": "list of :wire-object:`SanctionedUser`",
    "list[Person]": "list of :wire-object:`Person`",
    "list[File]": "list of :wire-object:`File`",
    "list[FileToPost]": "list of :wire-object:`FileToPost`",
    "list[Mention]": "list of :wire-object:`Mention`",
    "list[msgspec.Raw]": "list of :wire-object:`Event`",
    "list[str]": "list of texts",
    "str": "text",
}


class Undocumented(Exception):
    """A docstring or a name that the documentation needs is missing in the source."""


@dataclass(frozen=True)
class Field:
    """An annotated attribute of a class, as written in the source."""

    name: str
    annotation: str
    default: str | None
    doc: str


def fields_of(module: ModuleType, class_name: str) -> tuple[str, list[Field]]:
    """Return the docstring of a class, and its annotated attributes with their docstrings.

    Attributes of base classes of this package are included. The attributes of a frame are in the order of its JSON keys.

    Raises:
        Undocumented: an attribute has no docstring.
    """
    found = _class_node(module, class_name)
    if found is None:  # re-exported by the module
        module = sys.modules[getattr(module, class_name).__module__]
        found = _class_node(module, class_name)
    if found is None:
        raise Undocumented(f"{module.__name__}.{class_name}: its source was not found.")
    fields = _inherited(getattr(module, class_name)) | {field.name: field for field in _own_fields(found)}
    missing = [name for name, field in fields.items() if not field.doc]
    if missing:
        raise Undocumented(
            f"{module.__name__}.{class_name}: write a docstring below {', '.join(missing)}; "
            "the documentation is generated from it."
        )
    order = getattr(getattr(module, class_name), "__struct_fields__", tuple(fields))
    return ast.get_docstring(found) or "", [fields[name] for name in order]


def _inherited(kind: type) -> dict[str, Field]:
    """Return the annotated attributes of the base classes that this package defines."""
    fields: dict[str, Field] = {}
    for base in kind.__bases__:
        if base.__module__.startswith("django_roomchat."):
            node = _class_node(sys.modules[base.__module__], base.__name__)
            assert node is not None, base
            fields |= _inherited(base) | {field.name: field for field in _own_fields(node)}
    return fields


def _own_fields(found: ast.ClassDef) -> list[Field]:
    fields = []
    for place, node in enumerate(found.body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            following = found.body[place + 1] if place + 1 < len(found.body) else None
            fields.append(
                Field(
                    name=node.target.id,
                    annotation=ast.unparse(node.annotation),
                    default=None if node.value is None else ast.unparse(node.value),
                    doc=_docstring(following),
                )
            )
    return fields


def _class_node(module: ModuleType, class_name: str) -> ast.ClassDef | None:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    return next(
        (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name), None
    )


def _docstring(node: ast.stmt | None) -> str:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return inspect.cleandoc(node.value.value)
    return ""


def wire_type(field: Field) -> str:
    annotation = field.annotation.removesuffix(" | None")
    if annotation.startswith("Literal["):
        words = ast.literal_eval(annotation.removeprefix("Literal"))
        return " or ".join(f'``"{word}"``' for word in words)
    if annotation not in WIRE_TYPES:
        raise Undocumented(f"Add {annotation!r}, the type of {field.name!r}, to WIRE_TYPES.")
    return WIRE_TYPES[annotation]


def sent_close_codes() -> set[int]:
    """Return the close codes whose constants are used outside the protocol's own modules."""
    used: set[str] = set()
    for source in PACKAGE.rglob("*.py"):
        if "protocol" not in source.relative_to(PACKAGE).with_suffix("").parts:
            used |= set(re.findall(r"\bCLOSE_[A-Z_]+\b", source.read_text(encoding="utf-8")))
    values = {name: value for name, value in vars(protocol).items() if name in used}
    return {value for value in values.values() if isinstance(value, int)}


def json_schema() -> dict[str, Any]:
    (client, server, _), components = msgspec.json.schema_components(
        [protocol.ClientFrame, protocol.ServerFrame, protocol.Event], ref_template="#/$defs/{name}"
    )
    for name in ("Joined", "Events"):
        # Events are encoded once and inserted into frames as raw JSON, so the Struct does not declare their type.
        components[name]["properties"]["events"]["items"] = {"$ref": "#/$defs/Event"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": protocol.SUBPROTOCOL,
        "$defs": {"ClientFrame": client, "ServerFrame": server, **components},
    }
