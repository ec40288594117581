"""`manage.py demo`: the site from nothing to a running chat."""

import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from django_roomchat import post_message

LINES = [
    ("Ana", "Welcome to the lobby 👋 Open this page in a second window and say hello."),
    ("민준", "안녕하세요! 어떤 언어로 말해도 됩니다. 방 이름도 한국어로 지을 수 있어요."),
    ("Ana", "Close both windows and come back later: the conversation is still here."),
]


class Command(BaseCommand):
    help = "Migrate, put a few messages into the room “lobby”, and serve on 127.0.0.1 (port: PORT, default 8000)."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        for place, (name, body) in enumerate(LINES):
            # Each line has an id of its own, the same every time: seeding twice posts once.
            post_message("lobby", body, name=name, id=f"demo-{place}")

        address = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
        self.stdout.write(
            self.style.SUCCESS(f"Open http://{address}/chat/lobby/ in two browser windows and talk.")
        )
        self.stdout.write("Your own admin account: manage.py createsuperuser. Ctrl-C ends the server.")
        call_command("runserver", address, use_reloader=False)
