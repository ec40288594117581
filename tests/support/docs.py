"""Pages of the documentation as text."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text()


def section(name: str, heading: str) -> str:
    """Return the text under a heading of a page, up to the next heading of the same level."""
    [after] = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text(name), re.MULTILINE | re.DOTALL)
    return after
