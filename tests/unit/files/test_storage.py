"""The storage for attachments."""

import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, storages

from django_roomchat.files import storage

MEMORY = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "chat": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
}


@pytest.mark.usefixtures("media_folder")
def test_a_file_is_saved_opened_and_removed():
    name = storage.save(storage.new_name(), ContentFile(b"tea"))
    with storage.open_file(name) as opened:
        content = opened.read()
    storage.remove(name)

    with pytest.raises(FileNotFoundError):
        storage.open_file(name)
    assert content == b"tea"


@pytest.mark.usefixtures("media_folder")
def test_a_missing_file_can_be_removed():
    storage.remove(storage.new_name())


@pytest.mark.usefixtures("media_folder")
def test_a_file_object_is_saved_like_a_file_of_django(tmp_path):
    path = tmp_path / "tea.txt"
    path.write_bytes(b"tea")
    with path.open("rb") as given:
        name = storage.save(storage.new_name(), given)

    with storage.open_file(name) as opened:
        assert opened.read() == b"tea"


def test_names_are_random_and_without_an_extension():
    names = {storage.new_name() for _ in range(100)}

    assert len(names) == 100
    assert all(re.fullmatch(r"roomchat/[0-9a-f]{2}/[0-9a-f]{38}", name) for name in names)


@pytest.mark.parametrize(
    ("media_root", "chosen", "enabled"),
    [("", None, False), ("media", None, True), ("", True, True), ("media", False, False)],
)
def test_attachments_are_enabled_by_the_setting_or_by_a_location(
    settings, tmp_path, media_root, chosen, enabled
):
    settings.MEDIA_ROOT = str(tmp_path / media_root) if media_root else ""
    settings.ROOMCHAT = {} if chosen is None else {"ATTACHMENTS": chosen}

    assert storage.is_enabled() is enabled


def test_a_storage_that_is_not_the_file_system_has_a_location(settings):
    settings.MEDIA_ROOT, settings.STORAGES = "", MEMORY
    settings.ROOMCHAT = {"ATTACHMENT_STORAGE": "chat"}

    assert storage.has_location()


def test_files_go_to_the_storage_of_the_setting(settings):
    settings.STORAGES = MEMORY
    settings.ROOMCHAT = {"ATTACHMENT_STORAGE": "chat"}

    name = storage.save(storage.new_name(), ContentFile(b"tea"))

    assert isinstance(storages["chat"], InMemoryStorage)
    assert storages["chat"].exists(name)
