from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from django_roomchat.database import database
from django_roomchat.errors import ChatError
from django_roomchat.identity import tickets
from django_roomchat.messages.attachments import remove_unsent
from django_roomchat.messages.history import prune_history
from django_roomchat.models import JobRun


class Command(BaseCommand):
    help = (
        "Deletes old messages. Clients that have not received their last change reload the newest page. "
        "Also deletes files that were uploaded more than a day ago and never sent, and expired tickets."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=_above_zero,
            help="delete messages older than this many days; without it, the retention period of each room applies",
        )
        parser.add_argument("--keep", type=_above_zero, help="keep only this many messages of each room")
        parser.add_argument("--room", action="append", help="only this room; can be repeated")
        parser.add_argument("--dry-run", action="store_true", help="only print the number of messages")

    def handle(self, *args: Any, **options: Any) -> None:
        older = None if options["days"] is None else timedelta(days=options["days"])
        try:
            pruned = prune_history(
                rooms=options["room"], older_than=older, keep=options["keep"], dry_run=options["dry_run"]
            )
        except ChatError as error:
            raise CommandError(error.detail) from error
        if not options["dry_run"]:
            remove_unsent()
            tickets.delete_expired()
            JobRun.objects.using(database()).update_or_create(
                job="roomchat_prune", defaults={"finished_at": timezone.now()}
            )
        if options["verbosity"]:
            for name, count in pruned.items():
                self.stdout.write(f"{name}: {count}")
            done = "would be pruned" if options["dry_run"] else "pruned"
            self.stdout.write(f"{sum(pruned.values())} messages {done}.")


def _above_zero(typed: str) -> int:
    if not typed.isdecimal() or int(typed) < 1:
        raise ArgumentTypeError(f"a whole number above 0, not {typed!r}")
    return int(typed)
