"""A receiver of webhooks: a real HTTP server in a thread of the test."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """An HTTP server that records requests, and responds as the test chooses.

    `answers` are statuses, one after the other, the last for ever; or callables that are given the handler.
    """

    def __init__(self, *answers):
        self.requests = []
        self.arrivals = queue.Queue()
        self._answers = list(answers or [200])
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver._take(self)

            def log_message(self, *about):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request, address):
                """The sender has closed the connection, as tests do."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?x=1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *about):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def deliveries(self):
        return [json.loads(body) for _path, _headers, body in self.requests]

    @property
    def ranges(self):
        return [
            (one["prev"], one["head"], [event["body"] for event in one["events"]]) for one in self.deliveries
        ]

    def _take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self.requests.append((handler.path, dict(handler.headers), body))
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        self.arrivals.put(body)
        if callable(answer):
            answer(handler)
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
