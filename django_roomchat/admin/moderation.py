"""Admin of bans, mutes, reports, held messages and the audit trail.

Reports and held messages are queues: an action of the list decides about each row once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db import router, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_roomchat.admin.base import (
    AuditModelAdmin,
    CappedPaginator,
    CheckedAdmin,
    RecordedReadingAdmin,
    act_on_each,
    acting_as,
    link_to,
    staff,
)
from django_roomchat.files import records
from django_roomchat.identity import Identity
from django_roomchat.models import (
    AbstractSanction,
    AuditEntry,
    Ban,
    Decision,
    HeldMessage,
    Mute,
    Report,
)
from django_roomchat.moderation import held, reports, sanctions
from django_roomchat.policy import audit_trail


class _SanctionAdmin(CheckedAdmin):
    """Bans and mutes are created and ended with the package's functions, so that they apply to open sockets
    at once.
    """

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

    def get_readonly_fields(
        self, request: HttpRequest, obj: AbstractSanction | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else ("room", "key")

    def save_model(self, request: HttpRequest, obj: AbstractSanction, form: Any, change: bool) -> None:
        target = Identity(obj.key, obj.name)
        self.begin(
            obj.room,
            target,
            by=acting_as(request, obj.room, "can_moderate"),
            reason=obj.reason,
            until=obj.until,
        )
        obj.pk = self.model.objects.get(room=obj.room, key=obj.key).pk

    def delete_model(self, request: HttpRequest, obj: AbstractSanction) -> None:
        self.end(obj.room, obj.key, by=acting_as(request, obj.room, "can_moderate"))


@admin.register(Ban)
class BanAdmin(_SanctionAdmin):
    """Bans can be created, extended and lifted."""

    begin, end = staticmethod(sanctions.ban), staticmethod(sanctions.unban)


@admin.register(Mute)
class MuteAdmin(_SanctionAdmin):
    """Mutes can be created, extended and lifted."""

    begin, end = staticmethod(sanctions.mute), staticmethod(sanctions.unmute)


class _Queue(admin.SimpleListFilter):
    """List filter that shows pending objects unless another choice is made."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("decided", _("decided")), ("all", _("all"))]

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            # The first choice is Django's “all”, which is used for the pending ones here.
            yield (
                choice
                if choice["query_string"] != changelist.get_query_string(remove=[self.parameter_name])
                else {**choice, "display": _("pending")}
            )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "all":
            return queryset
        waiting = {"state__in": (Report.State.OPEN, HeldMessage.State.WAITING)}
        return queryset.exclude(**waiting) if self.value() == "decided" else queryset.filter(**waiting)


class _QueueAdmin(RecordedReadingAdmin):
    """Objects that wait for a decision, which an action of the list makes once."""

    list_filter = (_Queue,)
    ordering = ("pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        decision = [field.name for field in Decision._meta.fields]
        others = [field.name for field in self.model._meta.fields if field.name not in decision]
        return [*others, *decision]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        author = Identity(obj.author_key, obj.author_name)
        verb = f"delete_{self.opts.model_name}"
        with transaction.atomic(using=router.db_for_write(self.model)):
            audit_trail.record(verb, staff(request), room=obj.room.name, target=author, state=obj.state)
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for waiting in queryset.select_related("room"):
            self.delete_model(request, waiting)

    def decide(
        self, request: HttpRequest, queryset: QuerySet[Any], decision: Callable[..., object], done: Any
    ) -> None:
        act_on_each(self, request, queryset, lambda waiting: decision(waiting, by=request.user), done)


@admin.register(Report)
class ReportAdmin(_QueueAdmin):
    """Reports of messages can be upheld, which deletes the message, or dismissed."""

    identified_by = "seq"
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

    @admin.action(description=_("Uphold selected reports and delete the messages"), permissions=["change"])
    def uphold(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self.decide(
            request,
            queryset,
            reports.uphold,
            ngettext_lazy("%(count)d report upheld.", "%(count)d reports upheld.", "count"),
        )

    @admin.action(description=_("Dismiss selected reports"), permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        self.decide(
            request,
            queryset,
            reports.dismiss,
            ngettext_lazy("%(count)d report dismissed.", "%(count)d reports dismissed.", "count"),
        )


@admin.register(HeldMessage)
class HeldMessageAdmin(_QueueAdmin):
    """Messages held by the content filter can be released, which posts them, or rejected."""

    list_display = (
        "excerpt",
        "sent_files",
        "room",
        "author_name",
        "reason",
        "created_at",
        "state",
        "decided_by",
    )
    list_select_related = ("room", "author", "decided_by")
    search_fields = ("body", "author_name", "=author_key", "room__name")
    actions = ("release", "refuse")

    @admin.display(description=_("text"))
    def excerpt(self, message: HeldMessage) -> str:
        return Truncator(message.body).chars(100)

    @admin.display(description=_("files"))
    def sent_files(self, message: HeldMessage) -> str:
        if not message.files:
            return ""
        ids = [file["id"] for file in message.files]
        there = records.rows().filter(pk__in=ids, room=message.room).order_by("created_at")
        return format_html_join(", ", "{} {}", ((file.name, link_to(file)) for file in there))

    @admin.action(description=_("Release and post selected messages"), permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        self.decide(
            request,
            queryset,
            held.release,
            ngettext_lazy("%(count)d message released.", "%(count)d messages released.", "count"),
        )

    @admin.action(description=_("Reject selected messages"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        self.decide(
            request,
            queryset,
            held.refuse,
            ngettext_lazy("%(count)d message rejected.", "%(count)d messages rejected.", "count"),
        )


@admin.register(AuditEntry)
class AuditEntryAdmin(AuditModelAdmin):
    """The audit trail. Entries can be viewed and cannot be changed."""

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
