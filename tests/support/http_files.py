"""Uploads and downloads over HTTP for tests of files."""

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from django_roomchat.messages.attachments import attach_file
from django_roomchat.messages.post import post_message
from tests.support.uploads import TEXT

UPLOADS = "/chat/lobby/files/"


def given(content=TEXT, name="notes.txt", kind="application/octet-stream"):
    return SimpleUploadedFile(name, content, kind)


def upload(hers, content=TEXT, name="notes.txt", **options):
    return hers.post(UPLOADS, {"file": given(content, name)}, **options)


def sent(user, content=TEXT, name="notes.txt", room="lobby"):
    """A file that is in a message."""
    file = attach_file(room, content, name, by=user)
    post_message(room, "", author=user, files=[file])
    return file


def url(file, name="notes.txt"):
    return reverse("roomchat:download", args=[file.room.name, file.pk, name])


def body(response):
    return b"".join(response.streaming_content)


def code(response):
    return (response.status_code, response.json()["error"]["code"])
