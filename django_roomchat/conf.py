"""The ``ROOMCHAT`` setting: every key, its type, its default and what it does."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

FILE_TYPES = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "application/pdf",
    "text/plain",
    "application/zip",
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    GROUP_NAME: str | Callable[[str], str] | None = None
    """Names the channel-layer group of a room: a callable, or the dotted path of one.

    It is given the room's canonical name and returns a group name (ASCII letters, digits, ``-``, ``_`` and ``.``, under 100 characters).
    Several rooms may share a group: that is sharding.
    ``None`` is the built-in rule: ``chat_lobby`` where the name allows it, else ``chat.`` and a digest."""

    CHANNEL_LAYER: str | Callable[[str], str] = "default"
    """Which channel layer carries a room: an alias of ``CHANNEL_LAYERS``, a callable, or the dotted path of one.

    The callable is given the room's canonical name and returns an alias."""

    POLICY: str | type = "django_roomchat.policy.OpenPolicy"
    """Who may do what: a class, or the dotted path of one, that answers the questions of ``django_roomchat.policy.Policy``."""

    IDENTITY: str | Callable[[Any], Any] = "django_roomchat.identity.identify"
    """Who speaks: a callable, or the dotted path of one.

    It is given an ``HttpRequest`` or a connection's ASGI ``scope`` and returns a ``django_roomchat.identity.Identity``.
    It may use the database."""

    FILTER: str | Callable[[Any, Any, str], Any] | None = None
    """Looks at what people write before it is stored: a callable, or the dotted path of one.

    It is given the room, the author (a ``django_roomchat.identity.Identity``) and the text, in a thread, and answers with
    one of ``django_roomchat.filters``: ``PASS``, ``Change``, ``Refuse`` or ``Hold``. It has to be quick: it holds up its room.
    Where it fails, its message is answered with ``unavailable``."""

    ALLOWED_ORIGINS: tuple[str, ...] | list[str] = ()
    """Origins besides the site's own and ``CSRF_TRUSTED_ORIGINS`` whose pages may open a socket, such as ``https://app.example.com``.

    Scheme, host and port are compared exactly; ``https://*.example.com`` admits every subdomain, ``*`` every page that has an origin."""

    SOCKET_PATH: str = "/ws/chat/"
    """Where the page finds the websocket routes, ending in a slash. Change it when your routing mounts them elsewhere."""

    ROOM_NAME_MAX_LENGTH: int = 100
    """The longest room name, in characters as typed (at most 100)."""

    BODY_MAX_LENGTH: int = 4000
    """The longest message, in characters."""

    EDIT_SECONDS: int | None = None
    """For how long after posting it people may edit a message; ``None`` for ever. Policies may say otherwise."""

    EDIT_HISTORY: bool = False
    """Whether an edited message keeps what it said before, for those to whom the policy shows it (``can_see_edits``)."""

    MARKDOWN: bool = False
    """Whether texts are Markdown, rendered once when they are written. It needs ``pip install django-roomchat[markdown]``."""

    ATTACHMENTS: bool | None = None
    """Whether people may attach files. ``None``: where there is a place for them, which is a ``MEDIA_ROOT`` or a storage that is not the file system."""

    ATTACHMENT_STORAGE: str = "default"
    """The alias in ``STORAGES`` of where files are kept. Nobody needs to reach it but the server: it hands files out itself."""

    ATTACHMENT_MAX_BYTES: int = 10_485_760
    """The largest file, in bytes."""

    ATTACHMENT_TYPES: tuple[str, ...] | list[str] = FILE_TYPES
    """The types of files that are taken. What a file is, its content tells and not its name; ``application/octet-stream`` is anything else.

    By default JPEG, PNG, GIF and WebP, PDF, texts, zip archives, and the common kinds of audio and video. Documents of office
    programs are ``application/zip``. Images need ``pip install django-roomchat[images]``."""

    ATTACHMENTS_PER_MESSAGE: int = 10
    """Files of one message."""

    ATTACHMENT_IMAGE_PIXELS: int = 50_000_000
    """The largest image, in pixels; all frames of an animation together. It takes up to eight bytes of memory for each while it is made safe."""

    FRAME_MAX_BYTES: int = 65_536
    """The largest frame that a client may send, in bytes. A larger one is answered with ``too_big`` and not read."""

    PAGE_MESSAGES: int = 50
    """Messages on a page of history."""

    RESUME_MAX_EVENTS: int = 500
    """The most events that a returning client is sent one by one. Who missed more is told to start over."""

    RING_EVENTS: int = 512
    """Recent events that each process keeps ready for every room in use."""

    POLL_SECONDS: float = 5.0
    """How often each process compares its rooms with the database, in case the channel layer lost something."""

    POLL_SECONDS_LAYER_DOWN: float = 1.0
    """The same while the channel layer is known to be down."""

    PING_SECONDS: float = 25.0
    """How often a client hears the positions of its rooms. Below the 60 s after which proxies cut silent connections."""

    UNSEEN_MAX_BYTES: int = 262_144
    """Events, in bytes, that a client may have been sent without saying ``seen``. It gets the rest when it has caught up.

    Some servers (daphne) take everything for a client that reads nothing, so only the client's word tells."""

    TICKET_SECONDS: int = 60
    """How long a ticket opens a socket, for clients that cannot bring a cookie."""

    GUEST_NAME_MAX_LENGTH: int = 40
    """The longest name that a guest may choose, in characters."""

    RESERVED_NAMES: tuple[str, ...] | list[str] = ("admin", "administrator", "moderator", "staff", "support")
    """Names that no guest may have, nor anything that looks like one; put that of your site here."""

    SESSION_CHECK_SECONDS: float = 20.0
    """How often it is compared with the database whether the account and the session of a signed-in socket are still good.

    Sign-outs and changes of accounts are told at once; this is for those of which nobody told, or whose telling got lost."""

    SLOW_SECONDS: float = 30.0
    """How long a client may take nothing of what waits for it before its socket is closed (4008)."""

    REPLIES_MAX_BYTES: int = 262_144
    """Answers (acks, errors) that may wait for a client that does not read them, in bytes. One more closes its socket (4008)."""

    SOCKET_MAX_ROOMS: int = 50
    """Rooms that one socket may be in."""

    SOCKET_MAX_POSTS: int = 100
    """Posts of one socket that may wait for their commit. One more is answered with ``busy``."""

    INBOX_MAX_POSTS: int = 10_000
    """Posts of one process that may wait for their commit. One more is answered with ``busy``."""

    BATCH_MAX_POSTS: int = 500
    """Posts that are committed in one transaction."""

    LOCK_TIMEOUT_SECONDS: float = 2.0
    """How long a post waits for a room that somebody else has locked (PostgreSQL)."""

    DRAIN_SECONDS: float = 5.0
    """How long a process that is told to end (SIGTERM) takes to commit what waits, say goodbye and close its sockets."""

    DRAIN_SPREAD_SECONDS: float = 5.0
    """Over which time the clients of a process that ends are asked to come back, so that they do not all come at once."""

    PRESENCE: bool = True
    """Whether processes keep and tell who is in which room."""

    PRESENCE_GRACE_SECONDS: float = 8.0
    """How long somebody whose last socket is gone still counts as being in the room: who reloads the page has not left."""

    PRESENCE_RENEW_SECONDS: float = 10.0
    """How often each process says that it is alive, and compares who is in its rooms with the database."""

    PRESENCE_LEASE_SECONDS: float = 30.0
    """A process that has not said so for this long is taken for dead, and nobody is anywhere through it. Several renewals long."""

    TUTORIAL_DIALECT: bool = True
    """Whether sockets that ask for no subprotocol are let in, and speak the tutorial's dialect. It has no word like ``seen``."""

    WEBHOOK_TIMEOUT_SECONDS: float = 10.0
    """How long the receiver of a webhook may take for its answer. After that the delivery has failed, and is tried again later."""

    WEBHOOK_MAX_FAILURES: int = 80
    """Failures in a row after which a webhook is switched off. Tries are up to an hour apart, so 80 are about three days."""

    WEBHOOK_PRIVATE_ADDRESSES: bool = False
    """Whether webhooks may lead to this machine and to private networks. Whoever can make webhooks can then reach what is there."""

    SEARCH_SECONDS: float = 1.0
    """How long a search looks for a page of hits. What it has not looked through by then is looked through when it is asked to go on."""

    POSTS_PER_USER: str | None = "30/10s"
    """Posts of one user, such as ``20/10s``, ``100/m``, ``1000/h`` or ``5000/d``: so many at once, and then as fast as that. ``None`` is off."""

    POSTS_PER_GUEST: str | None = "15/10s"
    """Posts of one guest."""

    POSTS_PER_ADDRESS: str | None = "300/10s"
    """Posts from one address, behind which there may be a whole school."""

    POSTS_PER_ROOM: str | None = None
    """Posts in one room, counted by each process, and together where there is a ``RATE_CACHE``."""

    FRAMES_PER_SOCKET: str | None = "300/10s"
    """Frames of one socket, of any kind. More are answered with ``rate_limited`` and not read."""

    REFUSALS_PER_SOCKET: str | None = "100/m"
    """Frames of one socket that are none, or come too often. One more closes it (4029)."""

    FRAMES_PER_USER: str | None = "100/10s"
    """Frames of one user, on sockets and over HTTP, that neither post nor join: edits, reactions and the like."""

    FRAMES_PER_GUEST: str | None = "50/10s"
    """The same of one guest."""

    FRAMES_PER_ADDRESS: str | None = "1000/10s"
    """The same from one address."""

    JOINS_PER_USER: str | None = "300/10s"
    """Rooms that one user enters, on all of their sockets. Who comes back enters all of them at once."""

    JOINS_PER_GUEST: str | None = "200/10s"
    """Rooms that one guest enters."""

    JOINS_PER_ADDRESS: str | None = "3000/10s"
    """Rooms that are entered from one address."""

    ROOMS_PER_USER: str | None = "30/h"
    """Rooms that one user makes."""

    ROOMS_PER_GUEST: str | None = "10/h"
    """Rooms that one guest makes."""

    ROOMS_PER_ADDRESS: str | None = "100/h"
    """Rooms that are made from one address."""

    UPLOADS_PER_USER: str | None = "60/10m"
    """Files that one user uploads."""

    UPLOADS_PER_GUEST: str | None = "30/10m"
    """Files that one guest uploads."""

    UPLOADS_PER_ADDRESS: str | None = "600/10m"
    """Files that are uploaded from one address."""

    SOCKETS_PER_USER: str | None = "100/m"
    """Sockets that one user opens."""

    SOCKETS_PER_GUEST: str | None = "100/m"
    """Sockets that one guest opens."""

    SOCKETS_PER_ADDRESS: str | None = "1000/m"
    """Sockets that are opened from one address."""

    REPORTS_PER_USER: str | None = "30/h"
    """Messages that one user reports."""

    REPORTS_PER_GUEST: str | None = "10/h"
    """Messages that one guest reports."""

    RATE_CACHE: str | None = None
    """The alias in ``CACHES`` through which processes count together what they limit; Redis or Memcached. ``None``: each for itself.

    A cache that is down lets pass what the process's own count lets pass."""

    PROXIES: int = 0
    """How many proxies of yours stand before the server, each of which adds to ``X-Forwarded-For``. 0: the header is not read."""

    DATABASE_THREADS: int = 4
    """Threads of one process that work on the database for its sockets."""


