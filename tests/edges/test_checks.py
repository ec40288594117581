"""Each system check: its conditions and its message."""

import itertools
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from django.core.checks import CheckMessage, Error, Warning, run_checks

from django_roomchat import checks, conf
from django_roomchat.checks import check_roomchat

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
DAY_ONE = (
    'For development: CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}.'
)
DIGEST = (
    "Build the name from a digest of the room's name, such as hashlib.sha256(name.encode()).hexdigest()[:40]."
)
not_callable = "a text"


@pytest.fixture(autouse=True)
def _well(settings, monkeypatch):
    """A site with which nothing is wrong."""
    # The versions of the machine that runs the tests do not matter.
    monkeypatch.setattr(checks, "requires", lambda name: [])
    settings.DEBUG = True
    settings.ROOMCHAT = {}
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY}
    settings.ASGI_APPLICATION = "tests.asgi.application"


def found() -> list[CheckMessage]:
    return check_roomchat(None)


def test_of_a_good_site_nothing_is_said():
    assert found() == []


def test_the_checks_are_run_with_django_s(settings):
    settings.ASGI_APPLICATION = None

    assert "roomchat.E007" in [message.id for message in run_checks(tags=["compatibility"])]


def test_a_site_that_never_imports_the_checks_runs_them():
    """In a process of its own: this one has imported them."""
    options = {"capture_output": True, "text": True, "cwd": Path(__file__).parents[2]}
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ROOMCHAT_TEST_CONFIG": '{"NO": 1}',
    }

    done = subprocess.run([sys.executable, "-m", "django", "check"], env=environment, **options)

    assert (done.returncode, "roomchat.E001" in done.stderr) == (1, True)


def test_an_unknown_key_is_told_the_nearest_right_one(settings):
    settings.ROOMCHAT = {"PAGE_MESAGES": 9, "POLL_SECONDS": 0}

    hint = "The settings reference lists the keys of ROOMCHAT."
    assert found() == [
        Error(
            "ROOMCHAT has no key 'PAGE_MESAGES': did you mean 'PAGE_MESSAGES'?", hint=hint, id="roomchat.E001"
        ),
        Error(
            "ROOMCHAT['POLL_SECONDS'] must be a number of seconds above 0, not 0.",
            hint=hint,
            id="roomchat.E001",
        ),
    ]


def test_wrong_keys_stand_alone_since_nothing_else_can_be_looked_at(settings):
    settings.ROOMCHAT = {"PAGE_MESAGES": 9}
    settings.ASGI_APPLICATION = None

    assert [message.id for message in found()] == ["roomchat.E001"]


@pytest.mark.parametrize("key", ["POLICY", "IDENTITY", "GROUP_NAME"])
def test_a_hook_that_cannot_be_imported_is_an_error(settings, key):
    settings.ROOMCHAT = {key: "no.such.thing"}

    assert found() == [
        Error(
            f"ROOMCHAT[{key!r}] is 'no.such.thing', which cannot be imported: No module named 'no'",
            hint="Set it to the dotted path of an existing object.",
            id="roomchat.E002",
        )
    ]


def test_a_hook_that_cannot_be_called_is_an_error(settings):
    settings.ROOMCHAT = {"POLICY": f"{__name__}.not_callable"}

    assert found() == [
        Error(
            "ROOMCHAT['POLICY'] is 'a text', which is not callable.",
            hint="Set it to a callable or to its dotted path.",
            id="roomchat.E002",
        )
    ]


def test_a_hook_that_names_an_invalid_group_is_an_error(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: f"chat_{room}"}

    assert found() == [
        Error(
            "ROOMCHAT['GROUP_NAME'] fails for the room '한국어 방': ROOMCHAT[\"GROUP_NAME\"] "
            f"({__name__}.test_a_hook_that_names_an_invalid_group_is_an_error.<locals>.<lambda>) returned 'chat_한국어 방' "
            "for the room '한국어 방'; a group name is 1 to 99 ASCII letters, digits, hyphens, underscores and periods.",
            hint=DIGEST,
            id="roomchat.E003",
        )
    ]


def test_a_hook_that_raises_is_an_error(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: {}["nothing"]}

    assert found() == [
        Error(
            f"ROOMCHAT['GROUP_NAME'] fails for the room {room!r}: 'nothing'", hint=DIGEST, id="roomchat.E003"
        )
        for room in ("lobby", "한국어 방")
    ]


def test_a_hook_that_names_good_groups_is_fine(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: "everybody"}

    assert found() == []


