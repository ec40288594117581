"""Content of a post: content filter, files, mentions and Markdown.

It is checked and rendered once, before the message is stored, so that reading it needs no further work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop as _

from django_roomchat import filters, log
from django_roomchat.conf import config
from django_roomchat.database import database
from django_roomchat.errors import BadFile, BadValue, ChatError, Forbidden, Held
from django_roomchat.files import records
from django_roomchat.identity import Identity
from django_roomchat.messages import mentions
from django_roomchat.messages.types import NewPost
from django_roomchat.models import HeldMessage, Message, Room
from django_roomchat.protocol import FileToPost
from django_roomchat.rooms.lookup import (
    ensure_room,
)
from django_roomchat.text import markdown, validation


def rendered_data(body: str, room: Room) -> dict[str, Any]:
    """Return the data derived from a text: its mentions, and its HTML if the Markdown extra is enabled."""
    data: dict[str, Any] = {}
    html = rendered_html(body)
    if found := mentions.mentions_in(room, body, html):
        data["mentions"] = found
    if html is not None:
        data["html"] = html
    return data


def rendered_html(body: str) -> str | None:
    """Return the HTML of a text; ``None`` for a plain text, and without the Markdown extra."""
    return markdown.html(body) if config().MARKDOWN else None


def with_files(post: NewPost, draft: log.Draft, room: Room) -> log.Draft:
    """Return the draft with the descriptions of its files. Raise if a file does not exist."""
    try:
        sent = records.describe(room, None if post.who.is_site else post.who.key, draft.files)
    except BadFile:
        if _is_stored(draft, room):
            return draft
        raise
    return replace(draft, data={**draft.data, "files": sent})


def _is_stored(draft: log.Draft, room: Room) -> bool:
    """Return whether an earlier attempt stored this message. Such a post is acknowledged whatever the checks return now."""
    stored = Message.objects.using(database()).filter(room_id=room.pk, author_key=draft.author_key)
    return stored.filter(client_id=draft.client_id).exists()


def filtered(post: NewPost, draft: log.Draft, room: Room) -> log.Draft:
    """Return the draft as the content filter changed it. Raise if the filter refuses or holds it."""
    try:
        if draft.files:
            _ask_about_names(post, draft, room)
        if draft.files and not draft.body:
            return draft
        answer = _passed(filters.ask(room, post.who, draft.body), draft, room)
    except ChatError:
        if _is_stored(draft, room):
            return draft
        raise
    return draft if answer is None else replace(draft, typed=draft.body, body=answer.body)


def _passed(answer: Any, draft: log.Draft, room: Room) -> Any:
    """Return the filter's answer. Raise if it refuses or holds the message."""
    if isinstance(answer, filters.Refuse):
        raise Forbidden(answer.sentence, code=answer.code)
    if isinstance(answer, filters.Hold):
        raise _held(draft, answer.reason, room)
    return answer


def _ask_about_names(post: NewPost, draft: log.Draft, room: Room) -> None:
    """Pass file names and descriptions to the content filter. Raise unless it passes them: they cannot be changed."""
    texts = [text for file in draft.data.get("files", ()) for text in (file["name"], file.get("alt")) if text]
    answer = filters.ask(room, post.who, "\n".join(texts)) if texts else None
    if _passed(answer, draft, room) is not None:
        raise Forbidden(_("This file name or description is not allowed here."), code="filtered")


def _held(draft: log.Draft, reason: str, room: Room) -> ChatError:
    """Store the message for moderation, once for each client id, and return the error for its author."""
    values = {
        "author_id": draft.author_id,
        "author_name": draft.author_name,
        "body": draft.body,
        "reply_to": draft.reply_to,
        "reason": str(reason)[: validation.REASON_MAX_LENGTH],
        "files": [{"id": file.id, "alt": file.alt} for file in draft.files],
    }
    pk = (room if room.pk is not None else ensure_room(room)).pk
    if draft.files:
        records.reserve_for_held_post(draft.files, draft.client_id)
    held, _is_new = HeldMessage.objects.using(database()).get_or_create(
        values, room_id=pk, author_key=draft.author_key, client_id=draft.client_id
    )
    if held.state == HeldMessage.State.REFUSED:
        return Forbidden(_("A moderator has rejected this message."), code="filtered")
    return Held(_("Your message is waiting for a moderator's approval."))


def chosen_files(given: Sequence[FileToPost]) -> tuple[FileToPost, ...]:
    """Return the validated files of a post. Raise if there are too many or an id is invalid or repeated."""
    most = config().ATTACHMENTS_PER_MESSAGE
    if len(given) > most:
        raise BadValue(_("A message can have at most %(most)d files."), most=most, code="too_many")
    ids = [records.parse_id(file.id) for file in given]
    if None in ids or len(set(ids)) < len(ids):
        raise records.file_missing()
    return tuple(FileToPost(str(id), validation.alt(file.alt)) for id, file in zip(ids, given, strict=True))


def profile_of(who: Identity) -> dict[str, str]:
    """Return the author's avatar and profile URLs as they are now. Invalid URLs are left out."""
    urls = {"avatar": validation.safe_url(who.avatar), "link": validation.safe_url(who.link)}
    return {name: url for name, url in urls.items() if url}
