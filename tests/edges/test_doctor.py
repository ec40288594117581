from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from django_roomchat.management import doctor
from django_roomchat.management.doctor import (
    SLOW,
    WELL,
    WRONG,
    Finding,
    _examine_mysql,
    _examine_postgresql,
    _examine_sqlite,
    examine,
    log,
)
from django_roomchat.models import JobRun, Message, Room
from django_roomchat.webhooks import http_client
from django_roomchat.webhooks.outgoing import make_webhook

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def findings():
    """The findings of the command, by their first words."""

    def find(beginning):
        return [finding for finding in examine() if finding.about.startswith(beginning)]

    return find


def test_it_stores_a_message_and_leaves_nothing_behind(findings):
    [stored] = findings(f"{connection.display_name} stores a message in ")

    assert stored.state in (WELL, SLOW)
    assert (Room.objects.count(), Message.objects.count()) == (0, 0)


def test_it_says_when_the_database_does_not_take_messages(findings, monkeypatch):
    def fail(*about, **options):
        raise DatabaseError("no such table")

    monkeypatch.setattr(log, "append", fail)

    [found] = findings("The database does not store messages")

    assert found == Finding(
        WRONG, "The database does not store messages: no such table", "Run the migrate command."
    )
    assert Room.objects.count() == 0


def test_a_slow_database_is_minded(findings, monkeypatch):
    monkeypatch.setattr(doctor, "SLOW_COMMIT_SECONDS", -1)

    [found] = findings(f"{connection.display_name} stores a message in ")

    assert (found.state, found.advice) == (
        SLOW,
        "Each message waits this long for its ack. Check the disk, and the network to the database.",
    )


