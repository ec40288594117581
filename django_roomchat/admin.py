from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from django_roomchat import identity, moderation, policy, review
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import AuditEntry, Ban, HeldMessage, Message, Mute, Report, Room, Sanction

if TYPE_CHECKING:
    # Django's admin classes take no type arguments when they run.
    RoomModelAdmin = admin.ModelAdmin[Room]
    MessageModelAdmin = admin.ModelAdmin[Message]
    SanctionModelAdmin = QueueModelAdmin = admin.ModelAdmin[Any]
    AuditModelAdmin = admin.ModelAdmin[AuditEntry]
    AnyPaginator = Paginator[Any]
else:
    RoomModelAdmin = MessageModelAdmin = SanctionModelAdmin = QueueModelAdmin = AuditModelAdmin = (
        admin.ModelAdmin
    )
    AnyPaginator = Paginator

COUNTED_MAX = 10_000
"""Rows that a list counts. Who wants older ones searches for them."""


class CappedPaginator(AnyPaginator):
    """Does not count all of a long table to show the first hundred of its rows."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by()[:COUNTED_MAX].count()
        return counted


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
        # Asked with a message when a room is deleted with all that is in it; by itself none may go, it would leave a hole.
        match = request.resolver_match
        return obj is not None and match is not None and (match.url_name or "").startswith("roomchat_room_")


class _SanctionAdmin(SanctionModelAdmin):
    """Bans and mutes are made and ended through their functions, so that they take hold of open sockets at once."""

    list_display = ("__str__", "key", "reason", "created_at", "until", "by")
    list_select_related = ("room", "by")
    search_fields = ("name", "=key", "room__name")
    fields = ("room", "key", "name", "reason", "until")
    autocomplete_fields = ("room",)
    ordering = ("-pk",)
    show_full_result_count = False
    paginator = CappedPaginator
    begin: Any
    end: Any

    def get_readonly_fields(self, request: HttpRequest, obj: Sanction | None = None) -> tuple[str, ...]:
        return () if obj is None else ("room", "key")

    def changeform_view(self, request: HttpRequest, *about: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *about, **options)
        except ChatError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Sanction, form: Any, change: bool) -> None:
        target = Identity(obj.key, obj.name)
        self.begin(obj.room, target, by=_judge(request, obj.room), reason=obj.reason, until=obj.until)
        obj.pk = self.model.objects.get(room=obj.room, key=obj.key).pk

    def delete_model(self, request: HttpRequest, obj: Sanction) -> None:
        self.end(obj.room, obj.key, by=_judge(request, obj.room))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for sanction in queryset.select_related("room"):
            self.delete_model(request, sanction)


@admin.register(Ban)
class BanAdmin(_SanctionAdmin):
    begin, end = staticmethod(moderation.ban), staticmethod(moderation.unban)


@admin.register(Mute)
class MuteAdmin(_SanctionAdmin):
    begin, end = staticmethod(moderation.mute), staticmethod(moderation.unmute)


def _judge(request: HttpRequest, room: Room) -> Identity:
    """Who decides in the admin: under their own name, with the site's authority if the policy lets them moderate."""
    who = identity.of_user(request.user)
    policy.require(policy.policy().can_moderate(who, room))
    return replace(who, is_site=True)


class _Queue(admin.SimpleListFilter):
    """What waits comes first: without a choice, only that is shown."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("decided", _("decided")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            # The first is Django's “all”, which here is what waits.
            yield (
                choice
                if choice["query_string"] != changelist.get_query_string(remove=[self.parameter_name])
                else {**choice, "display": _("waiting")}
            )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        waiting = {"state__in": (Report.State.OPEN, HeldMessage.State.WAITING)}
        return queryset.exclude(**waiting) if self.value() == "decided" else queryset.filter(**waiting)


class _QueueAdmin(QueueModelAdmin):
    """What waits for a decision. It is made by the actions of the list, once."""

    list_filter = (_Queue,)
    ordering = ("pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def decide(
        self, request: HttpRequest, queryset: QuerySet[Any], decision: Callable[..., object], done: Any
    ) -> None:
        decided = 0
        for waiting in queryset:
            try:
                decision(waiting, by=request.user)
                decided += 1
            except ChatError as error:
                self.message_user(request, f"{waiting}: {error.detail}", messages.ERROR)
        if decided:
            self.message_user(request, done % {"count": decided}, messages.SUCCESS)


@admin.register(Report)
class ReportAdmin(_QueueAdmin):
    list_display = (
        "excerpt",
        "place",
        "author_name",
        "reason",
        "by_name",
        "created_at",
        "state",
        "decided_by",
    )
    list_select_related = ("room", "decided_by")
    search_fields = ("body", "author_name", "by_name", "=author_key", "=by_key", "room__name")
    actions = ("uphold", "dismiss")

    @admin.display(description=_("text"))
    def excerpt(self, report: Report) -> str:
        return Truncator(report.body).chars(100)

    @admin.display(description=_("message"))
    def place(self, report: Report) -> str:
        address = f"{report.room.get_absolute_url()}?before={report.seq + 1}#m-{report.seq}"
        return format_html('<a href="{}">{} {}</a>', address, report.room.title, report.seq)

    @admin.action(description=_("Uphold: delete the messages"), permissions=["change"])
    def uphold(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self.decide(request, queryset, review.uphold, _("%(count)d reports upheld."))

    @admin.action(description=_("Dismiss"), permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self.decide(request, queryset, review.dismiss, _("%(count)d reports dismissed."))


@admin.register(HeldMessage)
class HeldMessageAdmin(_QueueAdmin):
    list_display = ("excerpt", "room", "author_name", "reason", "created_at", "state", "decided_by")
    list_select_related = ("room", "author", "decided_by")
    search_fields = ("body", "author_name", "=author_key", "room__name")
    actions = ("release", "refuse")

    @admin.display(description=_("text"))
    def excerpt(self, held: HeldMessage) -> str:
        return Truncator(held.body).chars(100)

    @admin.action(description=_("Release: post them"), permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        self.decide(request, queryset, review.release, _("%(count)d messages released."))

    @admin.action(description=_("Refuse"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        self.decide(request, queryset, review.refuse, _("%(count)d messages refused."))


@admin.register(AuditEntry)
class AuditEntryAdmin(AuditModelAdmin):
    """Who did what. It can be read, and by nobody be changed."""

    list_display = ("at", "verb", "by_name", "target_name", "room_name", "data")
    search_fields = ("=verb", "by_name", "=by_key", "target_name", "=target_key", "=room_name")
    ordering = ("-pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False
