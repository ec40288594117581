"""An HTTP proxy in a thread of the test: it forwards requests, and tunnels with CONNECT, to one server of this machine."""

import http.client
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class EgressProxy:
    """Records the targets that clients name, and sends everything to `upstream`, whatever the target is."""

    def __init__(self, upstream: int) -> None:
        self.requests: list[tuple[str, str, str]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(self) -> None:
                proxy._record(self)
                with socket.create_connection(("127.0.0.1", upstream), 10) as server:
                    self.send_response(200)
                    self.end_headers()
                    back = threading.Thread(target=_pump, args=(server, self.connection))
                    back.start()
                    _pump(self.connection, server)
                    back.join()

            def do_POST(self) -> None:
                proxy._record(self)
                parts = urlsplit(self.path)
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server = http.client.HTTPConnection("127.0.0.1", upstream, timeout=10)
                server.request("POST", parts.path, body, {"Host": self.headers["Host"]})
                self.send_response(server.getresponse().status)
                server.close()
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *about: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def _record(self, handler: BaseHTTPRequestHandler) -> None:
        self.requests.append((handler.command, handler.path, handler.headers.get("Proxy-Authorization", "")))

    def __enter__(self) -> "EgressProxy":
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while chunk := source.recv(65_536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
