"""`manage.py demo`: migrates, loads the sample conversations and starts the server."""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from example_project import story


class Command(BaseCommand):
    help = "Run the migrations, load rooms with sample conversations, and serve on 127.0.0.1 (port: PORT, default 8000)."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        story.tell()

        address = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
        self.stdout.write(
            self.style.SUCCESS(f"Open http://{address}/chat/lobby/ in two browser windows to chat.")
        )
        self.stdout.write(f"All pages, in three designs: http://{address}/")
        if settings.DEBUG:
            self.stdout.write(
                f"Sign in as ana, password {story.PASSWORD}. This account is a superuser, also in the admin."
            )
        self.stdout.write("Press Ctrl-C to stop the server.")
        call_command("runserver", address, use_reloader=False)
