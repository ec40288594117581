"""What the reference pages say, read from the package's source. It knows no Sphinx, so that the tests can ask it."""

import ast
import inspect
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import msgspec

from django_roomchat import protocol

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
        "Sanctioned",
        "Sanction",
    ],
    "tutorial": ["TutorialPost", "TutorialMessage", "TutorialError"],
}

# How the wire's types are called in JSON, for people who do not write Python.
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
    "Annotated[str, msgspec.Meta(max_length=100)]": "text of at most 100 characters",
    "Role": "``owner``, ``moderator`` or ``member``",
    "bool": "``true`` or ``false``",
    "dict[str, Position]": "object: room name → position",
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
    "Sanction": "object, see :wire-object:`Sanction`",
    "list[Sanctioned]": "list of :wire-object:`Sanctioned`",
    "list[Person]": "list of :wire-object:`Person`",
    "list[File]": "list of :wire-object:`File`",
    "list[FileToPost]": "list of :wire-object:`FileToPost`",
    "list[Mention]": "list of :wire-object:`Mention`",
    "list[msgspec.Raw]": "list of :wire-object:`Event`",
    "list[str]": "list of texts",
    "str": "text",
}


class Undocumented(Exception):
    """The documentation cannot be made: its source lacks something."""


@dataclass(frozen=True)
class Field:
    """An attribute of a class as its source says it."""

    name: str
    annotation: str
    default: str | None
    doc: str


def fields_of(module: ModuleType, class_name: str) -> tuple[str, list[Field]]:
    """The docstring of a class, and its annotated attributes with theirs.

    Raises:
        Undocumented: one of them has none.
    """
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    [found] = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name]
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
    missing = [field.name for field in fields if not field.doc]
    if missing:
        raise Undocumented(
            f"{module.__name__}.{class_name}: write a docstring below {', '.join(missing)}; "
            "the documentation is made from it."
        )
    return ast.get_docstring(found) or "", fields


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
        raise Undocumented(f"Say in WIRE_TYPES how JSON calls {annotation!r}, the type of {field.name!r}.")
    return WIRE_TYPES[annotation]


def json_schema() -> dict[str, Any]:
    (client, server, _), components = msgspec.json.schema_components(
        [protocol.ClientFrame, protocol.ServerFrame, protocol.Event], ref_template="#/$defs/{name}"
    )
    for name in ("Joined", "Events"):
        # Events are encoded once and set into frames as they are, so their Struct only says "raw JSON".
        components[name]["properties"]["events"]["items"] = {"$ref": "#/$defs/Event"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": protocol.SUBPROTOCOL,
        "$defs": {"ClientFrame": client, "ServerFrame": server, **components},
    }
