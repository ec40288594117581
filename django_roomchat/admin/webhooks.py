"""Admin of outgoing and incoming webhooks. Their secrets are shown once, when they are created."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet, URLField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from django_roomchat.admin.base import CappedPaginator, CheckedAdmin, acting_as
from django_roomchat.models import (
    IncomingHook,
    Webhook,
)
from django_roomchat.webhooks import http_client, incoming, outgoing


class _HookAdmin(CheckedAdmin):
    """Webhooks. They are created and ended with the package's functions, which write the audit trail."""

    autocomplete_fields = ("room",)
    ordering = ("-pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*self.shown_fields, "room")

    shown_fields: tuple[str, ...] = ()
    """Fields shown for an existing object."""

    def show_secret(self, request: HttpRequest, what: Any, secret: str) -> None:
        sentence = format_html("{} <code>{}</code> {}", what, secret, _("It will not be shown again."))
        self.message_user(request, sentence, messages.WARNING)


@admin.register(Webhook)
class WebhookAdmin(_HookAdmin):
    """Outgoing webhooks can be created, paused, retried and deleted."""

    # Before Django 6.0, http is the default scheme, with a deprecation warning.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}  # noqa: RUF012  (as Django has it)
    list_display = ("room", "url", "is_active", "waiting", "failures", "last_error", "next_try_at")
    list_select_related = ("room__log",)
    list_filter = ("is_active",)
    search_fields = ("url", "room__name", "room__title")
    shown_fields = ("url", "cursor", "failures", "last_error", "next_try_at", "created_at")
    actions = ("resume",)

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        return ("room", "url") if obj is None else ("room", "is_active", *self.shown_fields)

    @admin.display(description=_("pending changes"))
    def waiting(self, webhook: Webhook) -> int:
        return max(0, webhook.room.log.head - webhook.cursor)

    @admin.action(description=_("Retry selected webhooks now"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset.select_related("room"):
            outgoing.resume_webhook(webhook, by=acting_as(request, webhook.room, "can_manage"))

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if not change:
            made = outgoing.make_webhook(obj.room, obj.url, by=acting_as(request, obj.room, "can_manage"))
            obj.pk = made.pk
            self.show_secret(request, _("Signing secret for the receiver:"), made.secret)
            for caution in http_client.cautions(made.url):
                self.message_user(request, caution, messages.WARNING)
        elif "is_active" in form.changed_data:
            switch = outgoing.resume_webhook if obj.is_active else outgoing.pause_webhook
            switch(obj, by=acting_as(request, obj.room, "can_manage"))

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        outgoing.remove_webhook(obj, by=acting_as(request, obj.room, "can_manage"))


@admin.register(IncomingHook)
class IncomingHookAdmin(_HookAdmin):
    """Incoming webhooks can be created, revoked and deleted."""

    list_display = ("name", "room", "is_active", "used_at", "created_at")
    list_select_related = ("room",)
    list_filter = ("is_active",)
    search_fields = ("name", "room__name", "room__title")
    shown_fields = ("name", "is_active", "used_at", "created_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: IncomingHook | None = None) -> tuple[str, ...]:
        return ("room", "name") if obj is None else ("room", *self.shown_fields)

    @admin.action(description=_("Revoke selected webhooks"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[IncomingHook]) -> None:
        for hook in queryset.select_related("room"):
            incoming.revoke_incoming_hook(hook, by=acting_as(request, hook.room, "can_manage"))

    def save_model(self, request: HttpRequest, obj: IncomingHook, form: Any, change: bool) -> None:
        made, token = incoming.make_incoming_hook(
            obj.room, obj.name, by=acting_as(request, obj.room, "can_manage")
        )
        obj.pk = made.pk
        address = request.build_absolute_uri(reverse("roomchat:hook", args=[token]))
        self.show_secret(request, _("URL of the webhook:"), address)

    def has_change_permission(self, request: HttpRequest, obj: IncomingHook | None = None) -> bool:
        # A hook is created, revoked or deleted, not changed. The list's action checks the permission without
        # an object.
        return obj is None and super().has_change_permission(request)

    def delete_model(self, request: HttpRequest, obj: IncomingHook) -> None:
        incoming.remove_incoming_hook(obj, by=acting_as(request, obj.room, "can_manage"))
