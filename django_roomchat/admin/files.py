"""Admin of attachments: files can be viewed, and removed from their messages."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_roomchat.admin.base import CappedPaginator, RecordedReadingAdmin, act_on_each, acting_as, link_to
from django_roomchat.errors import ChatError
from django_roomchat.files import http
from django_roomchat.messages import attachments
from django_roomchat.models import (
    Attachment,
    Room,
)


@admin.register(Attachment)
class AttachmentAdmin(RecordedReadingAdmin):
    """Files can be viewed here and removed from their messages."""

    list_display = ("name", "content_link", "content_type", "size", "room", "seq", "key", "created_at")
    list_select_related = ("room",)
    list_filter = ("content_type", "created_at")
    search_fields = ("name", "=key", "=room__name")
    ordering = ("-created_at",)
    actions = ("remove_from_messages",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        # Attachments without a room are about to be deleted and have no name any more.
        return super().get_queryset(request).filter(room__isnull=False)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.content)
        return [path("<uuid:id>/content/", view, name="roomchat_attachment_content"), *super().get_urls()]

    def content(self, request: HttpRequest, id: Any) -> HttpResponseBase:
        """View that serves a file to users with the permission to view attachments, whatever room it is in."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        file = get_object_or_404(self.get_queryset(request).select_related("room"), pk=id)
        self.record_reading(request, [file])
        try:
            return http.serve(request, file)
        except ChatError as error:
            raise Http404(error.detail) from error

    @admin.display(description=_("content"))
    def content_link(self, file: Attachment) -> str:
        return link_to(file)

    @admin.display(description=_("size"), ordering="bytes")
    def size(self, file: Attachment) -> str:
        return filesizeformat(file.bytes)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Attachment | None = None) -> bool:
        # A single file cannot be changed. The list's action checks the permission without an object.
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Attachment | None = None) -> bool:
        # Files are removed with the action, so that their messages do not refer to a missing file.
        return False

    @admin.action(description=_("Remove selected files from their messages"), permissions=["change"])
    def remove_from_messages(self, request: HttpRequest, queryset: QuerySet[Attachment]) -> None:
        act_on_each(
            self,
            request,
            queryset.select_related("room"),
            lambda file: attachments.remove_file(
                file, by=acting_as(request, cast(Room, file.room), "can_moderate")
            ),
            ngettext_lazy("%(count)d file removed.", "%(count)d files removed.", "count"),
        )
