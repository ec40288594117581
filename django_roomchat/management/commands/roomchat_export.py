from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from django_roomchat.management.people import person
from django_roomchat.privacy import stream_export


class Command(BaseCommand):
    help = "Writes everything that the chat stores about a person, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="username, id: followed by a primary key, or the key of a guest")

    def handle(self, *args: Any, **options: Any) -> None:
        for piece in stream_export(person(options["user"])):
            self.stdout.write(piece, ending="")
