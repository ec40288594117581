"""`manage.py demo`: the site from nothing to a running chat."""

import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from example_project import story


class Command(BaseCommand):
    help = (
        "Migrate, let people have talked in a few rooms, and serve on 127.0.0.1 (port: PORT, default 8000)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        story.tell()

        address = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
        self.stdout.write(
            self.style.SUCCESS(f"Open http://{address}/chat/lobby/ in two browser windows and talk.")
        )
        self.stdout.write(f"The whole site, in three looks: http://{address}/")
        if settings.DEBUG:
            self.stdout.write(
                f"Sign in as ana, password {story.PASSWORD}: she may do everything, in the admin too."
            )
        self.stdout.write("Ctrl-C ends the server.")
        call_command("runserver", address, use_reloader=False)
