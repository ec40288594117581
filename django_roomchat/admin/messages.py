"""Admin of messages, which can be read and searched; reading those of private rooms is recorded. Changes are made in the room, so that its log records them."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from django_roomchat.admin.base import CappedPaginator, RecordedReadingAdmin
from django_roomchat.models import (
    Message,
)


@admin.register(Message)
class MessageAdmin(RecordedReadingAdmin):
    """Messages can be viewed here. They are changed only by functions of the package, which keep the
    numbering without gaps.
    """

    identified_by = "seq"
    list_display = ("__str__", "room", "seq", "author_name", "kind", "created_at")
    list_select_related = ("room",)
    list_filter = ("kind", "created_at")
    search_fields = ("body", "author_name", "=author_key")
    raw_id_fields = ("room", "author")
    ordering = ("-pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).defer("data")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        # A single message cannot be deleted, which would leave a gap.
        return False
