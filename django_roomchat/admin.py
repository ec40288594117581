from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_roomchat import actions
from django_roomchat.identity import Identity
from django_roomchat.models import Ban, Message, Room

if TYPE_CHECKING:
    # Django's admin classes take no type arguments when they run.
    RoomModelAdmin = admin.ModelAdmin[Room]
    MessageModelAdmin = admin.ModelAdmin[Message]
    BanModelAdmin = admin.ModelAdmin[Ban]
else:
    RoomModelAdmin = MessageModelAdmin = BanModelAdmin = admin.ModelAdmin


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


@admin.register(Ban)
class BanAdmin(BanModelAdmin):
    """Bans are made and ended through the actions, so that they take hold of open sockets at once."""

    list_display = ("name", "key", "room", "reason", "created_at", "until", "by")
    list_select_related = ("room", "by")
    search_fields = ("name", "=key", "room__name")
    fields = ("room", "key", "name", "reason", "until")
    autocomplete_fields = ("room",)
    ordering = ("-pk",)

    def get_readonly_fields(self, request: HttpRequest, obj: Ban | None = None) -> tuple[str, ...]:
        return () if obj is None else ("room", "key")

    def save_model(self, request: HttpRequest, obj: Ban, form: Any, change: bool) -> None:
        shut_out = Identity(obj.key, obj.name)
        actions.ban(obj.room, shut_out, by=request.user, reason=obj.reason, until=obj.until)
        obj.pk = Ban.objects.get(room=obj.room, key=obj.key).pk

    def delete_model(self, request: HttpRequest, obj: Ban) -> None:
        actions.unban(obj.room, obj.key, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Ban]) -> None:
        for ban in queryset.select_related("room"):
            self.delete_model(request, ban)
