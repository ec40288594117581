"""The identifiers of the database on the channel layer."""

import pytest
from django.core.management import call_command
from django.core.management.commands import flush
from django.core.management.sql import emit_post_migrate_signal

from django_roomchat import database
from django_roomchat.models import Installation

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unknown(monkeypatch, settings):
    monkeypatch.setattr(database, "_identifiers", {})
    settings.SECRET_KEY = "one"


def test_a_database_has_an_identifier_from_its_first_use(django_assert_num_queries):
    assert database.known_identifiers() is None

    first = database.identifiers()
    with django_assert_num_queries(0):
        again = database.identifiers()

    assert ([len(each) for each in first], again, database.known_identifiers()) == ([11], first, first)
    assert Installation.objects.count() == 1


def test_another_database_has_another_identifier():
    one = database.identifiers()
    Installation.objects.all().delete()

    kept, other = database.identifiers(), database.identifiers(look_up=True)

    assert (kept == one, other == one) == (True, False)


def test_a_copy_of_the_database_has_another_identifier_with_another_secret_key(settings):
    [one] = database.identifiers()
    settings.SECRET_KEY = "two"
    [other] = database.identifiers(look_up=True)
    settings.SECRET_KEY_FALLBACKS = ["one"]

    assert one != other
    assert database.identifiers(look_up=True) == (other, one)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_flushed_has_another_identifier(monkeypatch):
    # The tests' own flush does not send post_migrate, see tests/conftest.py.
    monkeypatch.setattr(flush, "emit_post_migrate_signal", emit_post_migrate_signal)
    one = database.identifiers()

    call_command("flush", interactive=False, verbosity=0)

    assert database.known_identifiers() is None
    assert database.identifiers() != one
