from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_roomchat.management.people import person
from django_roomchat.privacy import erase_user


class Command(BaseCommand):
    help = "Erases a person's texts, name and key wherever the chat stores them. This cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="username, id: followed by a primary key, or the key of a guest")
        parser.add_argument(
            "--lift-sanctions", action="store_true", help="also end the person's bans and mutes"
        )
        parser.add_argument(
            "--noinput", action="store_false", dest="asks", help="do not ask for confirmation"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        who = person(options["user"])
        if options["asks"] and input(f"Erase {options['user']}? This cannot be undone. Type yes: ") != "yes":
            raise CommandError("Nothing was erased.")
        erased = erase_user(who, keep_sanctions=not options["lift_sanctions"])
        if options["verbosity"]:
            self.stdout.write(f"{erased.messages} messages in {erased.rooms} rooms erased.")
