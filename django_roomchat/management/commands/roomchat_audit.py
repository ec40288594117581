from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_roomchat import log
from django_roomchat.database import database, paged
from django_roomchat.models import RoomLog


class Command(BaseCommand):
    help = "Verifies the numbering of every room: each revision is one change of one message. Run it while nothing is posted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new-epoch",
            action="store_true",
            help="afterwards start a new epoch, so that all clients reload; needed after the restoration of a backup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rooms = bad = 0
        for room_log in paged(RoomLog.objects.using(database()).select_related("room"), "pk"):
            rooms += 1
            for problem in log.verify(room_log):
                bad += 1
                self.stderr.write(f"{room_log.room.name}: {problem}")
            if options["new_epoch"]:
                log.start_new_epoch(room_log.pk)
        if bad:
            raise CommandError(f"{bad} problems in {rooms} rooms.")
        if options["verbosity"]:
            self.stdout.write(f"{rooms} rooms verified, no problems.")
