from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext_lazy as _

from django_roomchat.actions import post_message
from django_roomchat.errors import ChatError


class Command(BaseCommand):
    help = str(_("Post a message to a room as the site."))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("room", help="the room's name, as people type it")
        parser.add_argument("text", help="what to say")
        parser.add_argument("--name", help="under which it is said")
        parser.add_argument("--id", help="the same id says it once, however often the command runs")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            posted = post_message(options["room"], options["text"], name=options["name"], id=options["id"])
        except ChatError as error:
            raise CommandError(error.detail) from error
        if options["verbosity"]:
            again = " (it was there before)" if posted.duplicate else ""
            self.stdout.write(f"{posted.room} #{posted.seq}{again}")