@pytest.mark.parametrize("layers", [{}, {"other": IN_MEMORY}])
def test_a_missing_layer_is_an_error(settings, layers):
    settings.CHANNEL_LAYERS = layers

    listed = "'other'" if layers else "no layer at all"
    assert found() == [
        Error(
            "No channel layer is configured for the chat: ROOMCHAT[\"CHANNEL_LAYER\"] chose 'default' for the room 'lobby'; "
            f"CHANNEL_LAYERS has {listed}.",
            hint=DAY_ONE,
            id="roomchat.E004",
        )
    ]


def test_a_layer_hook_that_cannot_be_imported_is_an_error(settings):
    settings.ROOMCHAT = {"CHANNEL_LAYER": "no.such.thing"}

    [message] = found()
    assert (message.id, message.hint) == ("roomchat.E004", DAY_ONE)


def test_a_layer_in_memory_in_production_is_a_warning(settings):
    settings.DEBUG = False

    assert found() == [
        Warning(
            "The channel layer 'default' is in memory and DEBUG is off: it does not connect processes, which poll the database.",
            hint="Use channels-redis with more than one process; silence this check with exactly one.",
            id="roomchat.W005",
        )
    ]


def redis(*hosts, **config):
    options = {"hosts": list(hosts), **config} if hosts else config
    return {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": options}}


@pytest.mark.parametrize(
    ("layers", "is_warned"),
    [
        (redis(), True),
        (redis("redis://a:6379"), True),
        (redis(("a", 6379)), True),
        (redis({"address": "redis://a:6379"}), True),
        (redis({"host": "a"}), True),
        (redis({"address": "redis://a:6379", "socket_timeout": 5}), True),
        (redis({"address": "redis://a:6379", "socket_timeout": None}, "redis://b:6379"), True),
        (redis({"address": "redis://a:6379", "socket_timeout": None}), False),
        (redis({"address": "redis://a:6379", "socket_timeout": 30}), False),
        (redis({"address": "redis://a:6379?socket_timeout=30"}), False),
        (redis("redis://a:6379?socket_timeout=30"), False),
        ({"default": {"BACKEND": "channels_redis.core.RedisChannelLayer"}}, True),
        ({"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}}, False),
    ],
)
def test_the_five_second_death_is_a_warning(settings, monkeypatch, layers, is_warned):
    settings.DEBUG = False
    settings.CHANNEL_LAYERS = layers
    monkeypatch.setattr(checks, "version", lambda name: "8.1.0")

    warning = Warning(
        "redis-py 8 closes the connections of the channel layer 'default' after 5 idle seconds, which closes the "
        "sockets of ordinary consumers and may lose a message. The chat's own sockets are not affected.",
        hint='Set the host to {"address": "redis://…", "socket_timeout": None}.',
        id="roomchat.W006",
    )
    assert found() == [warning] * is_warned


@pytest.mark.parametrize("installed", ["7.9.1", "unknown", None])
def test_another_redis_py_does_not_have_it(settings, monkeypatch, installed):
    def version(name):
        if installed is None:
            raise checks.PackageNotFoundError(name)
        return installed

    settings.CHANNEL_LAYERS = redis("redis://a:6379")
    monkeypatch.setattr(checks, "version", version)

    assert found() == []


@pytest.mark.parametrize("value", [None, ""])
def test_a_site_without_an_asgi_application_is_an_error(settings, value):
    settings.ASGI_APPLICATION = value

    assert found() == [
        Error(
            "ASGI_APPLICATION is not set, so runserver does not serve WebSockets.",
            hint='Set it to your ASGI application, such as "mysite.asgi.application".',
            id="roomchat.E007",
        )
    ]


def test_origins_that_admit_everybody_are_a_warning(settings):
    settings.ROOMCHAT = {"ALLOWED_ORIGINS": ["https://app.example.com", "*"]}

    assert found() == [
        Warning(
            "ROOMCHAT['ALLOWED_ORIGINS'] allows every origin: any page can open a socket with its visitor's session.",
            hint="List the origins that you trust.",
            id="roomchat.W008",
        )
    ]


def test_origins_that_name_whom_they_admit_are_fine(settings):
    settings.ROOMCHAT = {"ALLOWED_ORIGINS": ["https://app.example.com", "https://*.example.net"]}

    assert found() == []
    assert conf.config().ALLOWED_ORIGINS == ["https://app.example.com", "https://*.example.net"]


REDIS = "channels_redis.core.RedisChannelLayer"


# Attachments --------------------------------------------------------------------------------------------------------


def test_files_without_a_place_are_an_error(settings):
    settings.ROOMCHAT = {"ATTACHMENTS": True}

    assert found() == [
        Error(
            "ROOMCHAT['ATTACHMENTS'] is on, but no storage for files is configured.",
            hint="Set MEDIA_ROOT, or name another storage in ROOMCHAT['ATTACHMENT_STORAGE'].",
            id="roomchat.E013",
        )
    ]


def test_files_with_a_place_are_fine(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)

    assert found() == []


def test_files_without_pillow_are_a_warning_where_images_are_wanted(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = str(tmp_path)
    monkeypatch.setattr(checks.images, "is_installed", lambda: False)
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": ["image/png", "text/plain"]}
    warned = found()
    settings.ROOMCHAT = {"ATTACHMENT_TYPES": ["text/plain"]}

    assert (found(), [(one.id, "(image/png)" in one.msg) for one in warned]) == (
        [],
        [("roomchat.W014", True)],
    )
    assert 'django-roomchat[images]"' in warned[0].hint


def test_without_attachments_nobody_misses_pillow(monkeypatch):
    monkeypatch.setattr(checks.images, "is_installed", lambda: False)

    assert found() == []


def test_a_type_that_nothing_is_recognised_as_is_a_warning(settings, tmp_path):
    settings.MEDIA_ROOT = str(tmp_path)
    settings.ROOMCHAT = {
        "ATTACHMENT_TYPES": ["text/html", "text/plain"],
        "ATTACHMENT_EXTRA_TYPES": ["application/msword", "application/vnd.rar"],
    }

    [warning] = found()

    assert (warning.id, warning.msg) == (
        "roomchat.W015",
        "ROOMCHAT['ATTACHMENT_TYPES'] or ROOMCHAT['ATTACHMENT_EXTRA_TYPES'] has types that are never detected: "
        "text/html, application/msword.",
    )


# Installed versions -------------------------------------------------------------------------------------------------

REQUIREMENTS = [
    "channels>=4.3",
    "django!=6.0,!=6.0.1,>=5.2.19",
    "nh3>=0.3.7; extra == 'markdown'",
    "uvicorn[standard]>=0.52.1; extra == 'uvicorn'",
]
GOOD_VERSIONS = {"channels": "4.3.0", "django": "5.2.19", "nh3": "0.3.7", "uvicorn": "0.52.1"}


def install(monkeypatch, **versions):
    def version(name):
        if (installed := versions.get(name)) is None:
            raise checks.PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(checks, "requires", lambda name: REQUIREMENTS)
    monkeypatch.setattr(checks, "version", version)


def test_a_package_below_the_required_version_is_a_warning(monkeypatch):
    install(monkeypatch, **GOOD_VERSIONS | {"nh3": "0.3.6"})

    assert found() == [
        Warning(
            "nh3 0.3.6 is installed, which has a published security advisory or does not work with the chat: "
            "nh3>=0.3.7 is required.",
            hint="Upgrade it: python -m pip install --upgrade nh3.",
            id="roomchat.W016",
        )
    ]


@pytest.mark.parametrize(
    ("name", "installed", "is_warned"),
    [
        ("channels", "4.2.99", True),
        ("channels", "4.3", False),
        ("channels", "4.3.2", False),
        ("channels", "4.10", False),
        ("django", "5.2.9", True),
        ("django", "5.2.20", False),
        ("django", "6.0", True),
        ("django", "6.0.0", True),
        ("django", "6.0.1", True),
        ("django", "6.0.10", False),
        ("django", "6.1rc1", False),
        ("uvicorn", "0.52", True),
        ("uvicorn", "0.52.1.post1", False),
        ("nh3", None, False),
    ],
)
def test_the_warning_follows_the_requirements(monkeypatch, name, installed, is_warned):
    install(monkeypatch, **GOOD_VERSIONS | {name: installed})

    assert [(one.id, one.msg.split()[0]) for one in found()] == (
        [("roomchat.W016", name)] if is_warned else []
    )


def test_a_package_that_was_never_installed_has_no_requirements(monkeypatch):
    def requires(name):
        raise checks.PackageNotFoundError(name)

    monkeypatch.setattr(checks, "requires", requires)

    assert found() == []


def test_the_metadata_of_this_package_has_the_requirements_of_pyproject():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = [*project["dependencies"], *itertools.chain(*project["optional-dependencies"].values())]

    read = {
        parts["name"]
        for one in metadata.requires("django-roomchat")
        if (parts := checks._REQUIREMENT.match(one))
    }
    assert read == {re.match(r"[\w.-]+", one)[0] for one in declared}
