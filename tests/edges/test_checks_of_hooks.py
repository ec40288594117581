"""System checks of hooks and of the policy's methods."""

import functools

import pytest
from asgiref.sync import sync_to_async
from django.core.checks import Error

from django_roomchat import checks
from django_roomchat.checks import check_roomchat
from django_roomchat.conf.hooks import dotted_path
from django_roomchat.policy import OpenPolicy


@pytest.fixture(autouse=True)
def _good_site(settings, monkeypatch):
    """A site without other findings. The versions of the machine that runs the tests do not matter."""
    settings.DEBUG = True
    monkeypatch.setattr(checks, "requires", lambda name: [])


def found():
    return check_roomchat(None)


class Awaited:
    """A hook that is an object."""

    async def __call__(self, *about):
        return None


async def awaited(*about):
    return None


async def generated(*about):
    yield None


@pytest.mark.parametrize("key", ["IDENTITY", "FILTER", "GROUP_NAME", "POLICY"])
@pytest.mark.parametrize(
    "function",
    [awaited, generated, sync_to_async(print), Awaited(), functools.wraps(awaited)(lambda *about: None)],
)
def test_a_hook_that_is_asynchronous_is_an_error(settings, key, function):
    settings.ROOMCHAT = {key: function}

    assert found() == [
        Error(
            f"ROOMCHAT[{key!r}] ({dotted_path(function)}) is asynchronous, but nothing awaits it.",
            hint="Define it with def, not async def: hooks may use the database, as they are called in a thread.",
            id="roomchat.E019",
        )
    ]


class Half(OpenPolicy):
    async def can_enter(self, who, room):
        return True

    async def forget(self, who):
        pass

    async def can_bake(self):
        """No method of a policy."""


class Derived(Half):
    can_post = sync_to_async(lambda self, who, room: True)

    def can_enter(self, who, room):
        return super().can_enter(who, room)


def test_a_policy_with_methods_that_are_asynchronous_is_an_error(settings):
    settings.ROOMCHAT = {"POLICY": Derived}

    hint = "Define it with def, not async def: it may use the database, as it is called in a thread."
    assert found() == [
        Error(
            f"The policy's method {__name__}.{method}() is asynchronous, so it denies everything.",
            hint=hint,
            id="roomchat.E019",
        )
        for method in ("Half.can_enter", "Derived.can_post", "Half.forget")
    ]


def test_a_class_that_is_no_policy_is_an_error(settings):
    settings.ROOMCHAT = {"POLICY": Awaited}

    assert found() == [
        Error(
            f"ROOMCHAT['POLICY'] ({__name__}.Awaited) is not a subclass of django_roomchat.Policy.",
            hint="Subclass Policy, or a policy of django_roomchat.",
            id="roomchat.E002",
        )
    ]
