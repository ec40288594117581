"""Admin of rooms and their settings, of memberships, and of invitations. Rooms are not created here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_roomchat import identity
from django_roomchat.admin.base import CappedPaginator, CheckedAdmin, acting_as, staff
from django_roomchat.identity import Identity
from django_roomchat.models import (
    Invitation,
    Membership,
    Message,
    Room,
)
from django_roomchat.rooms import invitations, members
from django_roomchat.rooms.delete import delete_room
from django_roomchat.rooms.settings import configure_room


class _RoomForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's forms take no type arguments when they run
    is_archived = forms.BooleanField(
        label=_("archived"),
        required=False,
        help_text=_("An archived room is read-only. It can be unarchived at any time."),
    )

    def __init__(self, *about: Any, **options: Any) -> None:
        super().__init__(*about, **options)
        self.initial["is_archived"] = self.instance.archived_at is not None

    class Meta:
        fields = (
            "title",
            "is_listed",
            "is_announcement",
            "tells_changes",
            "slow_seconds",
            "retention_days",
        )


@admin.register(Room)
class RoomAdmin(CheckedAdmin):
    """Settings of rooms can be changed, and rooms can be deleted with their messages."""

    form = _RoomForm
    list_display = ("title", "name", "visibility", "head", "changed_at", "created_at")
    list_filter = ("visibility",)
    list_select_related = ("log",)
    search_fields = ("name", "title")
    fields = (
        "title",
        "is_archived",
        "is_listed",
        "is_announcement",
        "tells_changes",
        "slow_seconds",
        "retention_days",
        "name",
        "visibility",
        "people",
        "head",
        "changed_at",
        "created_at",
    )
    readonly_fields = ("name", "visibility", "people", "head", "changed_at", "created_at")
    ordering = ("-log__changed_at", "-pk")
    show_full_result_count = False

    @admin.display(description=_("latest change"), ordering="log__head")
    def head(self, room: Room) -> int:
        return room.log.head

    @admin.display(description=_("changed at"), ordering="log__changed_at")
    def changed_at(self, room: Room) -> Any:
        return room.log.changed_at

    @admin.display(description=_("memberships"))
    def people(self, room: Room) -> str:
        address = reverse("admin:roomchat_membership_changelist")
        return format_html(
            '<a href="{}?room__id__exact={}">{}</a>', address, room.pk, room.memberships.count()
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A room is created by its first message or by a function of the package, not in the admin.
        return False

    def save_model(self, request: HttpRequest, obj: Room, form: Any, change: bool) -> None:
        new = {name: form.cleaned_data[name] for name in form.changed_data}
        if "retention_days" in new:
            new["retention_days"] = new["retention_days"] or 0
        configure_room(obj, by=acting_as(request, obj, "can_manage"), **new)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what is deleted with rooms as counts. Django lists every object by its text, which would show messages."""
        rooms, missing = list(objs), set()
        counts = {str(self.opts.verbose_name_plural): len(rooms)}
        for relation in Room._meta.related_objects:
            model: Any = relation.related_model
            if relation.on_delete is not models.CASCADE:
                continue
            if count := model._default_manager.filter(**{f"{relation.field.name}__in": rooms}).count():
                counts[str(model._meta.verbose_name_plural)] = count
                # A single message cannot be deleted, whatever the permission.
                if model is Message or not self.admin_site.is_registered(model):
                    continue
                if not self.admin_site.get_model_admin(model).has_delete_permission(request):
                    missing.add(str(model._meta.verbose_name))
        return [str(room) for room in rooms], counts, missing, []

    def delete_model(self, request: HttpRequest, obj: Room) -> None:
        # Nobody manages a direct room, so Django's permission to delete rooms decides alone.
        is_direct = obj.visibility == Room.Visibility.DIRECT
        delete_room(obj, by=staff(request) if is_direct else acting_as(request, obj, "can_manage"))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        for room in queryset:
            self.delete_model(request, room)


class _MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    key = forms.CharField(label=_("key"), required=False, help_text=_("Only for a guest."), max_length=100)
    name = forms.CharField(label=_("name"), required=False, help_text=_("Only for a guest."), max_length=150)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.instance.pk and not given.get("user") and not (given.get("key") and given.get("name")):
            raise forms.ValidationError(_("Choose a user, or enter the key and name of a guest."))
        return given


@admin.register(Membership)
class MembershipAdmin(CheckedAdmin):
    """Members can be added and removed, and their roles changed."""

    form = _MembershipForm
    list_display = ("__str__", "key", "role", "created_at")
    list_select_related = ("room",)
    list_filter = ("role",)
    search_fields = ("name", "=key", "room__name", "room__title")
    fields = ("room", "user", "key", "name", "role")
    autocomplete_fields = ("room",)
    raw_id_fields = ("user",)
    ordering = ("-pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup == "room__id__exact" or super().lookup_allowed(lookup, value, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return () if obj is None else ("room", "user", "key", "name")

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        manager, role = acting_as(request, obj.room, "can_manage"), form.cleaned_data["role"]
        if change:
            members.set_role(obj.room, obj.key, role, by=manager)
            return
        who = identity.of_user(obj.user) if obj.user else Identity(obj.key, obj.name)
        members.add_member(obj.room, who, by=manager, role=role)
        obj.pk = Membership.objects.get(room=obj.room, key=who.key).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove_member(obj.room, obj.key, by=acting_as(request, obj.room, "can_manage"))


@admin.register(Invitation)
class InvitationAdmin(CheckedAdmin):
    """Invitations can be viewed and revoked here. Their links cannot be read again after creation."""

    list_display = ("__str__", "role", "by", "by_key", "created_at", "expires_at", "uses_left", "revoked_at")
    list_select_related = ("room", "by")
    search_fields = ("room__name", "room__title", "=by_key")
    ordering = ("-pk",)
    actions = ("revoke",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_readonly_fields(self, request: HttpRequest, obj: Invitation | None = None) -> list[str]:
        return [field.name for field in self.model._meta.fields]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_model(self, request: HttpRequest, obj: Invitation) -> None:
        invitations.revoke_invitation(obj.room, obj.pk, by=acting_as(request, obj.room, "can_manage"))
        super().delete_model(request, obj)

    @admin.action(description=_("Revoke selected invitations"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        revoked = sum(
            invitations.revoke_invitation(one.room, one.pk, by=acting_as(request, one.room, "can_manage"))
            for one in queryset.select_related("room")
        )
        self.message_user(
            request,
            ngettext_lazy("%(count)d invitation revoked.", "%(count)d invitations revoked.", "count")
            % {"count": revoked},
        )
