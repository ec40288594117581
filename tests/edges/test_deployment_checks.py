"""Each system check of ``check --deploy``: its conditions and its message."""

import pytest
from django.core.checks import Warning, run_checks

from django_roomchat import checks
from django_roomchat.checks import check_roomchat_deployment

IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}
REDIS = "channels_redis.core.RedisChannelLayer"


@pytest.fixture(autouse=True)
def _well(settings):
    """A site with which nothing is wrong, apart from the database of the tests."""
    settings.ROOMCHAT = {}
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY}


@pytest.mark.parametrize(
    ("database", "warning"),
    [
        (
            {"ENGINE": "django.db.backends.sqlite3"},
            Warning(
                "The SQLite database is not configured for concurrent writes: "
                "readers wait for writers, or transactions fail.",
                hint='Add to OPTIONS: {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL;"}.',
                id="roomchat.W009",
            ),
        ),
        (
            {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": {"transaction_mode": "IMMEDIATE"}},
            Warning(
                "The SQLite database is not configured for concurrent writes: "
                "readers wait for writers, or transactions fail.",
                hint='Add to OPTIONS: {"init_command": "PRAGMA journal_mode=WAL;"}.',
                id="roomchat.W009",
            ),
        ),
        (
            {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": 60},
            Warning(
                "CONN_MAX_AGE keeps database connections open for threads that ASGI servers discard.",
                hint="Set CONN_MAX_AGE to 0; the chat's own threads keep their connections anyway. On PostgreSQL, OPTIONS may have a pool.",
                id="roomchat.W010",
            ),
        ),
    ],
)
def test_a_database_that_is_not_set_up_for_many_is_a_warning(monkeypatch, database, warning):
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})

    assert check_roomchat_deployment(None) == [warning]


@pytest.mark.parametrize(
    ("pool", "threads", "connections"),
    [
        (True, 4, 4),
        ({"min_size": 2, "timeout": 5}, 4, 2),
        ({"min_size": 2, "max_size": 15}, 4, 15),
        ({"max_size": 20}, 9, 20),
    ],
)
def test_a_pool_without_connections_for_views_is_a_warning(monkeypatch, settings, pool, threads, connections):
    database = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": pool}}
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})
    settings.ROOMCHAT = {"DATABASE_THREADS": threads}

    assert check_roomchat_deployment(None) == [
        Warning(
            f"The database's pool has {connections} connections, of which the chat keeps up to {threads}: pages wait for the others.",
            hint=f'Set OPTIONS: {{"pool": {{"max_size": {threads + 12}}}}} or more: '
            "ROOMCHAT['DATABASE_THREADS'], and one for each request that is answered at the same time.",
            id="roomchat.W021",
        )
    ]


@pytest.mark.parametrize(("pool", "threads"), [({"max_size": 16}, 4), ({"max_size": 13}, 1), (False, 4)])
def test_a_pool_for_threads_and_views_is_fine(monkeypatch, settings, pool, threads):
    database = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": pool}}
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})
    settings.ROOMCHAT = {"DATABASE_THREADS": threads}

    assert check_roomchat_deployment(None) == []


def test_a_pool_with_invalid_settings_is_left_to_another_check(monkeypatch, settings):
    database = {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": True}}
    monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})
    settings.ROOMCHAT = {"DATABASE_THREADS": "many"}

    assert check_roomchat_deployment(None) == []


def test_databases_that_are_set_up_for_many_are_fine(monkeypatch):
    sqlite = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
    for database in (
        {"ENGINE": "django.db.backends.sqlite3", "OPTIONS": sqlite},
        {"ENGINE": "django.db.backends.postgresql"},
    ):
        monkeypatch.setattr(checks.settings, "DATABASES", {"default": database})

        assert check_roomchat_deployment(None) == []


@pytest.mark.parametrize(
    ("layer", "is_warned"),
    [
        ({"BACKEND": REDIS}, True),
        ({"BACKEND": REDIS, "CONFIG": {"capacity": 999}}, True),
        ({"BACKEND": REDIS, "CONFIG": {"capacity": 1000}}, False),
        ({"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer"}, False),
        (IN_MEMORY, False),
    ],
)
def test_a_layer_that_holds_little_is_a_warning(settings, layer, is_warned):
    settings.CHANNEL_LAYERS = {"default": layer}

    capacity = layer.get("CONFIG", {}).get("capacity", 100)
    warning = Warning(
        f"The channel layer has a capacity of {capacity} messages for each process and drops further ones silently.",
        hint='Set CONFIG: {"capacity": 5000}. Dropped messages are not lost, but delivered with the next poll.',
        id="roomchat.W011",
    )
    assert check_roomchat_deployment(None) == ([warning] if is_warned else [])


def test_of_a_missing_layer_only_the_other_check_speaks(settings):
    settings.CHANNEL_LAYERS = {}

    assert check_roomchat_deployment(None) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECURE_PROXY_SSL_HEADER", ("HTTP_X_FORWARDED_PROTO", "https")),
        ("USE_X_FORWARDED_HOST", True),
        ("USE_X_FORWARDED_PORT", True),
    ],
)
def test_a_proxy_that_is_not_counted_is_a_warning(settings, name, value):
    before = check_roomchat_deployment(None)
    setattr(settings, name, value)

    warned = check_roomchat_deployment(None)
    settings.ROOMCHAT = {"PROXIES": 1}

    [warning] = warned[len(before) :]
    assert (warning.id, warning.msg.partition(" ")[0]) == ("roomchat.W017", name)
    assert check_roomchat_deployment(None) == before


def test_an_invalid_setting_is_not_reported_by_the_check_of_the_proxies(settings):
    settings.USE_X_FORWARDED_HOST = True
    settings.ROOMCHAT = {"PROXIES": -1}

    assert "roomchat.W017" not in [message.id for message in check_roomchat_deployment(None)]


def test_the_checks_of_a_deployment_are_made_with_it_only(settings):
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": REDIS}}

    def ids(**options):
        return {message.id for message in run_checks(tags=["compatibility"], **options)}

    assert "roomchat.W011" in ids(include_deployment_checks=True)
    assert "roomchat.W011" not in ids()
