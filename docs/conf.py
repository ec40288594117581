"""Sphinx configuration. The build is offline: external links use the small inventories of `_ext/inventories.py`."""

import sys
from pathlib import Path

import django
from django.conf import settings

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

# autodoc imports the package's modules, some of which define models, so Django must be configured.
settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django_roomchat"],
    USE_I18N=False,
)
django.setup()

import django_roomchat  # noqa: E402  (after the settings)

project = "django-roomchat"
author = "django-roomchat contributors"
copyright = "django-roomchat contributors"
release = version = django_roomchat.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.intersphinx",
    "sphinx.ext.napoleon",
    "inventories",
    "package_reference",
]
exclude_patterns = ["_build", "_css", "_ext"]
templates_path: list[str] = []

nitpicky = True
nitpick_ignore = [
    # Docstrings of public functions refer to this internal function.
    ("py:func", "django_roomchat.log.append"),
    # Annotations are strings with "from __future__ import annotations".
    ("py:class", "collections.abc.Iterator"),
    ("py:class", "collections.abc.Mapping"),
]
nitpick_ignore_regex = [
    # Objects of the protocol, which are documented in reference/wire.md.
    (
        "py:class",
        r"django_roomchat\.protocol\.\w+\.(EarlierText|FileToPost|Hit|ListedRoom|Marked|Person)",
    ),
]
smartquotes = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
python_use_unqualified_type_names = True

html_theme = "furo"
html_static_path = ["_css"]
html_css_files = ["tables.css"]
html_title = f"django-roomchat {release}"
html_copy_source = False
html_show_sphinx = False
