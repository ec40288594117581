"""System checks. Their ids are stable; ``docs/reference/checks.md`` documents each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.exceptions import ImproperlyConfigured
from django.db import router

from django_roomchat import conf, policy, pubsub
from django_roomchat.conf.hooks import dotted_path, is_async
from django_roomchat.database import columns_to_mend, database
from django_roomchat.files import content_types, images, storage
from django_roomchat.text import markdown

CAPACITY = 1000
POOL_VIEWS = 12
"""Connections that a pool should have for views, in addition to those of the chat's threads."""
PROBE_ROOM = "lobby"
"""Room name with which the hooks are called."""
_REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*\(?(?P<bounds>[^;)]*)")
_BOUND = re.compile(r"(>=|!=)\s*([\w.]+)")
_RELEASE = re.compile(r"\d+(?:\.\d+)*")


@register(Tags.compatibility)
def check_roomchat(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    found = list(_check_settings())
    if not found:
        found = [*_check_hooks(), *_check_layers(), *_check_site(), *_check_versions()]
    return found


@register(Tags.database)
def check_roomchat_tables(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Checks that query the database: ``manage.py check --database default``, and before each ``migrate``."""
    alias = database()
    if alias not in (databases or ()) or not (columns := columns_to_mend(alias)):
        return []
    statements = " ".join(f"ALTER TABLE {table} {', '.join(clauses)};" for table, clauses in columns.items())
    return [
        Warning(
            "Columns of the chat compare texts by a collation that takes different keys, such as two emoji, for the same.",
            hint=f"Run migrate. If its migrations are applied already, run this SQL while the site is stopped: {statements}",
            id="roomchat.W020",
        )
    ]


@register(Tags.compatibility, deploy=True)
def check_roomchat_deployment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Checks that matter only in production: ``manage.py check --deploy``."""
    return [*_check_database(), *_check_capacity(), *_check_proxies()]


def _check_database() -> Iterator[CheckMessage]:
    options: Any = settings.DATABASES.get(database(), {})
    own = options.get("OPTIONS", {})
    if options.get("ENGINE", "").endswith("sqlite3"):
        missing = [] if own.get("transaction_mode") == "IMMEDIATE" else ['"transaction_mode": "IMMEDIATE"']
        if "wal" not in str(own.get("init_command", "")).lower():
            missing.append('"init_command": "PRAGMA journal_mode=WAL;"')
        if missing:
            yield Warning(
                "The SQLite database is not configured for concurrent writes: readers wait for writers, or transactions fail.",
                hint=f"Add to OPTIONS: {{{', '.join(missing)}}}.",
                id="roomchat.W009",
            )
    if options.get("CONN_MAX_AGE", 0) != 0:
        yield Warning(
            "CONN_MAX_AGE keeps database connections open for threads that ASGI servers discard.",
            hint="Set CONN_MAX_AGE to 0; the chat's own threads keep their connections anyway. On PostgreSQL, OPTIONS may have a pool.",
            id="roomchat.W010",
        )
    yield from _check_pool(own.get("pool"))


def _check_pool(pool: Any) -> Iterator[CheckMessage]:
    if not pool:
        return
    options = pool if isinstance(pool, dict) else {}
    # The defaults of psycopg_pool.
    most = options.get("max_size") or options.get("min_size", 4)
    try:
        threads = conf.config().DATABASE_THREADS
    except ImproperlyConfigured:
        # Reported by another check.
        return
    if most < threads + POOL_VIEWS:
        yield Warning(
            f"The database's pool has {most} connections, of which the chat keeps up to {threads}: pages wait for the others.",
            hint=f'Set OPTIONS: {{"pool": {{"max_size": {threads + POOL_VIEWS}}}}} or more: ROOMCHAT[\'DATABASE_THREADS\'], and '
            "one for each request that is answered at the same time.",
            id="roomchat.W021",
        )


def _check_capacity() -> Iterator[CheckMessage]:
    try:
        chosen: Any = settings.CHANNEL_LAYERS[pubsub.layer_alias(PROBE_ROOM)]
    except Exception:
        # Reported by another check.
        return
    capacity = chosen.get("CONFIG", {}).get("capacity", 100)
    if chosen.get("BACKEND", "").startswith("channels_redis.core.") and capacity < CAPACITY:
        yield Warning(
            f"The channel layer has a capacity of {capacity} messages for each process and drops further ones silently.",
            hint=f'Set CONFIG: {{"capacity": {5 * CAPACITY}}}. Dropped messages are not lost, but delivered with the next poll.',
            id="roomchat.W011",
        )


def _check_proxies() -> Iterator[CheckMessage]:
    reads = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST", "USE_X_FORWARDED_PORT")
    used = [name for name in reads if getattr(settings, name)]
    try:
        proxies = conf.config().PROXIES
    except ImproperlyConfigured:
        # Reported by another check.
        return
    if used and not proxies:
        yield Warning(
            f"{used[0]} expects a proxy, and ROOMCHAT['PROXIES'] is 0: the rate limits for IP addresses do not apply, "
            "or count all clients of the proxy as one.",
            hint="Set it to the number of your proxies, each of which appends to X-Forwarded-For.",
            id="roomchat.W017",
        )


def _check_settings() -> Iterator[CheckMessage]:
    for problem in conf.problems(getattr(settings, "ROOMCHAT", {})):
        yield Error(problem, hint="The settings reference lists the keys of ROOMCHAT.", id="roomchat.E001")


def _check_hooks() -> Iterator[CheckMessage]:
    for key in ("POLICY", "IDENTITY", "FILTER", "GROUP_NAME", "ACCOUNT_NAMES"):
        try:
            chosen = conf.hook(key)
        except ImproperlyConfigured as error:
            yield Error(
                str(error), hint="Set it to the dotted path of an existing object.", id="roomchat.E002"
            )
            continue
        if chosen is not None and not callable(chosen):
            yield Error(
                f"ROOMCHAT[{key!r}] is {chosen!r}, which is not callable.",
                hint="Set it to a callable or to its dotted path.",
                id="roomchat.E002",
            )
        elif is_async(chosen):
            yield Error(
                f"ROOMCHAT[{key!r}] ({dotted_path(chosen)}) is asynchronous, but nothing awaits it.",
                hint="Define it with def, not async def: hooks may use the database, as they are called in a thread.",
                id="roomchat.E019",
            )
        elif key == "GROUP_NAME":
            yield from _check_group_name()
        elif key == "POLICY" and isinstance(chosen, type):
            yield from _check_policy(chosen)


def _check_policy(chosen: type) -> Iterator[CheckMessage]:
    if not issubclass(chosen, policy.Policy):
        yield Error(
            f"ROOMCHAT['POLICY'] ({dotted_path(chosen)}) is not a subclass of django_roomchat.Policy.",
            hint="Subclass Policy, or a policy of django_roomchat.",
            id="roomchat.E002",
        )
        return
    for name in (*policy.QUESTIONS, "forget"):
        for owner in chosen.__mro__:
            if is_async(vars(owner).get(name)):
                yield Error(
                    f"The policy's method {dotted_path(owner)}.{name}() is asynchronous, so it denies everything.",
                    hint="Define it with def, not async def: it may use the database, as it is called in a thread.",
                    id="roomchat.E019",
                )


def _check_group_name() -> Iterator[CheckMessage]:
    for room in (PROBE_ROOM, "한국어 방"):
        try:
            pubsub.group_name(room)
        except Exception as error:
            hint = "Build the name from a digest of the room's name, such as hashlib.sha256(name.encode()).hexdigest()[:40]."
            yield Error(
                f"ROOMCHAT['GROUP_NAME'] fails for the room {room!r}: {error}", hint=hint, id="roomchat.E003"
            )


def _check_layers() -> Iterator[CheckMessage]:
    layers = getattr(settings, "CHANNEL_LAYERS", {})
    try:
        chosen = pubsub.layer_alias(PROBE_ROOM)
    except Exception as error:
        yield Error(
            f"No channel layer is configured for the chat: {error}",
            hint='For development: CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}.',
            id="roomchat.E004",
        )
        return
    backend = layers[chosen].get("BACKEND", "")
    if backend == "channels.layers.InMemoryChannelLayer" and not settings.DEBUG:
        yield Warning(
            f"The channel layer {chosen!r} is in memory and DEBUG is off: it does not connect processes, which poll the database.",
            hint="Use channels-redis with more than one process; silence this check with exactly one.",
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
            f"redis-py {major} closes the connections of the channel layer {alias!r} after 5 idle seconds, which closes the "
            "sockets of ordinary consumers and may lose a message. The chat's own sockets are not affected.",
            hint='Set the host to {"address": "redis://…", "socket_timeout": None}.',
            id="roomchat.W006",
        )


def _times_out_when_idle(host: Any) -> bool:
    if not isinstance(host, dict):
        return "socket_timeout=" not in str(host)
    if "socket_timeout" in host:
        seconds = host["socket_timeout"]
        # The layer's own blocking read takes 5 s.
        return seconds is not None and seconds <= 5
    return "socket_timeout=" not in str(host.get("address", ""))


def _check_site() -> Iterator[CheckMessage]:
    if not getattr(settings, "ASGI_APPLICATION", None):
        yield Error(
            "ASGI_APPLICATION is not set, so runserver does not serve WebSockets.",
            hint='Set it to your ASGI application, such as "mysite.asgi.application".',
            id="roomchat.E007",
        )
    if conf.config().MARKDOWN and not markdown.is_installed():
        yield Error(
            "ROOMCHAT['MARKDOWN'] is on, but markdown-it-py and nh3 are not installed.",
            hint='Install them: python -m pip install "django-roomchat[markdown]".',
            id="roomchat.E012",
        )
    yield from _check_routers()
    yield from _check_attachments()
    if "*" in conf.config().ALLOWED_ORIGINS:
        yield Warning(
            "ROOMCHAT['ALLOWED_ORIGINS'] allows every origin: any page can open a socket with its visitor's session.",
            hint="List the origins that you trust.",
            id="roomchat.W008",
        )


def _check_routers() -> Iterator[CheckMessage]:
    alias = database()
    elsewhere = [
        model._meta.label
        for model in (get_user_model(), ContentType)
        if router.db_for_write(model) != alias or not router.allow_migrate_model(alias, model)
    ]
    if elsewhere:
        yield Warning(
            f"The chat is in the database {alias!r}, but DATABASE_ROUTERS keep {' and '.join(elsewhere)} in another one. Rows of the "
            "chat refer to users and content types, which a database cannot do across its border.",
            hint=f"Route the apps of the user model and contenttypes to {alias!r}, or the chat to their database.",
            id="roomchat.W022",
        )


def _check_attachments() -> Iterator[CheckMessage]:
    if not storage.is_enabled():
        return
    if not storage.has_location():
        yield Error(
            "ROOMCHAT['ATTACHMENTS'] is on, but no storage for files is configured.",
            hint="Set MEDIA_ROOT, or name another storage in ROOMCHAT['ATTACHMENT_STORAGE'].",
            id="roomchat.E013",
        )
    types = [*conf.config().ATTACHMENT_TYPES, *conf.config().ATTACHMENT_EXTRA_TYPES]
    if not images.is_installed() and (lost := [kind for kind in types if images.is_image(kind)]):
        yield Warning(
            f"ROOMCHAT['ATTACHMENT_TYPES'] has image types ({', '.join(lost)}), but Pillow is not installed: images are rejected.",
            hint="Install it: python -m pip install \"django-roomchat[images]\", or remove them from ROOMCHAT['ATTACHMENT_TYPES'].",
            id="roomchat.W014",
        )
    if strange := [kind for kind in types if kind not in content_types.EXTENSIONS]:
        yield Warning(
            f"ROOMCHAT['ATTACHMENT_TYPES'] or ROOMCHAT['ATTACHMENT_EXTRA_TYPES'] has types that are never detected: {', '.join(strange)}.",
            hint=f"These types are detected: {', '.join(content_types.EXTENSIONS)}.",
            id="roomchat.W015",
        )


def _check_versions() -> Iterator[CheckMessage]:
    """Compare installed packages with the metadata's requirements, those of extras that were not installed included."""
    try:
        requirements = requires("django-roomchat") or []
    except PackageNotFoundError:
        # The package is imported from a folder and was not installed.
        return
    for requirement in requirements:
        parts = _REQUIREMENT.match(requirement)
        if parts is None:
            continue
        name, bounds = parts["name"], parts["bounds"].strip()
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue
        if not _is_allowed(installed, bounds):
            yield Warning(
                f"{name} {installed} is installed, which has a published security advisory or does not work with the chat: "
                f"{name}{bounds} is required.",
                hint=f"Upgrade it: python -m pip install --upgrade {name}.",
                id="roomchat.W016",
            )


def _is_allowed(installed: str, bounds: str) -> bool:
    """Return whether a version satisfies the lower bounds and the exclusions. A pre-release counts as its release."""
    have = _release(installed)
    return all(
        have >= _release(bound) if operator == ">=" else have != _release(bound)
        for operator, bound in _BOUND.findall(bounds)
    )


def _release(text: str) -> tuple[int, ...]:
    found = _RELEASE.match(text)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
