"""Calls from the project's own code: in views, signals, tasks, commands and transactions."""

import inspect

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models.signals import post_save
from django.http import HttpResponse
from django.test import AsyncClient, Client
from django.urls import path

import django_roomchat
from django_roomchat import apost_message, delete_message, edit_message, post_message
from django_roomchat.models import Message
from django_roomchat.signals import message_posted
from tests.urls import urlpatterns as site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard():
    """The events that the signal has sent, in order."""
    events = []

    def receiver(sender, room, event, **kwargs):
        events.append((room, event.body))

    message_posted.connect(receiver)
    yield events
    message_posted.disconnect(receiver)


def said():
    return list(Message.objects.order_by("pk").values_list("body", flat=True))


# Functions without a twin query no database.
NO_VERBS = {"verify_signature"}
GENERATORS = {"stream_export"}


def test_every_verb_has_an_asynchronous_twin():
    public = {name: getattr(django_roomchat, name) for name in django_roomchat.__all__}
    functions = {name: it for name, it in public.items() if inspect.isfunction(it)}

    verbs = (
        {name for name, it in functions.items() if not inspect.iscoroutinefunction(it)}
        - NO_VERBS
        - GENERATORS
    )
    twins = {name for name, it in functions.items() if inspect.iscoroutinefunction(it)}
    assert {f"a{name}" for name in verbs} == twins
    assert "apost_message" in twins


# Views ------------------------------------------------------------------------------------------------------------


def close_ticket(request):
    posted = post_message("tickets", "Closed.", author=request.user)
    return HttpResponse(posted.seq)


async def ring(request):
    posted = await apost_message("kitchen", "Table 4, please.")
    return HttpResponse(posted.seq)


urlpatterns = [*site, path("close/", close_ticket), path("ring/", ring)]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("is_atomic", [False, True])
def test_a_view_speaks(monkeypatch, is_atomic, heard):
    monkeypatch.setitem(connections["default"].settings_dict, "ATOMIC_REQUESTS", is_atomic)
    client = Client()
    client.force_login(User.objects.create_user("ana"))

    answers = [client.get("/close/").content for _ in range(2)]

    assert (answers, said()) == ([b"1", b"2"], ["Closed."] * 2)
    assert heard == [("tickets", "Closed.")] * 2


@pytest.mark.urls(__name__)
async def test_an_asynchronous_view_speaks():
    response = await AsyncClient().get("/ring/")

    assert (response.content, await Message.objects.acount()) == (b"1", 1)


# Transactions -----------------------------------------------------------------------------------------------------


def test_within_a_transaction_it_is_there_and_told_after_the_commit(heard):
    with transaction.atomic():
        post_message("orders", "Paid.")
        edit_message("orders", 1, "Paid!")
        inside = (said(), list(heard))
    after = (said(), list(heard))

    assert inside == (["Paid!"], [])
    assert after == (["Paid!"], [("orders", "Paid.")])


def test_what_is_rolled_back_was_never_said_nor_told(heard):
    post_message("orders", "before")
    with transaction.atomic():
        delete_message("orders", 1)
        post_message("orders", "Paid.")
        transaction.set_rollback(True)
    post_message("orders", "after")

    assert said() == ["before", "after"]
    assert heard == [("orders", "before"), ("orders", "after")]
    assert list(Message.objects.values_list("seq", flat=True)) == [1, 2]


def test_a_part_that_is_rolled_back_takes_only_itself(heard):
    with transaction.atomic():
        post_message("orders", "kept")
        with transaction.atomic():
            post_message("orders", "undone")
            transaction.set_rollback(True)
        post_message("orders", "kept, too")

    assert said() == ["kept", "kept, too"]
    assert [body for _, body in heard] == ["kept", "kept, too"]
    assert list(Message.objects.values_list("seq", flat=True)) == [1, 2]


# Signals ----------------------------------------------------------------------------------------------------------


def test_a_receiver_of_djangos_signals_speaks(heard):
    def welcome(sender, instance, created, **kwargs):
        if created:
            post_message("welcome", f"{instance} is new.", id=f"user-{instance.pk}")

    post_save.connect(welcome, sender=User)
    try:
        ana = User.objects.create_user("ana")
        ana.save()
    finally:
        post_save.disconnect(welcome, sender=User)

    assert heard == [("welcome", "ana is new.")]


def test_a_receiver_may_answer():
    def answer(sender, room, event, **kwargs):
        if event.kind == "user":
            post_message(room, f"Hello, {event.author.name}!", name="Doorman", id=f"hello-{event.seq}")

    message_posted.connect(answer)
    try:
        post_message("lobby", "hello", author=User.objects.create_user("ana"))
    finally:
        message_posted.disconnect(answer)

    assert said() == ["hello", "Hello, ana!"]


def test_a_receiver_that_fails_harms_nobody(heard, caplog):
    def fail(sender, **kwargs):
        raise ValueError("boom")

    message_posted.connect(fail)
    try:
        posted = post_message("lobby", "hello")
    finally:
        message_posted.disconnect(fail)

    assert (posted.seq, said(), heard) == (1, ["hello"], [("lobby", "hello")])


# Commands and tasks -----------------------------------------------------------------------------------------------


def test_a_command_speaks(heard):
    call_command("roomchat_post", "lobby", "Back in five minutes.", verbosity=0)

    assert heard == [("lobby", "Back in five minutes.")]


@pytest.fixture
def tasks():
    return pytest.importorskip("django.tasks", reason="Django 6.0 brought them")


def announce(order):
    return post_message("orders", f"Order {order} is paid.", id=f"order-{order}", name="Shop").duplicate


async def aannounce(order):
    return (
        await apost_message("orders", f"Order {order} is paid.", id=f"order-{order}", name="Shop")
    ).duplicate


@pytest.mark.parametrize("function", [announce, aannounce])
def test_a_task_speaks_once_however_often_it_runs(tasks, function, heard):
    task = tasks.task(function)

    results = [task.enqueue(7) for _ in range(2)]

    assert [result.status for result in results] == [tasks.TaskResultStatus.SUCCESSFUL] * 2
    assert [result.return_value for result in results] == [False, True]
    assert heard == [("orders", "Order 7 is paid.")]


def test_a_task_that_is_put_in_the_queue_by_a_message_answers_it(tasks):
    """The bot of the documentation."""
    answer = tasks.task(answer_question)

    def listen(sender, room, event, **kwargs):
        if event.kind == "user" and event.body.startswith("!"):
            answer.enqueue(room, event.seq, event.body.removeprefix("!"))

    message_posted.connect(listen)
    try:
        post_message("lobby", "!2 + 2", author=User.objects.create_user("ana"))
    finally:
        message_posted.disconnect(listen)

    assert list(Message.objects.order_by("seq").values_list("body", "kind", "reply_to")) == [
        ("!2 + 2", "user", None),
        ("I have no answer to “2 + 2”.", "bot", 1),
    ]


def answer_question(room, seq, question):
    post_message(room, f"I have no answer to “{question}”.", name="Oracle", id=f"answer-{seq}", reply_to=seq)