_ORIGIN = re.compile(r"https?://[^/?#@\s]+")
_CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")

_OPTIONAL_NUMBERS = ("EDIT_SECONDS",)
KEYS = tuple(field.name for field in fields(Config))
RATES = tuple(key for key in KEYS if "_PER_" in key and not key.endswith("_PER_MESSAGE"))
"""The settings that are rates. ``dict.fromkeys(RATES)`` switches all limits off."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many at once, and then as fast as that."""

    count: int
    seconds: float

    @property
    def gap(self) -> float:
        """The time in which one more may follow."""
        return self.seconds / self.count

    @property
    def span(self) -> float:
        """What a bucket holds, in seconds, with room for what is lost by rounding."""
        return self.seconds + 1e-6


_RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})?([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_rate(written: str) -> Rate:
    """A rate such as ``20/10s``.

    Raises:
        ValueError: it is none.
    """
    found = _RATE.fullmatch(written)
    if found is None:
        raise ValueError(f"{written!r} is no rate such as '20/10s'.")
    count, seconds, unit = found.groups()
    return Rate(int(count), float(int(seconds or 1) * _UNITS[unit]))


def _is_rate(value: Any) -> bool:
    return isinstance(value, str) and _RATE.fullmatch(value) is not None


def problems(user: Any) -> list[str]:
    """What is wrong with the ``ROOMCHAT`` setting *user*, a sentence each."""
    if not isinstance(user, Mapping):
        return [f"ROOMCHAT must be a dict of settings, not {type(user).__name__}."]
    found = []
    for key, value in user.items():
        if key not in KEYS:
            nearest = get_close_matches(str(key).upper(), KEYS, n=1, cutoff=0.5)
            right = f"did you mean {nearest[0]!r}?" if nearest else f"the keys are {', '.join(KEYS)}."
            found.append(f"ROOMCHAT has no key {key!r}: {right}")
        elif (sort := _wrong_sort(key, value)) is not None:
            found.append(f"ROOMCHAT[{key!r}] must be {sort}, not {value!r}.")
    return found


def _wrong_sort(key: str, value: Any) -> str | None:
    """What ``ROOMCHAT[key]`` must be, if *value* is not."""
    default = getattr(Config(), key)
    if key in ("GROUP_NAME", "CHANNEL_LAYER", "POLICY", "IDENTITY", "FILTER"):
        right = callable(value) or isinstance(value, str) or (value is None and default is None)
        return None if right else "a callable or a dotted path"
    if key == "ALLOWED_ORIGINS":
        right = isinstance(value, (tuple, list)) and all(
            isinstance(origin, str) and (origin == "*" or _ORIGIN.fullmatch(origin)) for origin in value
        )
        return (
            None
            if right
            else "a list of origins, a scheme and a host and perhaps a port each, and no slash at the end"
        )
    if key == "RESERVED_NAMES":
        right = isinstance(value, (tuple, list)) and all(isinstance(name, str) for name in value)
        return None if right else "a list of names"
    if key == "ATTACHMENTS":
        return None if value is None or isinstance(value, bool) else "True, False or None"
    if key == "ATTACHMENT_STORAGE":
        right = isinstance(value, str) and value in settings.STORAGES
        return None if right else "an alias of STORAGES"
    if key == "ATTACHMENT_TYPES":
        right = isinstance(value, (tuple, list)) and all(
            isinstance(kind, str) and _CONTENT_TYPE.fullmatch(kind) for kind in value
        )
        return None if right else 'a list of content types such as "image/png"'
    if key == "SOCKET_PATH":
        right = isinstance(value, str) and value.startswith("/") and value.endswith("/")
        return None if right else "a path that starts and ends with a slash"
    if key in RATES:
        right = value is None or _is_rate(value)
        return None if right else 'a rate such as "20/10s" or "100/m" (s, m, h, d), or None'
    if key == "RATE_CACHE":
        right = value is None or (isinstance(value, str) and value in settings.CACHES)
        return None if right else "an alias of CACHES, or None"
    if key == "PROXIES":
        right = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return None if right else "a whole number, 0 or more"
    if key in _OPTIONAL_NUMBERS and value is None:
        return None
    if key in _OPTIONAL_NUMBERS:
        default = 1
    if isinstance(default, bool):
        return None if isinstance(value, bool) else "True or False"
    if isinstance(value, bool) or not isinstance(value, (int, type(default))) or not 0 < value < math.inf:
        return "a whole number above 0" if isinstance(default, int) else "a number of seconds above 0"
    if key == "ROOM_NAME_MAX_LENGTH" and value > 100:
        return "at most 100, the width of its column"
    return None


@cache
def config() -> Config:
    """The settings in force.

    Raises:
        ImproperlyConfigured: ``ROOMCHAT`` has an unknown key or a value of the wrong kind.
    """
    user = getattr(settings, "ROOMCHAT", {})
    if found := problems(user):
        raise ImproperlyConfigured(" ".join(found))
    return Config(**user)


@cache
def hook(key: str) -> Any:
    """The object that ``ROOMCHAT[key]`` is, or that its dotted path names.

    Raises:
        ImproperlyConfigured: the path cannot be imported.
    """
    value = getattr(config(), key)
    if not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as error:
        raise ImproperlyConfigured(
            f"ROOMCHAT[{key!r}] is {value!r}, which cannot be imported: {error}"
        ) from error


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "ROOMCHAT":
        config.cache_clear()
        hook.cache_clear()


setting_changed.connect(_forget, dispatch_uid="django_roomchat.conf")
