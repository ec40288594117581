from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet, URLField
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import filesizeformat
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from django_roomchat import identity, policy
from django_roomchat.errors import ChatError
from django_roomchat.files import http, records
from django_roomchat.identity import Identity
from django_roomchat.messages import attachments
from django_roomchat.models import (
    Attachment,
    AuditEntry,
    Ban,
    HeldMessage,
    IncomingHook,
    Invitation,
    Membership,
    Message,
    Mute,
    Report,
    Room,
    Sanction,
    Webhook,
)
from django_roomchat.moderation import reports, sanctions
from django_roomchat.moderation.held import refuse as held_refuse
from django_roomchat.moderation.held import release as held_release
from django_roomchat.rooms import invitations, members
from django_roomchat.rooms.settings import configure_room
from django_roomchat.webhooks import incoming, outgoing

if TYPE_CHECKING:
    # Django's admin classes take no type arguments when they run.
    MessageModelAdmin = admin.ModelAdmin[Message]
    AnyModelAdmin = admin.ModelAdmin[Any]
    QueueModelAdmin = admin.ModelAdmin[Any]
    HookModelAdmin = admin.ModelAdmin[Any]
    FileModelAdmin = admin.ModelAdmin[Attachment]
    AuditModelAdmin = admin.ModelAdmin[AuditEntry]
    AnyPaginator = Paginator[Any]
else:
    AnyModelAdmin = MessageModelAdmin = QueueModelAdmin = AuditModelAdmin = admin.ModelAdmin
    HookModelAdmin = FileModelAdmin = admin.ModelAdmin
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


class _ThroughActions(AnyModelAdmin):
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
class RoomAdmin(_ThroughActions):
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
        configure_room(obj, by=_manager(request, obj), **new)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Room]) -> None:
        queryset.delete()


class _MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    key = forms.CharField(label=_("key"), required=False, help_text=_("Only for a guest."), max_length=100)
    name = forms.CharField(label=_("name"), required=False, help_text=_("Only for a guest."), max_length=150)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.instance.pk and not given.get("user") and not (given.get("key") and given.get("name")):
            raise forms.ValidationError(_("Choose a user, or enter the key and name of a guest."))
        return given


@admin.register(Membership)
class MembershipAdmin(_ThroughActions):
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
        manager, role = _manager(request, obj.room), form.cleaned_data["role"]
        if change:
            members.set_role(obj.room, obj.key, role, by=manager)
            return
        who = identity.of_user(obj.user) if obj.user else Identity(obj.key, obj.name)
        members.add_member(obj.room, who, by=manager, role=role)
        obj.pk = Membership.objects.get(room=obj.room, key=who.key).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        members.remove_member(obj.room, obj.key, by=_manager(request, obj.room))


