from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_roomchat.messages.unread_notifications import notify_unread


class Command(BaseCommand):
    help = "Sends the signal unread_for_a_while for users with unread messages. Run it every few minutes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--minutes",
            type=_above_zero,
            default=10,
            help="minimum age of the first unread message, in minutes; default 10",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        users = notify_unread(options["minutes"])
        if options["verbosity"]:
            self.stdout.write(f"Signal sent for {users} users.")


def _above_zero(typed: str) -> int:
    if not typed.isdecimal() or int(typed) < 1:
        raise ArgumentTypeError(f"a whole number above 0, not {typed!r}")
    return int(typed)
