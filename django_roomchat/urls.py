"""URL patterns of the chat, under the namespace ``roomchat``."""

from __future__ import annotations

from django.urls import path

from django_roomchat.views import api, hooks, invitations, pages, streams
from django_roomchat.views.files import download, file, files, thumb
from django_roomchat.views.rooms import room

app_name = "roomchat"

urlpatterns = [
    path("", pages.index, name="index"),
    # “~” is not a valid room name, so these paths cannot collide with a room.
    path("~/frames/", api.frames, name="frames"),
    path("~/hook/<str:token>/", hooks.hook, name="hook"),
    path("~/ticket/", api.ticket, name="ticket"),
    path("~/invite/<str:token>/", invitations.invitation, name="invitation"),
    path("~/new/", pages.new_room, name="new_room"),
    path("~/search/", pages.search, name="search"),
    path("<str:room_name>/", room, name="room"),
    path("<str:room_name>/events/", streams.events, name="events"),
    path("<str:room_name>/files/", files, name="files"),
    path("<str:room_name>/files/<uuid:file_id>/", file, name="file"),
    path("<str:room_name>/files/<uuid:file_id>/thumb", thumb, name="thumb"),
    path("<str:room_name>/files/<uuid:file_id>/<str:file_name>", download, name="download"),
    path("<str:room_name>/frames/", api.frames, name="room_frames"),
    path("<str:room_name>/messages/", api.messages, name="messages"),
]
