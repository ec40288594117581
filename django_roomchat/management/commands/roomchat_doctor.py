from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import run_checks
from django.core.management.base import BaseCommand, CommandError

from django_roomchat.management.doctor import SLOW, WELL, WRONG, Finding, examine


class Command(BaseCommand):
    help = "Sends a message through the database and the channel layer, and reports what works, what is slow and what fails."
    requires_system_checks = ()  # the command runs the system checks itself and shows them with its own findings

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [*examine(), *_checks()]
        for finding in findings:
            style = {WELL: self.style.SUCCESS, SLOW: self.style.WARNING}.get(finding.state, self.style.ERROR)
            self.stdout.write(f"{style(finding.state.ljust(5))} {finding.about}")
            if finding.advice:
                self.stdout.write(f"      {finding.advice}")
        wrong = sum(finding.state == WRONG for finding in findings)
        if wrong:
            raise CommandError(f"{wrong} problems found.")


def _checks() -> Iterator[Finding]:
    for message in run_checks(include_deployment_checks=True):
        if str(message.id).startswith("roomchat."):
            state = WRONG if message.is_serious() else SLOW
            yield Finding(state, f"{message.msg} ({message.id})", message.hint or "")
