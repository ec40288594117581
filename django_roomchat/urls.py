from __future__ import annotations

from django.urls import path

from django_roomchat import views

app_name = "roomchat"

urlpatterns = [
    path("", views.index, name="index"),
    # “~” is not a valid room name, so these paths cannot collide with a room.
    path("~/frames/", views.frames, name="frames"),
    path("~/hook/<str:token>/", views.hook, name="hook"),
    path("~/ticket/", views.ticket, name="ticket"),
    path("~/invite/<str:token>/", views.invitation, name="invitation"),
    path("~/new/", views.new_room, name="new_room"),
    path("~/search/", views.search, name="search"),
    path("<str:room_name>/", views.room, name="room"),
    path("<str:room_name>/events/", views.events, name="events"),
    path("<str:room_name>/files/", views.files, name="files"),
    path("<str:room_name>/files/<uuid:file_id>/", views.file, name="file"),
    path("<str:room_name>/files/<uuid:file_id>/thumb", views.thumb, name="thumb"),
    path("<str:room_name>/files/<uuid:file_id>/<str:file_name>", views.download, name="download"),
    path("<str:room_name>/frames/", views.frames, name="room_frames"),
    path("<str:room_name>/messages/", views.messages, name="messages"),
]
