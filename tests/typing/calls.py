"""Calls that mypy accepts, and calls that it must reject: under --strict an ignored error that is not there is one itself.

Only type-checked (``tox -e types``), never run.
"""

from datetime import datetime

from django.contrib.auth.models import User

from django_roomchat import (
    Actor,
    History,
    Identity,
    Posted,
    SearchResults,
    Target,
    aban,
    apost_message,
    aread_history,
    asearch_messages,
    ban,
    mark_read,
    post_message,
    read_history,
    set_notifications,
)
from django_roomchat.models import Room


async def accepted(room: Room, user: User, identity: Identity, until: datetime) -> None:
    posted: Posted = await apost_message("lobby", "x", author=user, id="1")
    page: History = await aread_history(room, by=identity, before=posted.seq)
    hits: SearchResults = await asearch_messages("x", room=room, by=user)
    actor: Actor = user
    targets: list[Target] = [actor, identity, "u:1"]
    for target in targets:
        ban(page.room, target, by=user, until=until)
    mark_read("lobby", 1, by=identity)
    set_notifications("lobby", by=user, enabled=False)
    assert hits.before == ""


async def rejected(user: User) -> None:
    await apost_message("lobby", "x", auther=user)  # type: ignore[call-arg]
    await apost_message("lobby")  # type: ignore[call-arg]
    await apost_message("lobby", "x", author="ana")  # type: ignore[arg-type]
    await aban("lobby", user, user)  # type: ignore[call-arg]
    post_message("lobby", "x", by=user)  # type: ignore[call-arg]
    read_history(user, "lobby")  # type: ignore[call-arg, arg-type]
    mark_read("lobby", 1, user)  # type: ignore[call-arg]
    hits: History = await asearch_messages("x", by=user)  # type: ignore[assignment]
    assert hits
