"""System checks. Each has an id that stays, says what is wrong, and hints at what would be right; ``docs/reference/checks.md`` lists them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured

from django_roomchat import bus, conf, images, markdown, sniffing, storage
from django_roomchat.counter import database

CAPACITY = 1000
PROBE_ROOM = "lobby"
"""A name for which the hooks are tried."""


@register(Tags.compatibility)
def check_roomchat(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found = list(_check_settings())
    if not found:
        found = [*_check_hooks(), *_check_layers(), *_check_site()]
    return found


@register(Tags.compatibility, deploy=True)
def check_roomchat_deployment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What only matters when many people come: ``manage.py check --deploy``."""
    return [*_check_database(), *_check_capacity()]


def _check_database() -> Iterator[CheckMessage]:
    options: Any = settings.DATABASES.get(database(), {})
    own = options.get("OPTIONS", {})
    if options.get("ENGINE", "").endswith("sqlite3"):
        missing = [] if own.get("transaction_mode") == "IMMEDIATE" else ['"transaction_mode": "IMMEDIATE"']
        if "wal" not in str(own.get("init_command", "")).lower():
            missing.append('"init_command": "PRAGMA journal_mode=WAL;"')
        if missing:
            yield Warning(
                "SQLite is not set up for many who write: readers wait for writers, or transactions fail that read first.",
                hint=f"OPTIONS: {{{', '.join(missing)}}}.",
                id="roomchat.W009",
            )
    if options.get("CONN_MAX_AGE", 0) != 0:
        yield Warning(
            "CONN_MAX_AGE keeps connections of threads that ASGI servers throw away.",
            hint="Set it to 0; the chat's own threads keep theirs anyway. On PostgreSQL, OPTIONS may have a pool.",
            id="roomchat.W010",
        )


def _check_capacity() -> Iterator[CheckMessage]:
    try:
        chosen: Any = settings.CHANNEL_LAYERS[bus.layer_alias(PROBE_ROOM)]
    except Exception:
        # Another check says what is wrong.
        return
    capacity = chosen.get("CONFIG", {}).get("capacity", 100)
    if chosen.get("BACKEND", "").startswith("channels_redis.core.") and capacity < CAPACITY:
        yield Warning(
            f"The channel layer holds {capacity} messages for a process, and drops the next ones without a word.",
            hint=f'Nothing is lost, but late until the next poll. CONFIG: {{"capacity": {5 * CAPACITY}}}.',
            id="roomchat.W011",
        )


def _check_settings() -> Iterator[CheckMessage]:
    for problem in conf.problems(getattr(settings, "ROOMCHAT", {})):
        yield Error(
            problem, hint="The keys of ROOMCHAT are listed in the settings reference.", id="roomchat.E001"
        )


def _check_hooks() -> Iterator[CheckMessage]:
    for key in ("POLICY", "IDENTITY", "FILTER", "GROUP_NAME"):
        try:
            chosen = conf.hook(key)
        except ImproperlyConfigured as error:
            yield Error(str(error), hint="Give the dotted path of something that exists.", id="roomchat.E002")
            continue
        if chosen is not None and not callable(chosen):
            yield Error(
                f"ROOMCHAT[{key!r}] is {chosen!r}, which cannot be called.",
                hint="Give a callable, or the dotted path of one.",
                id="roomchat.E002",
            )
        elif key == "GROUP_NAME":
            yield from _check_group_name()


def _check_group_name() -> Iterator[CheckMessage]:
    for room in (PROBE_ROOM, "한국어 방"):
        try:
            bus.group_name(room)
        except Exception as error:
            hint = "Build it of a digest of the room's name, such as hashlib.sha256(name.encode()).hexdigest()[:40]."
            yield Error(
                f"ROOMCHAT['GROUP_NAME'] fails for the room {room!r}: {error}", hint=hint, id="roomchat.E003"
            )


