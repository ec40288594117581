"""The public names of django_roomchat."""

import pytest

import django_roomchat
from django_roomchat.messages.post import post_message

pytestmark = pytest.mark.django_db


def test_the_public_names_are_loaded_when_they_are_used():
    assert django_roomchat.post_message is post_message
    assert [getattr(django_roomchat, name) for name in django_roomchat.__all__]
    with pytest.raises(AttributeError) as caught:
        django_roomchat.nothing  # noqa: B018

    assert str(caught.value) == "module 'django_roomchat' has no attribute 'nothing'"
