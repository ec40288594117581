"""State of webhooks for tests."""

from django_roomchat.identity import Identity

ANA = Identity("g:ana", "Ana", is_guest=True)
CLOSED = "http://127.0.0.1:9/"
"""A URL on which no server listens."""


def state(webhook):
    webhook.refresh_from_db()
    return webhook.cursor, webhook.failures, webhook.last_error, webhook.is_active


def hold(gate):
    def answer(handler):
        gate.wait(10)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer
