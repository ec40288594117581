"""Names of groups, and the channel layer of a room."""

import hashlib
import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from django_roomchat import conf, pubsub
from django_roomchat.conf.hooks import dotted_path
from django_roomchat.pubsub import (
    group_name,
    layer_alias,
)
from tests.support.batches import IN_MEMORY

# Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room", "group"),
    [
        ("lobby", "chat_lobby"),
        ("7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11", "chat_7b1e7f0e-5a39-4f0e-9a0a-6f9f6c6d1c11"),
        ("x" * 94, f"chat_{'x' * 94}"),
    ],
)
def test_a_room_whose_name_a_layer_takes_has_a_readable_group(room, group):
    assert group_name(room) == group


@pytest.mark.parametrize("room", ["x" * 95, "my room", "한국어", "🎉", "a/b", "line\n"])
def test_any_other_room_has_a_digest_for_a_group(room):
    assert re.fullmatch(r"chat\.[0-9a-f]{40}", group_name(room))


def test_a_digest_is_the_same_in_every_process():
    assert group_name("한국어") == f"chat.{hashlib.sha256('한국어'.encode()).hexdigest()[:40]}"


@given(st.lists(st.text("ab. _-é🎉", min_size=1, max_size=100), unique=True))
def test_no_two_rooms_share_a_group(rooms):
    assert len({group_name(room) for room in rooms}) == len(rooms)


def test_a_readable_name_cannot_be_mistaken_for_a_digest():
    digest = group_name("한국어").removeprefix("chat.")

    assert group_name(digest) == f"chat_{digest}" != group_name("한국어")


def test_a_project_may_name_the_groups_itself(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: f"shard.{len(room) % 4}"}

    assert [group_name("lobby"), group_name("other")] == ["shard.1", "shard.1"]


@pytest.mark.parametrize("wrong", ["한국어", "", "x" * 100, "a b", "a\n", None, 5, b"chat"])
def test_an_invalid_group_name_of_a_project_raises_with_the_valid_form(settings, wrong):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: wrong}

    with pytest.raises(ImproperlyConfigured) as caught:
        group_name("lobby")

    assert str(caught.value) == (
        f"ROOMCHAT[\"GROUP_NAME\"] ({dotted_path(conf.hook('GROUP_NAME'))}) returned {wrong!r} for the room 'lobby'; "
        "a group name is 1 to 99 ASCII letters, digits, hyphens, underscores and periods."
    )


def other_layer(room):
    return "other"


def test_rooms_go_over_the_default_layer():
    assert layer_alias("lobby") == "default"


@pytest.mark.parametrize(
    ("chosen", "alias"),
    [
        ("other", "other"),
        (other_layer, "other"),
        (f"{__name__}.other_layer", "other"),
        ("with.dots", "with.dots"),
    ],
)
def test_a_project_may_choose_the_layer(settings, chosen, alias):
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY, "other": IN_MEMORY, "with.dots": IN_MEMORY}
    settings.ROOMCHAT = {"CHANNEL_LAYER": chosen}

    assert layer_alias("lobby") == alias


@pytest.mark.parametrize(
    ("layers", "chosen", "sentence"),
    [
        (
            {"default": IN_MEMORY},
            "nothing",
            "ROOMCHAT[\"CHANNEL_LAYER\"] chose 'nothing' for the room 'lobby'; CHANNEL_LAYERS has 'default'.",
        ),
        (
            {"a": IN_MEMORY, "b": IN_MEMORY},
            lambda room: 5,
            "ROOMCHAT[\"CHANNEL_LAYER\"] chose 5 for the room 'lobby'; CHANNEL_LAYERS has 'a', 'b'.",
        ),
        (
            {},
            "default",
            "ROOMCHAT[\"CHANNEL_LAYER\"] chose 'default' for the room 'lobby'; CHANNEL_LAYERS has no layer at all.",
        ),
    ],
)
def test_a_layer_that_does_not_exist_is_said_so(settings, layers, chosen, sentence):
    settings.CHANNEL_LAYERS = layers
    settings.ROOMCHAT = {"CHANNEL_LAYER": chosen}

    with pytest.raises(ImproperlyConfigured) as caught:
        layer_alias("lobby")

    assert str(caught.value) == sentence


# What concerns no room -----------------------------------------------------------------------------------------------


def test_what_concerns_no_room_has_a_group_of_its_own_whatever_the_hook_says(settings):
    settings.ROOMCHAT = {"GROUP_NAME": lambda room: f"g.{room}"}

    assert (group_name(pubsub.BROADCAST), group_name("lobby")) == ("roomchat.everybody", "g.lobby")


def test_it_goes_over_the_layer_that_is_named(settings):
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY, "chat": IN_MEMORY}
    settings.ROOMCHAT = {"CHANNEL_LAYER": "chat"}

    assert layer_alias(pubsub.BROADCAST) == "chat"


@pytest.mark.parametrize(("layers", "chosen"), [(["default", "chat"], "default"), (["chat"], "chat")])
def test_where_a_hook_chooses_it_goes_over_the_default_layer_or_the_first(settings, layers, chosen):
    settings.CHANNEL_LAYERS = dict.fromkeys(layers, IN_MEMORY)
    settings.ROOMCHAT = {"CHANNEL_LAYER": lambda room: {"lobby": "chat"}[room]}

    assert (layer_alias(pubsub.BROADCAST), layer_alias("lobby")) == (chosen, "chat")


def test_without_layers_it_goes_nowhere(settings):
    settings.CHANNEL_LAYERS = {}
    settings.ROOMCHAT = {"CHANNEL_LAYER": lambda room: "chat"}

    with pytest.raises(ImproperlyConfigured):
        layer_alias(pubsub.BROADCAST)
