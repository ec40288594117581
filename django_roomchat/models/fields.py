"""``KeyField``: the field type of texts that identify something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

BINARY_COLLATION = "utf8mb4_bin"

if TYPE_CHECKING:
    # The plugin of mypy knows Django's fields, of which the types of columns are derived.
    KeyField = models.CharField
else:

    class KeyField(models.CharField):
        """Text that identifies something, such as a room name, the key of a person or an emoji.

        Two texts that differ are different keys on every database. MySQL and MariaDB compare text by a collation, of which the usual
        ones ignore case, diacritics and most emoji, so the column has a binary collation there.
        """

        def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
            parameters: dict[str, Any] = super().db_parameters(connection)
            if connection.vendor == "mysql":
                parameters["collation"] = BINARY_COLLATION
            return parameters

        def deconstruct(self) -> Any:
            name, path, args, kwargs = super().deconstruct()
            # Migrations import the field from the package of the models, as they import Django's fields.
            return name, path.replace("models.fields.", "models."), args, kwargs
