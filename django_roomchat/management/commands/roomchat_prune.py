from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_roomchat.actions import prune_history
from django_roomchat.attachments import clear_out
from django_roomchat.errors import ChatError


class Command(BaseCommand):
    help = (
        "Forgets old messages. Whoever had not heard of their last change starts over with the newest page. "
        "It also removes files that were uploaded a day ago and never sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=_above_zero,
            help="forget what was posted longer ago; without it each room's own setting holds",
        )
        parser.add_argument("--keep", type=_above_zero, help="keep so many messages of each room")
        parser.add_argument("--room", action="append", help="only this room; may be given several times")
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def handle(self, *args: Any, **options: Any) -> None:
        older = None if options["days"] is None else timedelta(days=options["days"])
        try:
            pruned = prune_history(
                rooms=options["room"], older_than=older, keep=options["keep"], dry_run=options["dry_run"]
            )
        except ChatError as error:
            raise CommandError(error.detail) from error
        if not options["dry_run"]:
            clear_out()
        if options["verbosity"]:
            for name, count in pruned.items():
                self.stdout.write(f"{name}: {count}")
            done = "would be forgotten" if options["dry_run"] else "forgotten"
            self.stdout.write(f"{sum(pruned.values())} messages {done}.")


def _above_zero(typed: str) -> int:
    if not typed.isdecimal() or int(typed) < 1:
        raise ArgumentTypeError(f"a whole number above 0, not {typed!r}")
    return int(typed)
