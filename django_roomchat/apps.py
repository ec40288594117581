"""Django app configuration."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoomchatConfig(AppConfig):
    name = "django_roomchat"
    label = "roomchat"
    verbose_name = _("Chat rooms")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Importing checks registers the system checks.
        from django_roomchat import checks  # noqa: F401
        from django_roomchat.identity import sessions

        sessions.connect_signals()
