from pathlib import Path
from typing import get_type_hints

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_roomchat import conf
from django_roomchat.conf import Config, config, hook, keys, problems


def shout(room):
    return room.upper()


def test_without_the_setting_every_key_has_its_default(settings):
    settings.ROOMCHAT = {}  # those of the tests are others; this is forgotten
    del settings.ROOMCHAT

    assert config() == Config()


def test_a_changed_setting_is_in_force_at_once(settings):
    before = config().PAGE_MESSAGES

    settings.ROOMCHAT = {"PAGE_MESSAGES": 7}

    assert (before, config().PAGE_MESSAGES) == (50, 7)


def test_a_setting_of_another_name_does_not_make_the_config_be_read_again(settings):
    before = config()

    settings.DEBUG = True

    assert config() is before


def test_every_key_is_documented():
    source = Path(keys.__file__).read_text()

    # The docstring of a field stands under it; the reference of the documentation is made from them.
    undocumented = [
        key for key in Config.__slots__ if '"""' not in source.partition(f"\n    {key}: ")[2].splitlines()[1]
    ]
    assert undocumented == []


def test_every_key_has_a_type():
    assert set(get_type_hints(Config)) == set(conf.KEYS)


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ([], "ROOMCHAT must be a dict of settings, not list."),
        ({"PAGE_MESAGES": 9}, "ROOMCHAT has no key 'PAGE_MESAGES': did you mean 'PAGE_MESSAGES'?"),
        ({"page_messages": 9}, "ROOMCHAT has no key 'page_messages': did you mean 'PAGE_MESSAGES'?"),
        ({"%": 9}, f"ROOMCHAT has no key '%': valid keys are {', '.join(conf.KEYS)}."),
        ({1: 9}, f"ROOMCHAT has no key 1: valid keys are {', '.join(conf.KEYS)}."),
        ({"GROUP_NAME": 5}, "ROOMCHAT['GROUP_NAME'] must be a callable or a dotted path, not 5."),
        ({"POLICY": None}, "ROOMCHAT['POLICY'] must be a callable or a dotted path, not None."),
        ({"CHANNEL_LAYER": None}, "ROOMCHAT['CHANNEL_LAYER'] must be a callable or a dotted path, not None."),
        (
            {"ALLOWED_ORIGINS": "https://a.example"},
            "ROOMCHAT['ALLOWED_ORIGINS'] must be a list of origins: scheme, host and optional port, without a trailing slash, not 'https://a.example'.",
        ),
        (
            {"ALLOWED_ORIGINS": [1]},
            "ROOMCHAT['ALLOWED_ORIGINS'] must be a list of origins: scheme, host and optional port, without a trailing slash, not [1].",
        ),
        (
            {"SOCKET_PATH": "ws/chat/"},
            "ROOMCHAT['SOCKET_PATH'] must be a path that starts and ends with a slash, not 'ws/chat/'.",
        ),
        (
            {"SOCKET_PATH": "/ws/chat"},
            "ROOMCHAT['SOCKET_PATH'] must be a path that starts and ends with a slash, not '/ws/chat'.",
        ),
        (
            {"SOCKET_PATH": 1},
            "ROOMCHAT['SOCKET_PATH'] must be a path that starts and ends with a slash, not 1.",
        ),
        ({"ATTACHMENTS": 1}, "ROOMCHAT['ATTACHMENTS'] must be True, False or None, not 1."),
        (
            {"ATTACHMENT_STORAGE": "s3"},
            "ROOMCHAT['ATTACHMENT_STORAGE'] must be an alias of STORAGES, not 's3'.",
        ),
        (
            {"ATTACHMENT_TYPES": ["png"]},
            "ROOMCHAT['ATTACHMENT_TYPES'] must be a list of content types such as \"image/png\", not ['png'].",
        ),
        (
            {"ATTACHMENT_MAX_BYTES": 0},
            "ROOMCHAT['ATTACHMENT_MAX_BYTES'] must be a whole number above 0, not 0.",
        ),
        (
            {"ATTACHMENTS_PER_MESSAGE": "2/m"},
            "ROOMCHAT['ATTACHMENTS_PER_MESSAGE'] must be a whole number above 0, not '2/m'.",
        ),
        ({"PAGE_MESSAGES": 0}, "ROOMCHAT['PAGE_MESSAGES'] must be a whole number above 0, not 0."),
        ({"PAGE_MESSAGES": True}, "ROOMCHAT['PAGE_MESSAGES'] must be a whole number above 0, not True."),
        ({"PAGE_MESSAGES": 2.5}, "ROOMCHAT['PAGE_MESSAGES'] must be a whole number above 0, not 2.5."),
        ({"POLL_SECONDS": -1}, "ROOMCHAT['POLL_SECONDS'] must be a number of seconds above 0, not -1."),
        ({"POLL_SECONDS": "5"}, "ROOMCHAT['POLL_SECONDS'] must be a number of seconds above 0, not '5'."),
        (
            {"ROOM_NAME_MAX_LENGTH": 101},
            "ROOMCHAT['ROOM_NAME_MAX_LENGTH'] must be at most 100, the width of its column, not 101.",
        ),
    ],
)
def test_a_wrong_setting_is_told_what_would_be_right(user, problem):
    assert problems(user) == [problem]


@pytest.mark.parametrize(
    "user",
    [
        {},
        {"GROUP_NAME": None},
        {"ATTACHMENTS": None},
        {"ATTACHMENTS": False},
        {"ATTACHMENT_STORAGE": "default"},
        {"ATTACHMENT_TYPES": ["application/vnd.oasis.opendocument.text"]},
        {"GROUP_NAME": shout},
        {"POLICY": "a.dotted.Path"},
        {"ALLOWED_ORIGINS": ("https://a.example",)},
        {"ALLOWED_ORIGINS": []},
        {"SOCKET_PATH": "/"},
        {"POLL_SECONDS": 2},
        {"POLL_SECONDS": 0.5},
        {"ROOM_NAME_MAX_LENGTH": 100},
    ],
)
def test_a_right_setting_has_no_problem(user):
    assert problems(user) == []


def test_several_wrong_keys_are_all_told(settings):
    settings.ROOMCHAT = {"POLL_SECONDS": 0, "NOTHING_LIKE_IT": 1}

    with pytest.raises(ImproperlyConfigured) as caught:
        config()

    assert str(caught.value) == " ".join(problems(settings.ROOMCHAT))
    assert len(problems(settings.ROOMCHAT)) == 2


def test_a_hook_may_be_given_as_a_dotted_path(settings):
    settings.ROOMCHAT = {"GROUP_NAME": f"{__name__}.shout"}

    assert hook("GROUP_NAME")("a") == "A"


def test_a_hook_may_be_given_as_an_object(settings):
    settings.ROOMCHAT = {"GROUP_NAME": shout}

    assert hook("GROUP_NAME") is shout


def test_a_changed_hook_is_in_force_at_once(settings):
    before = hook("GROUP_NAME")

    settings.ROOMCHAT = {"GROUP_NAME": shout}

    assert (before, hook("GROUP_NAME")) == (None, shout)


def test_a_hook_that_cannot_be_imported_says_which_and_why(settings):
    settings.ROOMCHAT = {"GROUP_NAME": "no.such.module"}

    with pytest.raises(ImproperlyConfigured) as caught:
        hook("GROUP_NAME")

    assert (
        str(caught.value)
        == "ROOMCHAT['GROUP_NAME'] is 'no.such.module', which cannot be imported: No module named 'no'"
    )
