"""Generates the reference of settings, frames, close codes and error codes from the package's source.

The output is not committed, so it cannot become outdated.
A setting or a field without a docstring fails the build.
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from package_source import WIRE, Field, Undocumented, fields_of, json_schema, sent_close_codes, wire_type
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

import django_roomchat
from django_roomchat import errors, protocol
from django_roomchat.conf import keys

PACKAGE = Path(django_roomchat.__file__).parent


def _indent(text: str, by: int = 3) -> str:
    return textwrap.indent(text, " " * by)


class Generated(SphinxDirective):
    """Base of the directives whose content is generated from the package."""

    def rst(self) -> str:
        raise NotImplementedError(f"{type(self).__name__} does not define rst().")

    def run(self) -> list[nodes.Node]:
        for source in PACKAGE.rglob("*.py"):
            self.env.note_dependency(str(source))
        for source in Path(__file__).parent.glob("*.py"):
            self.env.note_dependency(str(source))
        try:
            return self.parse_text_to_nodes(self.rst())
        except Undocumented as error:
            raise ExtensionError(str(error)) from error


# Settings -------------------------------------------------------------------------------------------------------


class Settings(Generated):
    """Directive ``.. roomchat-settings::``: all settings with type, default and docstring."""

    def rst(self) -> str:
        _, fields = fields_of(keys, "Config")
        return "\n".join(self._setting(field) for field in fields)

    def _setting(self, field: Field) -> str:
        if field.default is None:
            raise Undocumented(f"ROOMCHAT[{field.name!r}] has no default.")
        head = (
            f".. confval:: {field.name}\n   :type: ``{field.annotation}``\n   :default: ``{field.default}``\n"
        )
        return f"{head}\n{_indent(field.doc)}\n"


# The wire -------------------------------------------------------------------------------------------------------


class Wire(Generated):
    """Directive ``.. roomchat-wire:: client``, or another key of `WIRE`: the frames or objects of that group."""

    required_arguments = 1

    def rst(self) -> str:
        return "\n".join(self._struct(name) for name in WIRE[self.arguments[0]])

    def _struct(self, name: str) -> str:
        doc, fields = fields_of(protocol, name)
        if not doc:
            raise Undocumented(
                f"django_roomchat.protocol.{name}: write a docstring; the documentation is generated from it."
            )
        kind = self.arguments[0]
        if kind in ("client", "server"):
            tag = getattr(protocol, name).__struct_config__.tag
            head = f".. {kind}-frame:: {tag}"
        else:
            head = f".. wire-object:: {name}"
        return "\n".join([head, "", _indent(doc), "", *(_indent(self._field(field)) for field in fields)])

    def _field(self, field: Field) -> str:
        optional = "" if field.default is None else ", may be absent"
        return f"``{field.name}`` : {wire_type(field)}{optional}\n{_indent(field.doc)}\n"


class Schema(SphinxDirective):
    """Directive ``.. roomchat-schema::``: the JSON Schema of all frames."""

    def run(self) -> list[nodes.Node]:
        text = json.dumps(json_schema(), indent=2, ensure_ascii=False)
        block = nodes.literal_block(text, text)
        block["language"] = "json"
        return [block]


class CloseCodes(Generated):
    """Directive ``.. roomchat-close-codes::``: the codes that the server sends."""

    def rst(self) -> str:
        rows = [".. list-table::", "   :header-rows: 1", "", "   * - code", "     - reason"]
        for code in sorted(sent_close_codes()):
            rows += [f"   * - ``{code}``", f"     - {protocol.CLOSE_CODES[code]}"]
        return "\n".join(rows)


# Errors ---------------------------------------------------------------------------------------------------------


class ErrorCodes(Generated):
    """Directive ``.. roomchat-error-codes::``: the error classes with code, HTTP status and meaning."""

    def rst(self) -> str:
        rows = [
            ".. list-table::",
            "   :header-rows: 1",
            "",
            "   * - code",
            "     - HTTP",
            "     - exception",
            "     - meaning",
        ]
        meanings = dict(re.findall(r"── (\w+) +\w+ +(.+)", errors.__doc__ or ""))
        for error in _subclasses(errors.ChatError):
            if error.__name__ not in meanings:
                raise Undocumented(
                    f"Add {error.__name__} to the tree at the top of django_roomchat/errors.py."
                )
            rows += [
                f"   * - ``{error.code}``",
                f"     - {error.status}",
                f"     - :py:exc:`~django_roomchat.errors.{error.__name__}`",
                f"     - {meanings[error.__name__]}",
            ]
        return "\n".join(rows)


def _subclasses(error: type[errors.ChatError]) -> Iterator[type[errors.ChatError]]:
    for child in error.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _subclasses(child)


# Re-exported names -----------------------------------------------------------------------------------------------


def resolve_reexported(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.TextElement
) -> nodes.Element | None:
    """Resolve a reference to the module that defines an object by the shorter name under which it is documented.

    Type hints name ``django_roomchat.models.rooms.Room``; the reference documents ``django_roomchat.models.Room``.
    """
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target.startswith(f"{django_roomchat.__name__}."):
        return None
    *modules, name = target.split(".")
    domain = env.domains["py"]
    for length in range(len(modules) - 1, 0, -1):
        shorter = ".".join([*modules[:length], name])
        found = domain.resolve_xref(
            env, node["refdoc"], app.builder, node["reftype"], shorter, node, contnode
        )
        if found is not None:
            return found
    return None


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("missing-reference", resolve_reexported)
    app.add_directive("roomchat-settings", Settings)
    app.add_directive("roomchat-wire", Wire)
    app.add_directive("roomchat-schema", Schema)
    app.add_directive("roomchat-close-codes", CloseCodes)
    app.add_directive("roomchat-error-codes", ErrorCodes)
    app.add_object_type("client-frame", "client-frame", "pair: %s; frame of the client")
    app.add_object_type("server-frame", "server-frame", "pair: %s; frame of the server")
    app.add_object_type("wire-object", "wire-object", "pair: %s; object of the wire")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
