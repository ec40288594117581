"""The chat as a project deploys it: sessions, authentication, origin checks, a database that commits to disk.

With `ROOMCHAT_BENCH_COUNT` set, `/benchmark/counts` returns the number of database queries of this process.
"""

import json
import os
from collections import Counter
from typing import Any

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from django.db.backends.signals import connection_created  # noqa: E402  (Django comes first)

from django_roomchat.asgi import with_chat  # noqa: E402  (as above)
from django_roomchat.models import Message  # noqa: E402  (as above)

application: Any = with_chat(django_application)

if os.environ.get("ROOMCHAT_BENCH_COUNT"):
    counts: Counter[str] = Counter(queries=0, history=0)
    history = f'FROM "{Message._meta.db_table}"'

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        counts["queries"] += 1
        counts["history"] += history in sql
        return execute(sql, params, many, context)

    def watch(connection: Any, **kwargs: Any) -> None:
        # Django may emit the signal again for the same connection object.
        if count not in connection.execute_wrappers:
            connection.execute_wrappers.append(count)

    connection_created.connect(watch)
    chat = application

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/benchmark/counts":
            await chat(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(counts).encode()})
