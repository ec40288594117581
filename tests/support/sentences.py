"""The translatable texts of the package, extracted from its sources with Django alone."""

import ast
import re
from pathlib import Path

from django.utils.translation.template import templatize

from tests.services.server import ROOT

PACKAGE = ROOT / "django_roomchat"

Sentence = tuple[str, ...]
"""A text, or a text and its plural."""

_ONE = {"_", "gettext", "gettext_lazy", "gettext_noop"}
_COUNTED = {"ngettext", "ngettext_lazy"}
_IN_TEMPLATE = re.compile(
    r"""(?:n?gettext)\(u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")(?:, ?u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"))?"""
)


def sentences() -> set[Sentence]:
    found: set[Sentence] = set()
    for path in PACKAGE.rglob("*.py"):
        found |= of_python(path)
    for path in PACKAGE.rglob("*.html"):
        found |= of_template(path.read_text())
    return found


def of_python(path: Path) -> set[Sentence]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = tuple(
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and isinstance(each.value, str)
            )
            if node.func.id in _ONE:
                found.add(texts[:1])
            if node.func.id in _COUNTED:
                found.add(texts[:2])
    return found - {()}


def of_template(source: str) -> set[Sentence]:
    """Extract as ``makemessages`` does: Django converts a template to calls of gettext first."""
    return {
        tuple(ast.literal_eval(text) for text in found if text)
        for found in _IN_TEMPLATE.findall(templatize(source))
    }
