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


def port_of(receiver):
    return int(receiver.url.split(":")[2].split("/")[0])


def with_tls(receiver, authority):
    """Give a receiver a certificate for hooks.example, and a list of the server names that clients ask it for."""
    context = authority.server("hooks.example")
    receiver.names = []
    context.sni_callback = lambda connection, name, context: receiver.names.append(name)
    receiver._server.socket = context.wrap_socket(receiver._server.socket, server_side=True)
    return receiver