@admin.register(Invitation)
class InvitationAdmin(_ThroughActions):
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

    @admin.action(description=_("Revoke selected invitations"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        revoked = sum(
            invitations.revoke_invitation(one.room, one.pk, by=_manager(request, one.room))
            for one in queryset.select_related("room")
        )
        self.message_user(
            request,
            ngettext_lazy("%(count)d invitation revoked.", "%(count)d invitations revoked.", "count")
            % {"count": revoked},
        )


def _manager(request: HttpRequest, room: Room) -> Identity:
    """Return the identity for managing a room in the admin: the user's own, with the site's authority if the
    policy lets them manage.
    """
    who = identity.of_user(request.user)
    policy.require(policy.policy().can_manage(who, room))
    return replace(who, is_site=True)


@admin.register(Message)
class MessageAdmin(MessageModelAdmin):
    """Messages can be viewed here. They are changed only by functions of the package, which keep the
    numbering without gaps.
    """

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
        # Called with a message when a room is deleted with its contents. A single message cannot be deleted,
        # which would leave a gap.
        match = request.resolver_match
        return obj is not None and match is not None and (match.url_name or "").startswith("roomchat_room_")


@admin.register(Attachment)
class AttachmentAdmin(FileModelAdmin):
    """Files can be viewed here and removed from their messages."""

    list_display = ("name", "look", "content_type", "size", "room", "seq", "key", "created_at")
    list_select_related = ("room",)
    list_filter = ("content_type", "created_at")
    search_fields = ("name", "=key", "=room__name")
    ordering = ("-created_at",)
    actions = ("take_down",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        # Attachments without a room are about to be deleted and have no name any more.
        return super().get_queryset(request).filter(room__isnull=False)

    def get_urls(self) -> list[Any]:
        look = self.admin_site.admin_view(self.content)
        return [path("<uuid:id>/content/", look, name="roomchat_attachment_content"), *super().get_urls()]

    def content(self, request: HttpRequest, id: Any) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return http.serve(request, get_object_or_404(self.get_queryset(request), pk=id))
        except ChatError as error:
            raise Http404(error.detail) from error

    @admin.display(description=_("content"))
    def look(self, file: Attachment) -> str:
        return _link_to(file)

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
    def take_down(self, request: HttpRequest, queryset: QuerySet[Attachment]) -> None:
        _one_by_one(
            self,
            request,
            queryset.select_related("room"),
            lambda file: attachments.take_down_file(file, by=_judge(request, cast(Room, file.room))),
            ngettext_lazy("%(count)d file removed.", "%(count)d files removed.", "count"),
        )


def _link_to(file: Attachment) -> str:
    address = reverse("admin:roomchat_attachment_content", args=[file.pk])
    return format_html('<a href="{}">{}</a>', address, _("View file"))


class _SanctionAdmin(_ThroughActions):
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

    def get_readonly_fields(self, request: HttpRequest, obj: Sanction | None = None) -> tuple[str, ...]:
        return () if obj is None else ("room", "key")

    def save_model(self, request: HttpRequest, obj: Sanction, form: Any, change: bool) -> None:
        target = Identity(obj.key, obj.name)
        self.begin(obj.room, target, by=_judge(request, obj.room), reason=obj.reason, until=obj.until)
        obj.pk = self.model.objects.get(room=obj.room, key=obj.key).pk

    def delete_model(self, request: HttpRequest, obj: Sanction) -> None:
        self.end(obj.room, obj.key, by=_judge(request, obj.room))


@admin.register(Ban)
class BanAdmin(_SanctionAdmin):
    begin, end = staticmethod(sanctions.ban), staticmethod(sanctions.unban)


@admin.register(Mute)
class MuteAdmin(_SanctionAdmin):
    begin, end = staticmethod(sanctions.mute), staticmethod(sanctions.unmute)


def _judge(request: HttpRequest, room: Room) -> Identity:
    """Return the identity for moderating in the admin: the user's own, with the site's authority if the
    policy lets them moderate.
    """
    who = identity.of_user(request.user)
    policy.require(policy.policy().can_moderate(who, room))
    return replace(who, is_site=True)


def _one_by_one(
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
            page.message_user(request, f"{one}: {error.detail}", messages.ERROR)
    if count:
        page.message_user(request, done % {"count": count}, messages.SUCCESS)


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


class _QueueAdmin(QueueModelAdmin):
    """Objects that wait for a decision, which an action of the list makes once."""

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
        _one_by_one(self, request, queryset, lambda waiting: decision(waiting, by=request.user), done)


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
    def excerpt(self, held: HeldMessage) -> str:
        return Truncator(held.body).chars(100)

    @admin.display(description=_("files"))
    def sent_files(self, held: HeldMessage) -> str:
        if not held.files:
            return ""
        ids = [file["id"] for file in held.files]
        there = records.rows().filter(pk__in=ids, room=held.room).order_by("created_at")
        return format_html_join(", ", "{} {}", ((file.name, _link_to(file)) for file in there))

    @admin.action(description=_("Release and post selected messages"), permissions=["change"])
    def release(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        self.decide(
            request,
            queryset,
            held_release,
            ngettext_lazy("%(count)d message released.", "%(count)d messages released.", "count"),
        )

    @admin.action(description=_("Reject selected messages"), permissions=["change"])
    def refuse(self, request: HttpRequest, queryset: QuerySet[HeldMessage]) -> None:
        self.decide(
            request,
            queryset,
            held_refuse,
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


class _HookAdmin(HookModelAdmin):
    """Webhooks. They are created and ended with the package's functions, which write the audit trail."""

    autocomplete_fields = ("room",)
    ordering = ("-pk",)
    show_full_result_count = False
    paginator = CappedPaginator

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else (*self.told, "room")

    told: tuple[str, ...] = ()
    """Fields shown for an existing object."""

    def changeform_view(self, request: HttpRequest, *about: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *about, **options)
        except ChatError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for hook in queryset.select_related("room"):
            self.delete_model(request, hook)

    def tell_once(self, request: HttpRequest, what: Any, secret: str) -> None:
        sentence = format_html("{} <code>{}</code> {}", what, secret, _("It will not be shown again."))
        self.message_user(request, sentence, messages.WARNING)


@admin.register(Webhook)
class WebhookAdmin(_HookAdmin):
    # Before Django 6.0, http is the default scheme, with a deprecation warning.
    formfield_overrides = {URLField: {"assume_scheme": "https"}}  # noqa: RUF012  (as Django has it)
    list_display = ("room", "url", "is_active", "waiting", "failures", "last_error", "next_try_at")
    list_select_related = ("room__log",)
    list_filter = ("is_active",)
    search_fields = ("url", "room__name", "room__title")
    told = ("url", "cursor", "failures", "last_error", "next_try_at", "created_at")
    actions = ("resume",)

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> tuple[str, ...]:
        return ("room", "url") if obj is None else ("room", "is_active", *self.told)

    @admin.display(description=_("pending changes"))
    def waiting(self, webhook: Webhook) -> int:
        return max(0, webhook.room.log.head - webhook.cursor)

    @admin.action(description=_("Retry selected webhooks now"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset:
            outgoing.resume_webhook(webhook)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if not change:
            made = outgoing.make_webhook(obj.room, obj.url, by=_judge(request, obj.room))
            obj.pk = made.pk
            self.tell_once(request, _("Signing secret for the receiver:"), made.secret)
        elif "is_active" in form.changed_data:
            # Update only this field: a worker may be writing the others.
            if obj.is_active:
                outgoing.resume_webhook(obj)
            else:
                Webhook.objects.filter(pk=obj.pk).update(is_active=False)

    def delete_model(self, request: HttpRequest, obj: Webhook) -> None:
        outgoing.remove_webhook(obj, by=_judge(request, obj.room))


@admin.register(IncomingHook)
class IncomingHookAdmin(_HookAdmin):
    list_display = ("name", "room", "is_active", "used_at", "created_at")
    list_select_related = ("room",)
    list_filter = ("is_active",)
    search_fields = ("name", "room__name", "room__title")
    told = ("name", "is_active", "used_at", "created_at")
    actions = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: IncomingHook | None = None) -> tuple[str, ...]:
        return ("room", "name") if obj is None else ("room", *self.told)

    @admin.action(description=_("Revoke selected webhooks"), permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[IncomingHook]) -> None:
        for hook in queryset.select_related("room"):
            incoming.revoke_incoming_hook(hook, by=_judge(request, hook.room))

    def save_model(self, request: HttpRequest, obj: IncomingHook, form: Any, change: bool) -> None:
        made, token = incoming.make_incoming_hook(obj.room, obj.name, by=_judge(request, obj.room))
        obj.pk = made.pk
        address = request.build_absolute_uri(reverse("roomchat:hook", args=[token]))
        self.tell_once(request, _("URL of the webhook:"), address)

    def has_change_permission(self, request: HttpRequest, obj: IncomingHook | None = None) -> bool:
        # A hook is created, revoked or deleted, not changed. The list's action checks the permission without
        # an object.
        return obj is None and super().has_change_permission(request)

    def delete_model(self, request: HttpRequest, obj: IncomingHook) -> None:
        incoming.revoke_incoming_hook(obj, by=_judge(request, obj.room))
        super().delete_model(request, obj)
