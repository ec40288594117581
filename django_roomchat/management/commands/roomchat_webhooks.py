from __future__ import annotations

import signal
import threading
from argparse import ArgumentTypeError
from typing import Any
from urllib.request import getproxies

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_roomchat.conf import config
from django_roomchat.webhooks.worker import Worker


class Command(BaseCommand):
    help = "Delivers the outgoing webhooks until it is stopped (SIGTERM, Ctrl+C). Several instances may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="deliver what is due, then exit")
        parser.add_argument(
            "--threads", type=_some, default=8, help="maximum number of requests in progress; default 8"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            worker = Worker(options["threads"])
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        if config().WEBHOOK_PROXY is None and (unused := {"http", "https", "all"} & getproxies().keys()):
            names = ", ".join(sorted(f"{name}_proxy".upper() for name in unused))
            self.stderr.write(f'{names}: not used without ROOMCHAT["WEBHOOK_PROXY"] = "environment".')
        try:
            if options["once"]:
                delivered = worker.deliver_due()
                if options["verbosity"]:
                    self.stdout.write(f"{delivered} deliveries.")
            else:
                worker.run(_told_to_end())
        finally:
            worker.close()


def _told_to_end() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _some(typed: str) -> int:
    if not typed.isdecimal() or not 1 <= int(typed) <= 100:
        raise ArgumentTypeError(f"a whole number from 1 to 100, not {typed!r}")
    return int(typed)
