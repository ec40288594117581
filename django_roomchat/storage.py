"""Where files are kept: one of the project's storages.

A file's name there is made by chance and told to nobody. So even where a web server hands out everything that is in
``MEDIA_ROOT``, nobody can ask for it, and none of it ends in ``.html``.
"""

from __future__ import annotations

import secrets
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, storages

from django_roomchat.conf import config

FOLDER = "roomchat"


def is_on() -> bool:
    """Whether people may attach files."""
    chosen = config().ATTACHMENTS
    return has_place() if chosen is None else chosen


def has_place() -> bool:
    """Whether the storage has a place. Django's own, without a ``MEDIA_ROOT``, would write into the folder that the server runs in."""
    storage = _storage()
    return not isinstance(storage, FileSystemStorage) or bool(storage.base_location)


def new_name() -> str:
    """A name that nobody guesses, in one of 256 folders."""
    name = secrets.token_hex(20)
    return f"{FOLDER}/{name[:2]}/{name[2:]}"


def save(name: str, content: Any) -> str:
    """Store a file. Returns the name that it has got, which may be another one."""
    saved: str = _storage().save(name, content if isinstance(content, File) else File(content, name=name))
    return saved


def open_file(name: str) -> IO[bytes]:
    """A file that is stored.

    Raises:
        FileNotFoundError: there is none.
    """
    opened: Any = _storage().open(name, "rb")
    return opened  # type: ignore[no-any-return]  # Django's File has all that is used of it


def remove(name: str) -> None:
    """Remove a file; one that is gone already is fine."""
    _storage().delete(name)


def _storage() -> Any:
    return storages[config().ATTACHMENT_STORAGE]
