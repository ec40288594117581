"""The keys of the ``ROOMCHAT`` setting, with their types, defaults and documentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

FILE_TYPES = (
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/heic",
    "application/pdf",
    "text/plain",
    "application/zip",
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "audio/webm",
    "video/mp4",
    "video/ogg",
    "video/quicktime",
    "video/webm",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Keys of the ``ROOMCHAT`` setting and their defaults."""

    GROUP_NAME: str | Callable[[str], str] | None = None
    """Callable that returns the channel-layer group of a room, or its dotted path.

    It receives the canonical name of the room and returns a group name: 1 to 99 ASCII letters, digits, ``-``,
    ``_`` and ``.``.
    Several rooms may share a group, which shards the rooms over groups.
    A room for which it raises an exception or returns anything else is read from the database by the other processes.
    With ``None`` the group is ``chat_`` and the room's name, such as ``chat_lobby``, or ``chat.`` and a digest
    if that is not a valid group name.
    """

    CHANNEL_LAYER: str | Callable[[str], str] = "default"
    """Channel layer of the rooms: an alias of ``CHANNEL_LAYERS``, a callable, or its dotted path.

    The callable receives the canonical name of a room and returns an alias. Use one to spread rooms over
    several layers.
    """

    POLICY: str | type = "django_roomchat.policy.OpenPolicy"
    """Policy class that decides who may do what, or its dotted path.

    The class is a subclass of ``django_roomchat.Policy``. An answer that is neither a ``Decision`` nor a ``bool``,
    and an exception, deny the action. The default lets users and guests enter and post in every open room.
    """

    IDENTITY: str | Callable[[Any], Any] = "django_roomchat.identity.identify"
    """Callable that returns the identity of a request or connection, or its dotted path.

    It receives an ``HttpRequest`` or the ASGI ``scope`` of a connection and returns a
    ``django_roomchat.identity.Identity``. Any other answer refuses the request or the connection.
    It may use the database, and cannot be an ``async def`` function.
    """

    FILTER: str | Callable[[Any, Any, str], Any] | None = None
    """Content filter: a callable that checks each text before it is stored, or its dotted path.

    It runs in a thread. It receives the room, the author (a ``django_roomchat.identity.Identity``) and the
    text, and returns ``PASS``, ``Change``, ``Refuse`` or ``Hold`` of ``django_roomchat.filters``. A slow filter
    delays all posts to the room.
    If it raises an exception or returns anything else, the post is rejected with the error code ``unavailable``.
    """

    ALLOWED_ORIGINS: tuple[str, ...] | list[str] = ()
    """Origins whose pages may open a socket, such as ``https://app.example.com``, in addition to the site's own
    origin and ``CSRF_TRUSTED_ORIGINS``.

    Scheme, host and port are compared exactly. ``https://*.example.com`` allows every subdomain, ``*`` every
    origin.
    """

    SOCKET_PATH: str = "/ws/chat/"
    """URL path of the WebSocket routes, ending in a slash. Change it if your routing mounts them at another path."""

    ROOM_NAME_MAX_LENGTH: int = 100
    """Maximum length of a room name, in characters as typed; at most 100."""

    BODY_MAX_LENGTH: int = 4000
    """Maximum length of a message, in characters."""

    EDIT_SECONDS: int | None = None
    """Time after posting during which users may edit a message, in seconds. ``None`` sets no limit. A policy can
    override it.
    """

    EDIT_HISTORY: bool = False
    """Whether the earlier texts of an edited message are stored. The policy's ``can_see_edits`` decides who can
    read them.
    """

    MARKDOWN: bool = False
    """Whether messages are rendered as Markdown, once, when they are written. Requires ``pip install
    django-roomchat[markdown]``.
    """

    ATTACHMENTS: bool | None = None
    """Whether users may attach files. ``None`` allows it if there is a storage for them: a ``MEDIA_ROOT``, or a
    storage other than the file system.
    """

    ATTACHMENT_STORAGE: str = "default"
    """Alias in ``STORAGES`` of the storage for attachments. The server itself serves the files, so the storage
    need not be public.
    """

    ATTACHMENT_MAX_BYTES: int = 10_485_760
    """Maximum size of an attachment, in bytes."""

    ATTACHMENT_TYPES: tuple[str, ...] | list[str] = FILE_TYPES
    """Content types that users may attach. The type is detected from the content; the file name is ignored.
    ``application/octet-stream`` allows all types that are not recognised, old office documents and other archives than ZIP.

    The default allows JPEG, PNG, GIF, WebP, AVIF, HEIC, PDF, plain text, ZIP archives, and common audio and video types.
    Office documents are ``application/zip``. Images require ``pip install django-roomchat[images]``, and HEIC requires
    ``pip install django-roomchat[heif]``.
    """

    ATTACHMENT_EXTRA_TYPES: tuple[str, ...] | list[str] = ()
    """Content types that users may attach in addition to ``ATTACHMENT_TYPES``.

    Office documents before 2007 and Hangul documents are ``application/x-ole-storage``;
    ``application/x-7z-compressed``, ``application/vnd.rar`` and ``application/gzip`` are archives.
    """

    ADDRESS_MAX_UNSENT_BYTES: int | None = 1_073_741_824
    """Maximum size of the stored files that were uploaded from one IP address and not sent yet, in bytes. A further upload
    is rejected with ``rate_limited``. ``None`` sets no limit.
    """

    SITE_MAX_UNSENT_BYTES: int | None = 10_737_418_240
    """Maximum size of all stored files that were uploaded and not sent yet, in bytes. A further upload is rejected with
    ``unavailable``, and the server logs a warning. Files that were not sent within a day are deleted by
    ``roomchat_prune``. ``None`` sets no limit.
    """

    ATTACHMENTS_PER_MESSAGE: int = 10
    """Maximum number of files in a message."""

    ATTACHMENT_IMAGE_PIXELS: int = 25_000_000
    """Maximum size of an image, in pixels; for an animation, the sum over all frames and one more. A pixel of a WebP, an AVIF or
    a CMYK image counts one and a half times. Re-encoding an image takes up to 11 bytes of memory for each pixel, so
    lower the limit on machines with little memory.
    """

    ATTACHMENT_IMAGE_FRAMES: int = 500
    """Maximum number of frames of an animation. Reading stops at the first frame above it."""

    ATTACHMENT_IMAGE_SECONDS: float = 20.0
    """Maximum time for which an image is re-encoded, in seconds. After it the process of the image is killed, and the
    upload is rejected with ``too_big``.
    """

    ATTACHMENT_IMAGE_QUEUE: int = 8
    """Maximum number of images that wait for others in each process, for small and for large images alike. Further uploads
    are rejected with ``busy``; clients try again after ``retry_after``.
    """

    ATTACHMENT_IMAGE_PROCESSES: bool | None = None
    """Whether each image is re-encoded in a process of its own, so that sockets do not wait for it. ``None`` does so if the
    machine has more than one CPU.
    """

    FRAME_MAX_BYTES: int = 65_536
    """Maximum size of a client frame, in bytes. A larger frame is rejected with ``too_big`` without decoding it."""

    PAGE_MESSAGES: int = 50
    """Number of messages in a page of history."""

    RESUME_MAX_EVENTS: int = 500
    """Maximum number of missed events that a reconnecting client receives. A client that missed more receives
    the newest page instead.
    """

    RING_EVENTS: int = 512
    """Number of recent events that each process caches for every room in use. Clients that reconnect within
    this range are served without reading the log.
    """

    POLL_SECONDS: float = 5.0
    """Interval at which each process polls the database for changes in its rooms, in seconds. It bounds the
    delay of an event that the channel layer lost.
    """

    POLL_SECONDS_LAYER_DOWN: float = 1.0
    """Interval at which each process polls the database while the channel layer is down, in seconds."""

    PING_SECONDS: float = 25.0
    """Interval at which the server sends ``ping`` with the heads of a client's rooms, in seconds. Keep it below
    the idle timeout of your proxies, usually 60 seconds.
    """

    UNSEEN_MAX_BYTES: int = 262_144
    """Maximum size of the events that are sent to a client before it acknowledges them with ``seen``, in bytes.
    Further events are sent when the client has caught up.

    Some servers (daphne) buffer without limit for a client that does not read, so only ``seen`` shows that a
    client reads.
    """

    TICKET_SECONDS: int = 60
    """Lifetime of a ticket, in seconds. A ticket opens one socket for a client that cannot send a cookie."""

    GUEST_NAME_MAX_LENGTH: int = 40
    """Maximum length of a guest's display name, in characters."""

    RESERVED_NAMES: tuple[str, ...] | list[str] = ()
    """Names that guests may not use, including names that look like them. Add the name of your site.

    The names of roles (such as admin, moderator and system) and the name of erased users are always reserved, in all languages.
    """

    ACCOUNT_NAMES: str | Callable[[str], bool] | None = "django_roomchat.identity.is_account_name"
    """Callable that returns whether a name is that of an account, or its dotted path. Guests may not take such a name.

    It receives the name that a guest has chosen, and returns a bool. It runs in a thread and may use the database.
    The default compares the user name, and the names of the newest 20,000 accounts including look-alikes.
    With ``None`` the names of accounts are not compared.
    """

    SESSION_CHECK_SECONDS: float = 20.0
    """Interval at which the account and session of a signed-in socket are checked against the database, in seconds.

    Sign-outs and account changes normally take effect at once. This is the fallback for changes for which no
    signal was sent or whose notification was lost.
    """

    SLOW_SECONDS: float = 30.0
    """Time for which a client may read nothing from its send queue, in seconds. After it the socket is closed (4008)."""

    REPLIES_MAX_BYTES: int = 262_144
    """Maximum size of the responses (acks, errors) that wait in a socket's send queue, in bytes. One more closes
    the socket (4008).
    """

    SOCKET_MAX_ROOMS: int = 50
    """Maximum number of rooms that a socket can be in."""

    ROOM_MAX_INVITATIONS: int | None = 100
    """Maximum number of active invitations to a room. Users who create more are rejected with ``too_many``; the project's own
    code is not. ``None`` sets no limit.
    """

    USER_MAX_SOCKETS: int | None = 100
    """Maximum number of sockets and HTTP streams that one user or guest can have open in one process. One more is
    rejected with ``rate_limited`` (close code 4029, or 429). Each tab has one. ``None`` sets no limit.
    """

    ADDRESS_MAX_SOCKETS: int | None = 2000
    """Maximum number of sockets and HTTP streams from one IP address, which a whole school may share, in one process.
    One more is rejected with ``rate_limited`` (close code 4029, or 429). ``None`` sets no limit.
    """

    SOCKET_MAX_POSTS: int = 100
    """Maximum number of posts of one socket that wait for their commit. Further posts are rejected with ``busy``."""

    INBOX_MAX_POSTS: int = 10_000
    """Maximum number of posts in one process that wait for their commit. Further posts are rejected with ``busy``."""

    BATCH_MAX_POSTS: int = 500
    """Maximum number of posts that a group commit writes in one transaction."""

    LOCK_TIMEOUT_SECONDS: float = 2.0
    """Time for which a post waits for a room that another transaction has locked, in seconds (PostgreSQL)."""

    DRAIN_SECONDS: float = 5.0
    """Time that a process takes to shut down after SIGTERM, in seconds: it commits waiting posts, sends ``bye``
    and closes its sockets.
    """

    DRAIN_SPREAD_SECONDS: float = 5.0
    """Period over which the clients of a process that shuts down are asked to reconnect, in seconds, so that
    they do not all reconnect at once.
    """

    PRESENCE: bool = True
    """Whether the server tracks presence and sends ``presence`` frames."""

    PRESENCE_GRACE_SECONDS: float = 8.0
    """Time for which a user counts as present after the last socket has closed, in seconds. It keeps a page
    reload from showing as leaving.
    """

    PRESENCE_RENEW_SECONDS: float = 10.0
    """Interval at which each process renews its presence lease and reads presence changes of its rooms from the
    database, in seconds.
    """

    PRESENCE_LEASE_SECONDS: float = 30.0
    """Duration of a process's presence lease, in seconds. When it expires, the users of the process no longer
    count as present. Set it to several times ``PRESENCE_RENEW_SECONDS``.
    """

    TUTORIAL_DIALECT: bool = True
    """Whether sockets that request no subprotocol are accepted and use the dialect of the Channels tutorial. The
    dialect has no counterpart of ``seen``.
    """

    WEBHOOK_TIMEOUT_SECONDS: float = 10.0
    """Timeout of a webhook delivery, in seconds, from the resolution of the host name to the headers of the response.
    A delivery that exceeds it has failed and is retried later.
    """

    WEBHOOK_MAX_FAILURES: int = 80
    """Number of consecutive failures after which a webhook is disabled. Retries are up to an hour apart, so 80
    failures take about three days.
    """

    WEBHOOK_PRIVATE_ADDRESSES: bool = False
    """Whether webhooks may connect to this machine and to private networks. If enabled, users who can create
    webhooks can reach services there.
    """

    WEBHOOK_PROXY: str | None = None
    """URL of the HTTP proxy for webhook deliveries, such as ``http://proxy.internal:3128``, or ``environment`` for the
    proxy in ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``. With ``None`` deliveries are sent directly.

    A proxy resolves the host names itself, so it must refuse private networks: through a proxy the chat checks only IP
    addresses in URLs.
    """

    SEARCH_SECONDS: float = 1.0
    """Time that a search request spends on a page of results, in seconds. The next request continues where it stopped.

    On PostgreSQL it is also the statement timeout of a search with the trigram index.
    """

    POSTS_PER_USER: str | None = "30/10s"
    """Rate limit of posts and edits by one user, such as ``20/10s``, ``100/m``, ``1000/h`` or ``5000/d``: the number is
    the size of the token bucket, which refills over the period. ``None`` disables the limit.
    """

    POSTS_PER_GUEST: str | None = "15/10s"
    """Rate limit of posts and edits by one guest. ``None`` disables the limit."""

    POSTS_PER_ADDRESS: str | None = "300/10s"
    """Rate limit of posts and edits from one IP address, which a whole school may share. ``None`` disables the limit."""

    POSTS_PER_ROOM: str | None = None
    """Rate limit of posts and edits in one room. Each process counts separately unless ``RATE_CACHE`` is set. ``None``
    disables the limit.
    """

    FRAMES_PER_SOCKET: str | None = "300/10s"
    """Rate limit of frames of any type on one socket. Further frames are rejected with ``rate_limited`` without
    decoding them. ``None`` disables the limit.
    """

    REFUSALS_PER_SOCKET: str | None = "100/m"
    """Rate limit of frames on one socket that are invalid or exceed ``FRAMES_PER_SOCKET``. One more closes the
    socket (4029). ``None`` disables the limit.
    """

    FRAMES_PER_USER: str | None = "100/10s"
    """Rate limit of frames by one user, on sockets and over HTTP, other than posts, edits and joins: reactions
    and so on. ``None`` disables the limit.
    """

    FRAMES_PER_GUEST: str | None = "50/10s"
    """Rate limit of frames by one guest, on sockets and over HTTP, other than posts, edits and joins. ``None``
    disables the limit.
    """

    FRAMES_PER_ADDRESS: str | None = "1000/10s"
    """Rate limit of frames from one IP address, on sockets and over HTTP, other than posts, edits and joins.
    ``None`` disables the limit.
    """

    JOINS_PER_USER: str | None = "300/10s"
    """Rate limit of room joins by one user, over all sockets. A client that reconnects joins all its rooms at
    once. ``None`` disables the limit.
    """

    JOINS_PER_GUEST: str | None = "200/10s"
    """Rate limit of room joins by one guest, over all sockets. ``None`` disables the limit."""

    JOINS_PER_ADDRESS: str | None = "3000/10s"
    """Rate limit of room joins from one IP address. ``None`` disables the limit."""

    ROOMS_PER_USER: str | None = "30/h"
    """Rate limit of rooms created by one user. ``None`` disables the limit."""

    ROOMS_PER_GUEST: str | None = "10/h"
    """Rate limit of rooms created by one guest. ``None`` disables the limit."""

    ROOMS_PER_ADDRESS: str | None = "100/h"
    """Rate limit of rooms created from one IP address. ``None`` disables the limit."""

    UPLOADS_PER_USER: str | None = "60/10m"
    """Rate limit of files uploaded by one user. ``None`` disables the limit."""

    UPLOADS_PER_GUEST: str | None = "30/10m"
    """Rate limit of files uploaded by one guest. ``None`` disables the limit."""

    UPLOADS_PER_ADDRESS: str | None = "600/10m"
    """Rate limit of files uploaded from one IP address. ``None`` disables the limit."""

    SEARCHES_PER_USER: str | None = "60/m"
    """Rate limit of searches by one user, on sockets, over HTTP and on the search page. The page searches while the user
    types. ``None`` disables the limit.
    """

    SEARCHES_PER_GUEST: str | None = "30/m"
    """Rate limit of searches by one guest. ``None`` disables the limit."""

    SEARCHES_PER_ADDRESS: str | None = "300/m"
    """Rate limit of searches from one IP address. ``None`` disables the limit."""

    SOCKETS_PER_USER: str | None = "100/m"
    """Rate limit of sockets opened by one user. ``None`` disables the limit."""

    SOCKETS_PER_GUEST: str | None = "100/m"
    """Rate limit of sockets opened by one guest. ``None`` disables the limit."""

    SOCKETS_PER_ADDRESS: str | None = "1000/m"
    """Rate limit of sockets opened from one IP address. ``None`` disables the limit."""

    TICKETS_PER_USER: str | None = "100/m"
    """Rate limit of tickets requested by one user from ``~/ticket/``; each opens one socket. ``None`` disables the
    limit.
    """

    TICKETS_PER_GUEST: str | None = "100/m"
    """Rate limit of tickets requested by one guest. ``None`` disables the limit."""

    TICKETS_PER_ADDRESS: str | None = "1000/m"
    """Rate limit of tickets requested from one IP address. ``None`` disables the limit."""

    REPORTS_PER_USER: str | None = "30/h"
    """Rate limit of messages reported by one user. ``None`` disables the limit."""

    REPORTS_PER_GUEST: str | None = "10/h"
    """Rate limit of messages reported by one guest. ``None`` disables the limit."""

    RATE_CACHE: str | None = None
    """Alias in ``CACHES`` of a cache that the processes share for their rate limits: Redis or Memcached. With
    ``None`` each process counts separately.

    While the cache is down, each process applies its own count.
    """

    PROXIES: int = 0
    """Number of your proxies in front of the server, each of which appends the address of its client to
    ``X-Forwarded-For``. With 0 the header is ignored, and behind a proxy the rate limits for IP addresses do not apply.
    ``Forwarded`` and ``X-Real-IP`` are never read.
    """

    DATABASE_THREADS: int = 4
    """Number of threads in each process that run database queries for its sockets. Searches use at most half of them."""


KEYS = tuple(field.name for field in fields(Config))
RATES = tuple(key for key in KEYS if "_PER_" in key and not key.endswith("_PER_MESSAGE"))
"""Names of the settings that are rate limits. ``dict.fromkeys(RATES)`` disables all of them."""
