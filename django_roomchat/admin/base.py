"""Base classes and helpers shared by the admin classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from django_roomchat import identity, policy
from django_roomchat.errors import ChatError
from django_roomchat.identity import Identity
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    Room,
)
from django_roomchat.policy import audit_trail

if TYPE_CHECKING:
    # Django's admin classes take no type arguments when they run.
    AnyModelAdmin = admin.ModelAdmin[Any]
    AuditModelAdmin = admin.ModelAdmin[AuditEntry]
    AnyPaginator = Paginator[Any]
else:
    AnyModelAdmin = AuditModelAdmin = admin.ModelAdmin
    AnyPaginator = Paginator

COUNTED_MAX = 10_000
"""Maximum number of rows that a list counts. Older rows can be found with the search."""


class CappedPaginator(AnyPaginator):
    """Counts at most ``COUNTED_MAX`` rows, because counting all rows of a long table is slow."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by()[:COUNTED_MAX].count()
        return counted


class CheckedAdmin(AnyModelAdmin):
    """Base of admin classes whose changes call the package's functions.

    Changes therefore take effect at once, are recorded in the audit trail, and can be rejected.
    """

    def changeform_view(self, request: HttpRequest, *about: Any, **options: Any) -> Any:
        return self._or_refusal(super().changeform_view, request, *about, **options)

    def delete_view(self, request: HttpRequest, *about: Any, **options: Any) -> Any:
        return self._or_refusal(super().delete_view, request, *about, **options)

    def changelist_view(self, request: HttpRequest, *about: Any, **options: Any) -> Any:
        return self._or_refusal(super().changelist_view, request, *about, **options)

    def _or_refusal(self, view: Any, request: HttpRequest, *about: Any, **options: Any) -> Any:
        try:
            return view(request, *about, **options)
        except ChatError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset.select_related("room"):
            self.delete_model(request, row)


class RecordedReadingAdmin(AnyModelAdmin):
    """Base of admin classes that show contents of rooms. Reading those of private and direct rooms is in the audit trail."""

    identified_by = "pk"
    """Attribute that identifies an object in the audit trail."""

    def changelist_view(self, request: HttpRequest, *about: Any, **options: Any) -> Any:
        response: Any = super().changelist_view(request, *about, **options)
        context: dict[str, Any] = getattr(response, "context_data", None) or {}
        if "cl" in context:
            self.record_reading(request, context["cl"].result_list)
        return response

    def get_object(self, request: HttpRequest, *about: Any) -> Any:
        # Called by every view of a single object, before the permission is checked.
        found = super().get_object(request, *about)
        if found is not None and self.has_view_permission(request, found):
            self.record_reading(request, [found])
        return found

    def record_reading(self, request: HttpRequest, rows: Iterable[Any]) -> None:
        """Record that the user of a request has read objects, for those in private and direct rooms."""
        read: dict[str, list[Any]] = {}
        for row in rows:
            if row.room.visibility != Room.Visibility.OPEN:
                known_as = getattr(row, self.identified_by)
                read.setdefault(row.room.name, []).append(
                    known_as if isinstance(known_as, int) else str(known_as)
                )
        audit_trail.record_reading(identity.of_user(request.user), str(self.opts.model_name), read)


def staff(request: HttpRequest) -> Identity:
    """Return the identity of the admin's user, under its own name and with the authority of the site."""
    return replace(identity.of_user(request.user), is_site=True)


def acting_as(
    request: HttpRequest, room: Room, permission: Literal["can_manage", "can_moderate"]
) -> Identity:
    """Return the identity for an action in the admin: the user's own, with the authority of the site.

    Args:
        request: request of the admin's user.
        room: room that the action concerns.
        permission: method of the policy that decides whether the user may act.

    Raises:
        Forbidden: the policy refuses.
    """
    policy.require(getattr(policy.policy(), permission)(identity.of_user(request.user), room))
    return staff(request)


def link_to(file: Attachment) -> str:
    """Return a link to the content of a file, as HTML."""
    address = reverse("admin:roomchat_attachment_content", args=[file.pk])
    return format_html('<a href="{}">{}</a>', address, _("View file"))


def act_on_each(
    page: Any, request: HttpRequest, chosen: Iterable[Any], act: Callable[[Any], object], done: Any
) -> None:
    """Call *act* for each chosen object, then report how many calls succeeded and why the others were
    rejected.
    """
    count = 0
    for one in chosen:
        try:
            act(one)
            count += 1
        except ChatError as error:
            page.message_user(request, f"{one}: {error.reason or error.detail}", messages.ERROR)
    if count:
        page.message_user(request, done % {"count": count}, messages.SUCCESS)
