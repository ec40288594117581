from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_roomchat.models import Message, Room

if TYPE_CHECKING:
    # Django's admin classes take no type arguments when they run.
    RoomModelAdmin = admin.ModelAdmin[Room]
    MessageModelAdmin = admin.ModelAdmin[Message]
else:
    RoomModelAdmin = MessageModelAdmin = admin.ModelAdmin


@admin.register(Room)
class RoomAdmin(RoomModelAdmin):
    list_display = ("title", "name", "head", "changed_at", "created_at")
    list_select_related = ("log",)
    search_fields = ("name", "title")
    readonly_fields = ("name", "head", "changed_at", "created_at")
    ordering = ("-log__changed_at", "-pk")
    show_full_result_count = False

    @admin.display(description=_("last change"), ordering="log__head")
    def head(self, room: Room) -> int:
        return room.log.head

    @admin.display(description=_("changed at"), ordering="log__changed_at")
    def changed_at(self, room: Room) -> Any:
        return room.log.changed_at

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A room comes into being with its first message.
        return False


@admin.register(Message)
class MessageAdmin(MessageModelAdmin):
    """Messages can be read here. Their numbers are a promise, so they are written through the actions only."""

    list_display = ("__str__", "room", "seq", "author_name", "kind", "created_at")
    list_select_related = ("room",)
    list_filter = ("kind", "created_at")
    search_fields = ("body", "author_name", "=author_key")
    raw_id_fields = ("room", "author")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).defer("data")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Message | None = None) -> bool:
        # Asked with a message when a room is deleted with all that is in it; by itself none may go, it would leave a hole.
        match = request.resolver_match
        return obj is not None and match is not None and (match.url_name or "").startswith("roomchat_room_")
