"""Bans for the race with posts: another process than the site's, as a management command or a worker would be.

Reads lines ``ban <room> <key>`` and ``unban <room> <key>``; answers each with the room's head at that moment.
"""

import sys

import django

django.setup()

from django_roomchat.moderation import sanctions  # noqa: E402  (models need Django)


def main() -> None:
    verbs = {"ban": sanctions.ban, "unban": sanctions.unban}
    for line in sys.stdin:
        verb, room, key = line.split()
        print(verbs[verb](room, key), flush=True)


if __name__ == "__main__":
    main()