def _check_layers() -> Iterator[CheckMessage]:
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    try:
        chosen = bus.layer_alias(PROBE_ROOM)
    except Exception as error:
        yield Error(
            f"There is no channel layer for the chat: {error}",
            hint='Day one: CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}.',
            id="roomchat.E004",
        )
        return
    backend = layers[chosen].get("BACKEND", "")
    if backend == "channels.layers.InMemoryChannelLayer" and not settings.DEBUG:
        yield Warning(
            f"The channel layer {chosen!r} is in memory, so each process only hears itself and polls for the rest.",
            hint="With more than one process use channels-redis; with exactly one, silence this check.",
            id="roomchat.W005",
        )
    if backend == "channels_redis.core.RedisChannelLayer":
        yield from _check_redis(chosen, layers[chosen].get("CONFIG", {}))


def _check_redis(alias: str, options: dict[str, Any]) -> Iterator[CheckMessage]:
    try:
        major = int(version("redis").partition(".")[0])
    except (PackageNotFoundError, ValueError):
        return
    hosts = options.get("hosts") or ["redis://localhost:6379"]
    if major >= 8 and any(_times_out_when_idle(host) for host in hosts):
        yield Warning(
            f"redis-py {major} drops the connections of the channel layer {alias!r} after 5 idle seconds, which ends the "
            "sockets of ordinary consumers and may lose a message. The chat's own sockets survive it.",
            hint='Write the host as {"address": "redis://…", "socket_timeout": None}.',
            id="roomchat.W006",
        )


def _times_out_when_idle(host: Any) -> bool:
    if not isinstance(host, dict):
        return "socket_timeout=" not in str(host)
    if "socket_timeout" in host:
        seconds = host["socket_timeout"]
        # The layer itself waits 5 s for a message.
        return seconds is not None and seconds <= 5
    return "socket_timeout=" not in str(host.get("address", ""))


def _check_site() -> Iterator[CheckMessage]:
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield Error(
            "ASGI_APPLICATION is not set, so runserver does not serve sockets.",
            hint='Set it to your application, such as "mysite.asgi.application".',
            id="roomchat.E007",
        )
    if conf.config().MARKDOWN and not markdown.is_installed():
        yield Error(
            "ROOMCHAT['MARKDOWN'] is on, but markdown-it-py and nh3 are not installed.",
            hint='python -m pip install "django-roomchat[markdown]"',
            id="roomchat.E012",
        )
    yield from _check_attachments()
    if "*" in conf.config().ALLOWED_ORIGINS:
        yield Warning(
            "ROOMCHAT['ALLOWED_ORIGINS'] admits every site: any page can open a socket as its visitor.",
            hint="List the origins that you trust.",
            id="roomchat.W008",
        )


def _check_attachments() -> Iterator[CheckMessage]:
    if not storage.is_on():
        return
    if not storage.has_place():
        yield Error(
            "ROOMCHAT['ATTACHMENTS'] is on, but there is no place for files.",
            hint="Set MEDIA_ROOT, or name another storage in ROOMCHAT['ATTACHMENT_STORAGE'].",
            id="roomchat.E013",
        )
    types = conf.config().ATTACHMENT_TYPES
    if not images.is_installed() and (lost := [kind for kind in types if images.is_image(kind)]):
        yield Warning(
            f"Files can be attached, but no images ({', '.join(lost)}): Pillow is not installed.",
            hint="python -m pip install \"django-roomchat[images]\", or leave them out of ROOMCHAT['ATTACHMENT_TYPES'].",
            id="roomchat.W014",
        )
    if strange := [kind for kind in types if kind not in sniffing.ENDINGS]:
        yield Warning(
            f"ROOMCHAT['ATTACHMENT_TYPES'] has {', '.join(strange)}, and no content is recognised as that.",
            hint=f"These are recognised: {', '.join(sniffing.ENDINGS)}.",
            id="roomchat.W015",
        )
