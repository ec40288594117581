"""Guests cannot take the names of accounts, as they are spelt or as they look."""

import json
import time

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from django_roomchat.conf.hooks import HookError
from django_roomchat.errors import Forbidden
from django_roomchat.identity import account_names, guests, is_account_name, new_guest

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts():
    User.objects.create_user("paul")
    User.objects.create_user("maria@example.com", first_name="María", last_name="Núñez")


@pytest.mark.parametrize(
    "name",
    [
        "paul",
        "Paul",
        "PAUL",
        "pauI",
        "рaul",
        "p.a.u.l",
        "maria@example.com",
        "maria",
        "Mаriа",
        "Maria Nunez",
        "MARÍA NÚÑEZ",
    ],
)
def test_a_name_of_an_account_is_found_as_it_is_spelt_and_as_it_looks(accounts, name):
    assert is_account_name(name) is True


@pytest.mark.parametrize("name", ["pauline", "pa", "Nunez", "example.com", "Zoë"])
def test_another_name_is_not_that_of_an_account(accounts, name):
    assert is_account_name(name) is False


def test_a_name_without_look_alikes_is_found_among_any_number_of_accounts(accounts, monkeypatch):
    monkeypatch.setattr(account_names, "ACCOUNTS_MAX", 1)

    assert [is_account_name(name) for name in ("Paul", "раul", "Maria Nunez")] == [True, False, True]


def test_the_names_of_accounts_are_read_once_a_minute(accounts, monkeypatch, django_assert_num_queries):
    now = time.monotonic()
    monkeypatch.setattr(account_names.time, "monotonic", lambda: now)
    with django_assert_num_queries(2):
        is_account_name("Zoë")
    with django_assert_num_queries(1):
        is_account_name("Ana")

    now += 60
    with django_assert_num_queries(2):
        is_account_name("Ana")


def test_a_guest_cannot_choose_the_name_of_an_account(accounts):
    browser = Client()
    browser.get(reverse("roomchat:room", args=["lobby"]))
    answers = [
        browser.post(
            reverse("roomchat:frames"),
            json.dumps({"type": "name", "name": name}),
            content_type="application/json",
        ).json()
        for name in ("Pаul", "Zoë")
    ]

    assert (answers[0]["error"]["code"], answers[1]["type"]) == ("name_taken", "done")


def test_a_project_decides_itself_which_names_are_taken(accounts, settings):
    settings.ROOMCHAT = {"ACCOUNT_NAMES": lambda name: name == "Zoë"}

    with pytest.raises(Forbidden) as taken:
        guests.choose_name(new_guest(), "Zoë", None, [])
    assert (taken.value.code, guests.choose_name(new_guest(), "Paul", None, []).name) == (
        "name_taken",
        "Paul",
    )


def test_a_project_can_leave_the_names_of_accounts_to_guests(accounts, settings):
    settings.ROOMCHAT = {"ACCOUNT_NAMES": None}

    assert guests.choose_name(new_guest(), "Paul", None, []).name == "Paul"


@pytest.mark.parametrize("answer", [None, 1, "no"])
def test_an_answer_that_is_no_bool_refuses_the_name_and_is_named(answer, settings):
    settings.ROOMCHAT = {"ACCOUNT_NAMES": lambda name: answer}

    with pytest.raises(
        HookError, match=r"ROOMCHAT\['ACCOUNT_NAMES'\] .* returned .*; it has to return a bool"
    ):
        guests.choose_name(new_guest(), "Zoë", None, [])
