from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext_lazy as _

from django_roomchat.errors import ChatError
from django_roomchat.messages.post import post_message


class Command(BaseCommand):
    help = str(_("Post a message to a room as the site."))

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("room", help="name of the room")
        parser.add_argument("text", help="text of the message")
        parser.add_argument("--name", help="display name of the author")
        parser.add_argument(
            "--id", help="idempotency key: running the command again with the same id posts nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            posted = post_message(options["room"], options["text"], name=options["name"], id=options["id"])
        except ChatError as error:
            raise CommandError(error.detail) from error
        if options["verbosity"]:
            again = " (already posted)" if posted.duplicate else ""
            self.stdout.write(f"{posted.room} #{posted.seq}{again}")
