"""Access to the storage for attachments, which is one of the project's ``STORAGES``.

Stored names are random and are not disclosed. Even if a web server publishes the whole ``MEDIA_ROOT``, the
files cannot be requested, and no name ends in ``.html``.
"""

from __future__ import annotations

import secrets
from typing import IO, Any

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, storages

from django_roomchat.conf import config

FOLDER = "roomchat"


def is_enabled() -> bool:
    """Return whether users may attach files, according to ``ROOMCHAT["ATTACHMENTS"]``."""
    chosen = config().ATTACHMENTS
    return has_location() if chosen is None else chosen


def has_location() -> bool:
    """Return whether the storage has a location.

    Django's file system storage without a ``MEDIA_ROOT`` would write to the working directory of the server.
    """
    storage = _storage()
    return not isinstance(storage, FileSystemStorage) or bool(storage.base_location)


def new_name() -> str:
    """Generate a random storage name in one of 256 directories."""
    name = secrets.token_hex(20)
    return f"{FOLDER}/{name[:2]}/{name[2:]}"


def save(name: str, content: Any) -> str:
    """Save a file.

    Args:
        name: requested storage name.
        content: a Django ``File`` or a file object.

    Returns:
        The storage name of the file, which may differ from *name*.
    """
    saved: str = _storage().save(name, content if isinstance(content, File) else File(content, name=name))
    return saved


def open_file(name: str) -> IO[bytes]:
    """Open a stored file for reading.

    Args:
        name: storage name of the file.

    Returns:
        The open file, in binary mode.

    Raises:
        FileNotFoundError: the file does not exist.
    """
    opened: Any = _storage().open(name, "rb")
    return opened  # type: ignore[no-any-return]  # Django's File has the methods that are used


def remove(name: str) -> None:
    """Delete a stored file. A missing file is not an error."""
    _storage().delete(name)


def _storage() -> Any:
    return storages[config().ATTACHMENT_STORAGE]
