"""Files in the admin."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from django_roomchat.files import records, storage
from django_roomchat.identity import of_user
from django_roomchat.messages.attachments import attach_file
from django_roomchat.messages.post import post_message
from django_roomchat.models import Attachment, Membership, Message, Room, RoomLog
from tests.support.http_files import body, sent
from tests.support.uploads import PDF, TEXT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]


@pytest.fixture
def admin(admin_user):
    signed_in = Client()
    signed_in.force_login(admin_user)
    return signed_in


LIST = "/admin/roomchat/attachment/"


def told_by(page):
    return [str(message) for message in page.context["messages"]]


def test_the_admin_lists_files_and_shows_them(admin, ana):
    file = sent(ana)
    hidden = attach_file("lobby", TEXT, "gone.txt", by=ana)
    Attachment.objects.filter(pk=hidden.pk).update(room=None)

    page = admin.get(LIST).content.decode()

    assert ("notes.txt" in page, "gone.txt" in page) == (True, False)
    assert f'href="{LIST}{file.pk}/content/"' in page
    assert body(admin.get(f"{LIST}{file.pk}/content/")) == TEXT


def test_the_admin_shows_no_file_that_is_lost(admin, ana):
    file = sent(ana)
    storage.remove(file.stored)

    assert admin.get(f"{LIST}{file.pk}/content/").status_code == 404


def test_others_than_the_admins_see_no_file_there(hers, ana):
    User.objects.filter(pk=ana.pk).update(is_staff=True)

    assert hers.get(f"{LIST}{sent(ana).pk}/content/").status_code == 403


def test_the_admin_changes_no_file(admin, ana):
    file = sent(ana)

    assert [admin.get(f"{LIST}{path}").status_code for path in ("add/", f"{file.pk}/delete/")] == [403, 403]
    assert admin.get(f"{LIST}{file.pk}/change/").status_code == 200


def test_the_admin_takes_files_down(admin, ana, stored):
    kept, bad = sent(ana), sent(ana, PDF, "bad.pdf")

    page = admin.post(
        LIST, {"action": "remove_from_messages", "_selected_action": [str(bad.pk)]}, follow=True
    )

    assert told_by(page) == ["1 file removed."]
    assert (list(records.rows()), stored(), Message.objects.get(seq=2).deleted_at is None) == (
        [kept],
        1,
        False,
    )


def test_a_file_of_a_direct_room_is_not_the_admins_to_take_down(admin, ana, stored):
    room = Room.objects.create(name="~d", title="Two", visibility="direct")
    RoomLog.objects.create(room=room, access_version=1)
    Membership.objects.create(room=room, key=of_user(ana).key, name="Ana", user=ana)
    file = sent(ana, room="~d")

    page = admin.post(
        LIST, {"action": "remove_from_messages", "_selected_action": [str(file.pk)]}, follow=True
    )

    assert (told_by(page), stored()) == (["notes.txt: You are not allowed to do this."], 1)


def test_the_admin_shows_the_files_of_what_is_held(admin, ana, settings):
    settings.ROOMCHAT = {"FILTER": "tests.support.attachments.hold_all"}
    file = attach_file("lobby", TEXT, "notes.txt", by=ana)
    for given in ([file], []):
        with pytest.raises(Exception, match="moderator"):
            post_message("lobby", "see", author=ana, files=given)

    page = admin.get("/admin/roomchat/heldmessage/").content.decode()

    assert f'notes.txt <a href="{LIST}{file.pk}/content/">' in page
