"""The identifier of the database, with which messages on the channel layer are marked."""

from __future__ import annotations

import uuid

from django.db import models


class Installation(models.Model):
    """The only row: a random UUID that tells this database from those of other sites on the same channel layer."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    uuid = models.UUIDField(default=uuid.uuid4, editable=False)

    class Meta:
        # Nobody edits the row, so the admin does not offer permissions for it.
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.uuid)