class Cursor:
    """Returns settings as a database reports them."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def execute(self, statement):
        pass

    def fetchone(self):
        return self.answers.pop(0)


@pytest.mark.parametrize(
    ("commit", "fsync", "state"), [("on", "on", WELL), ("off", "on", WRONG), ("on", "off", WRONG)]
)
def test_postgresql_must_write_before_it_acknowledges(commit, fsync, state):
    [found] = _examine_postgresql(Cursor((commit, fsync)))

    assert found.state == state


@pytest.mark.parametrize(("flush", "state"), [(1, WELL), (0, WRONG), (2, WRONG)])
def test_mariadb_must_write_before_it_acknowledges(monkeypatch, flush, state):
    monkeypatch.setattr(doctor, "columns_to_mend", lambda alias: {})

    [found] = _examine_mysql(Connection(), Cursor((flush,)))

    assert (found.state, found.about.partition(" ")[0]) == (state, "MariaDB")


def test_columns_of_keys_that_take_two_for_one_are_wrong(monkeypatch):
    monkeypatch.setattr(doctor, "columns_to_mend", lambda alias: {"roomchat_room": ["MODIFY name"]})

    found = list(_examine_mysql(Connection(), Cursor((1,))))

    assert [one.state for one in found] == [WELL, WRONG]
    assert found[1].about == "Columns of keys in roomchat_room take different keys for the same."


class Connection:
    alias, display_name = "default", "MariaDB"

    def __init__(self, transaction_mode=None):
        self.transaction_mode = transaction_mode


@pytest.mark.parametrize(
    ("journal", "synchronous", "mode", "states"),
    [
        ("wal", 2, "IMMEDIATE", [WELL]),
        ("delete", 2, "IMMEDIATE", [SLOW, WELL]),
        ("wal", 1, "IMMEDIATE", [SLOW]),
        ("wal", 2, None, [WELL, SLOW]),
    ],
)
def test_sqlite_may_be_quick_or_safe(journal, synchronous, mode, states):
    found = _examine_sqlite(Connection(mode), Cursor((journal,), (synchronous,)))

    assert [finding.state for finding in found] == states


def test_settings_that_cannot_be_read_are_told(findings, monkeypatch):
    def fail(*about):
        raise DatabaseError("gone")

    for vendor in ("mysql", "postgresql", "sqlite"):
        monkeypatch.setattr(doctor, f"_examine_{vendor}", fail)

    assert [found.state for found in findings("The database's settings cannot be read: gone")] == [WRONG]


def test_a_layer_that_delivers_is_well(findings):
    [found] = findings("The channel layer 'default' (InMemoryChannelLayer) delivers in ")

    assert found.state == WELL


def test_a_slow_layer_is_minded(findings, monkeypatch):
    monkeypatch.setattr(doctor, "SLOW_LAYER_SECONDS", -1)

    [found] = findings("The channel layer 'default' (InMemoryChannelLayer) delivers in ")

    assert (found.state, found.advice) == (SLOW, "Check the network to the channel layer.")


def test_a_layer_in_memory_is_of_this_process_only(findings):
    assert [found.state for found in findings("The channel layer 'default' does not connect processes")] == [
        SLOW
    ]


def test_a_small_layer_is_minded_and_a_large_one_is_not(findings, settings):
    beginning = "The channel layer 'default' has a capacity of 100 messages"
    small = findings(beginning)
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 5000}}
    }

    assert ([found.state for found in small], findings("The channel layer 'default' has a capacity")) == (
        [SLOW],
        [],
    )


def test_a_layer_that_does_not_deliver_is_wrong(findings, settings):
    settings.CHANNEL_LAYERS = {}

    [found] = findings("The channel layer does not deliver")

    assert found.state == WRONG


@pytest.mark.redis
def test_a_real_redis_delivers(findings, settings, redis_url):
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [redis_url]}}
    }

    assert len(findings("The channel layer 'default' (RedisChannelLayer) delivers in ")) == 1


@pytest.mark.parametrize(("debug", "state"), [(True, WELL), (False, SLOW)])
def test_a_site_that_knows_of_no_proxy_is_told_of_https(findings, settings, debug, state):
    settings.DEBUG = debug

    [found] = findings(
        "Sockets are allowed for pages of this site with the scheme that the server itself uses."
    )

    assert found.state == state


def test_a_site_behind_a_proxy_is_well(findings, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert [
        found.state
        for found in findings("Sockets are allowed for pages of this site with the scheme that the proxy")
    ] == [WELL]


def test_other_origins_are_named(findings, settings):
    settings.ROOMCHAT = {"ALLOWED_ORIGINS": ["https://app.example"]}
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example"]

    assert (
        len(findings("Sockets are also allowed for pages of https://app.example, https://shop.example.")) == 1
    )


def test_without_hosts_nobody_gets_in(findings, settings):
    settings.DEBUG, settings.ALLOWED_HOSTS = False, []

    assert [found.state for found in findings("ALLOWED_HOSTS is empty")] == [WRONG]


def test_active_webhooks_are_counted_and_unusual_ones_are_listed(findings):
    assert findings("Active webhooks") == []
    for url in ("https://usual.example/secret", "http://unusual.example/secret"):
        make_webhook("lobby", url)

    assert findings("Active webhooks") == [Finding(WELL, "Active webhooks: 2.")]
    assert findings("Webhooks are sent") == [
        Finding(
            SLOW,
            "Webhooks are sent to 'unusual.example'.",
            "Deliveries to an http URL are not encrypted; use https.",
        )
    ]


def test_webhooks_without_urllib3_are_an_error(findings, monkeypatch):
    make_webhook("lobby", "https://usual.example/")
    monkeypatch.setattr(http_client, "find_spec", lambda name: None)

    assert findings("Active webhooks") == [
        Finding(
            WRONG,
            "Active webhooks: 1, but urllib3 is not installed.",
            'Install it: python -m pip install "django-roomchat[webhooks]".',
        )
    ]


@pytest.mark.parametrize(
    ("hours", "state", "about"),
    [(None, SLOW, "roomchat_prune has never run."), (47, WELL, None), (49, SLOW, None)],
)
def test_a_daily_job_that_has_not_run_is_reported(findings, hours, state, about):
    if hours is not None:
        call_command("roomchat_prune", verbosity=0)
        finished = timezone.now() - timedelta(hours=hours)
        JobRun.objects.update(finished_at=finished)
        about = f"roomchat_prune last ran at {finished:%Y-%m-%d %H:%M}."

    [found] = findings("roomchat_prune")

    assert (found.state, found.about, bool(found.advice)) == (state, about, state == SLOW)


def test_only_a_run_that_deletes_is_recorded(findings):
    call_command("roomchat_prune", "--dry-run", verbosity=0)
    dry = JobRun.objects.count()
    for _ in range(2):
        call_command("roomchat_prune", verbosity=0)

    assert (dry, JobRun.objects.count()) == (0, 1)
    assert str(JobRun.objects.get()).startswith("roomchat_prune: 20")


@pytest.fixture
def _durable(monkeypatch):
    """The tests' own PostgreSQL does without fsync, which the doctor would rightly call wrong."""
    monkeypatch.setattr(doctor, "_examine_durability", lambda: iter(()))


@pytest.mark.usefixtures("_durable")
def test_the_command_prints_all_findings_and_succeeds(capsys, settings):
    settings.SILENCED_SYSTEM_CHECKS = []

    call_command("roomchat_doctor")

    told = capsys.readouterr().out
    assert "stores a message in" in told
    assert "it does not connect processes, which poll the database. (roomchat.W005)" in told


@pytest.mark.usefixtures("_durable")
def test_the_command_fails_where_something_is_wrong(settings):
    settings.ROOMCHAT = {"POLICY": "no.such.policy"}

    with pytest.raises(CommandError, match=r"^1 problems found\.$"):
        call_command("roomchat_doctor")
