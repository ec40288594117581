"""Insert many old messages into a room at once, bypassing what a post does.

python -m benchmarks.fill --database sqlite:////tmp/chat.sqlite3 --room full-0 --messages 1000000
"""

import argparse
import os


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill", description=__doc__.splitlines()[0])
    parser.add_argument("--database", required=True)
    parser.add_argument("--room", required=True)
    parser.add_argument("--messages", type=int, required=True)
    given = parser.parse_args()
    os.environ |= {"DATABASE_URL": given.database, "DJANGO_SETTINGS_MODULE": "benchmarks.settings"}

    import django

    django.setup()
    fill(given.room, given.messages)


def fill(name: str, messages: int) -> None:
    from django.db import connection, transaction

    from django_roomchat.models import Message, Room, RoomLog

    room = Room.objects.create(name=name, title=name)
    RoomLog.objects.create(room=room)
    if connection.vendor == "postgresql":
        numbers = f"SELECT generate_series(1, {messages}) AS n"
    else:
        numbers = f"SELECT value AS n FROM numbers LIMIT {messages}"
    counting = "WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers) "
    columns = "room_id, seq, rev, changes, author_key, author_name, client_id, kind, body, fingerprint, created_at, data"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"{'' if connection.vendor == 'postgresql' else counting}"  # noqa: S608  (numbers of our own)
            f"INSERT INTO {Message._meta.db_table} ({columns}) "
            f"SELECT {room.pk}, n, n, 0, 'g:' || (n %% 1000), 'Guest ' || (n %% 1000), 'filled-' || n, 'user', "
            "'This is message ' || n || ', one of so many that nobody will read them all again.', 'none', "
            f"%s, '{{}}' FROM ({numbers}) AS numbered",
            [connection.ops.adapt_datetimefield_value(room.created_at)],
        )
        RoomLog.objects.filter(pk=room.pk).update(head=messages)
    # The database's deferred work for so many rows is done now, not during a later measurement.
    later = {
        "sqlite": ["ANALYZE", "PRAGMA wal_checkpoint(TRUNCATE)"],
        "postgresql": ["VACUUM ANALYZE", "CHECKPOINT"],
    }
    with connection.cursor() as cursor:
        for statement in later[connection.vendor]:
            cursor.execute(statement)


if __name__ == "__main__":
    main()
