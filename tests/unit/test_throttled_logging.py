import logging

from django_roomchat.throttled_logging import error_throttled, time, warn_throttled


def test_the_same_trouble_is_logged_once_a_minute(caplog, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    for now in (1000.0, 1059.9, 1060.0, 1061.0):
        warn_throttled("fire", "It burns at %s", now)

    assert caplog.record_tuples == [
        ("django_roomchat", logging.WARNING, "It burns at 1000.0"),
        ("django_roomchat", logging.WARNING, "It burns at 1060.0"),
    ]


def test_an_error_is_logged_once_a_minute_with_its_traceback(caplog):
    for _ in range(2):
        error_throttled("fire", "It burns", error=ValueError("hot"))

    assert [(record.levelno, record.exc_info[0]) for record in caplog.records] == [
        (logging.ERROR, ValueError)
    ]


def test_another_trouble_is_logged_beside_it(caplog):
    warn_throttled("fire", "It burns")
    warn_throttled("water", "It rains")

    assert caplog.messages == ["It burns", "It rains"]
