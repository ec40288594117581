"""Links to the documentation of Python, Django and Channels, without downloading their inventories.

Only the objects to which the pages refer are listed; nitpicky mode fails the build if one is missing.
"""

import zlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

PYTHON = """
ConnectionRefusedError py:exception library/exceptions.html#$
ConnectionResetError py:exception library/exceptions.html#$
Exception py:exception library/exceptions.html#$
NotImplementedError py:exception library/exceptions.html#$
bool py:class library/functions.html#$
bytes py:class library/stdtypes.html#$
collections.abc.Iterable py:class library/collections.abc.html#$
datetime.datetime py:class library/datetime.html#$
datetime.timedelta py:class library/datetime.html#$
dict py:class library/stdtypes.html#$
float py:class library/functions.html#$
int py:class library/functions.html#$
list py:class library/stdtypes.html#$
str py:class library/stdtypes.html#$
tuple py:class library/stdtypes.html#$
typing.Any py:data library/typing.html#$
typing.Literal py:data library/typing.html#$
None py:data library/constants.html#$
"""
DJANGO = """
django.contrib.auth.base_user.AbstractBaseUser py:class topics/auth/customizing/#django.contrib.auth.models.AbstractBaseUser
django.core.exceptions.ImproperlyConfigured py:exception ref/exceptions/#$
django.db.models.Model py:class ref/models/instances/#$
django.db.models.QuerySet py:class ref/models/querysets/#$
django.dispatch.Signal py:class topics/signals/#$
django.http.request.HttpRequest py:class ref/request-response/#$
django.test.TransactionTestCase py:class topics/testing/tools/#$
"""
CHANNELS = """
channels.routing.ProtocolTypeRouter py:class topics/routing.html#protocoltyperouter
"""
SITES = {
    "python": ("https://docs.python.org/3/", PYTHON),
    "django": ("https://docs.djangoproject.com/en/stable/", DJANGO),
    "channels": ("https://channels.readthedocs.io/en/stable/", CHANNELS),
}


def write_inventories(app: Sphinx, config: Config) -> None:
    folder = Path(app.doctreedir, "inventories")
    folder.mkdir(parents=True, exist_ok=True)
    config.intersphinx_mapping = {}
    for name, (site, objects) in SITES.items():
        path = folder / f"{name}.inv"
        path.write_bytes(_inventory(name, objects))
        config.intersphinx_mapping[name] = (site, str(path))


def _inventory(project: str, objects: str) -> bytes:
    header = (
        "# Sphinx inventory version 2\n"
        f"# Project: {project}\n"
        "# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    lines = []
    for line in objects.split("\n"):
        if line:
            name, role, address = line.split()
            lines.append(f"{name} {role} 1 {address} -\n")
    return header.encode() + zlib.compress("".join(lines).encode())


def setup(app: Sphinx) -> dict[str, bool]:
    # Before intersphinx reads its configuration.
    app.connect("config-inited", write_inventories, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
