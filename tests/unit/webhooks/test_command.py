"""The command roomchat_webhooks."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from django_roomchat.messages.post import post_message
from django_roomchat.webhooks import http_client
from django_roomchat.webhooks import worker as webhooks_worker
from django_roomchat.webhooks.outgoing import (
    make_webhook,
)
from tests.services.receiver import Receiver
from tests.services.server import ROOT
from tests.support.webhooks import hold, state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("private_receivers")]


def test_the_command_delivers_once(receiver, capsys):
    make_webhook("lobby", receiver.url)
    post_message("lobby", "hi")

    call_command("roomchat_webhooks", once=True)
    call_command("roomchat_webhooks", once=True, verbosity=0)

    assert (receiver.ranges, capsys.readouterr().out) == ([(0, 1, ["hi"])], "1 deliveries.\n")


def test_without_urllib3_the_command_names_the_extra(monkeypatch):
    monkeypatch.setattr(http_client, "find_spec", lambda name: None)

    with pytest.raises(CommandError, match=r'pip install "django-roomchat\[webhooks\]"'):
        call_command("roomchat_webhooks", once=True)


def test_the_command_reports_a_proxy_of_the_environment_that_it_does_not_use(settings, monkeypatch, capsys):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    call_command("roomchat_webhooks", once=True)
    without = capsys.readouterr().err
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:3128")

    call_command("roomchat_webhooks", once=True)
    unused = capsys.readouterr().err
    settings.ROOMCHAT = {"WEBHOOK_PROXY": "environment"}
    call_command("roomchat_webhooks", once=True)

    assert (without, unused, capsys.readouterr().err) == (
        "",
        'HTTPS_PROXY: not used without ROOMCHAT["WEBHOOK_PROXY"] = "environment".\n',
        "",
    )


@pytest.mark.parametrize("threads", ["0", "many", "101"])
def test_the_command_wants_a_number_of_threads(threads):
    with pytest.raises(CommandError, match="a whole number from 1 to 100"):
        call_command("roomchat_webhooks", "--once", "--threads", threads)


def test_a_worker_goes_on_when_the_database_comes_back(worker, receiver, monkeypatch, caplog):
    make_webhook("lobby", receiver.url)
    post_message("lobby", "hi")
    stop, starts = threading.Event(), []

    def start(original=worker._start):
        starts.append(None)
        if len(starts) == 1:
            raise DatabaseError("gone")
        if receiver.requests:
            stop.set()
        return original()

    monkeypatch.setattr(worker, "_start", start)
    monkeypatch.setattr(webhooks_worker, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(
        webhooks_worker, "connections", {"default": type("Connection", (), {"close": lambda self: None})()}
    )

    worker.run(stop)

    assert receiver.ranges == [(0, 1, ["hi"])]
    assert "Webhook delivery waits for the database" in caplog.text


def test_a_worker_that_is_told_to_end_brings_to_its_end_what_is_under_way(worker):
    stop = threading.Event()

    def answer(handler):
        stop.set()
        hold(stop)(handler)

    with Receiver(answer) as receiver:
        webhook = make_webhook("lobby", receiver.url)
        post_message("lobby", "hi")

        worker.run(stop)

        assert state(webhook) == (1, 0, "", True)


PREPARE = """
import django; django.setup()
from django_roomchat import make_webhook, post_message
make_webhook("lobby", {url!r})
for number in range(1, 6):
    post_message("lobby", str(number))
"""


@pytest.fixture
def run(sqlite_url):
    """Python and commands in processes of their own, on a database of the test's own."""
    started = []
    config = {"WEBHOOK_PRIVATE_ADDRESSES": True, "WEBHOOK_TIMEOUT_SECONDS": 1.0}
    environment = os.environ | {
        "DATABASE_URL": sqlite_url,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "ROOMCHAT_TEST_CONFIG": json.dumps(config),
    }

    def start(*arguments):
        process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_a_killed_worker_had_under_way_another_delivers_in_order(run):
    """The worker dies after the receiver has got the delivery and before it could write that down."""
    gate = threading.Event()
    with Receiver(hold(gate), 200) as receiver:
        assert run("-c", PREPARE.format(url=receiver.url)).wait(90) == 0
        killed = run("-m", "django", "roomchat_webhooks")
        receiver.arrivals.get(timeout=90)
        killed.kill()
        assert killed.wait(90) == -signal.SIGKILL
        gate.set()

        other = run("-m", "django", "roomchat_webhooks")
        receiver.arrivals.get(timeout=90)
        other.send_signal(signal.SIGTERM)

        assert other.wait(90) == 0
        assert receiver.ranges == [(0, 5, ["1", "2", "3", "4", "5"])] * 2
        ids = {headers["webhook-id"] for _, headers, _ in receiver.requests}
        assert len(ids) == 1
