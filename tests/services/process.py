"""A child process that listens on a port, ended by its own handle."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.services import free_port

START_SECONDS = 60  # a cold import of Django on a busy two-core machine takes several
STOP_SECONDS = 15


class ListeningProcess:
    """A process that is ready when its port accepts a connection."""

    def __init__(self, log_path: Path, *, port: int | None = None) -> None:
        self.port = port or free_port()
        self.log_path = log_path
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        return os.environ

    def folder(self) -> Path | None:
        return None

    def user(self) -> str | None:
        """User that runs the process; ``None`` for the current user."""
        return None

    @property
    def log(self) -> str:
        """Everything the process has written so far, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder(),
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self.user(),
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._accepts():
            # Waiting for the process to end is the pause between two looks, and notices an early death at once.
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(0.05)
                raise RuntimeError(f"{self.command()} ended with {code}:\n{self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.command()} did not listen in {START_SECONDS} s:\n{self.log}")

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def pause(self) -> None:
        """Stop it where it stands (SIGSTOP): it keeps its connections and answers nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        if self.running:
            assert self.process is not None
            self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill the process. Nothing is flushed, and no socket is closed."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end (SIGTERM), as a deployment does, and wait until it has."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """End it if it still runs, and start it again on the same port."""
        self.stop()
        self.start()

    def _end(self, how: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise RuntimeError(
                f"{self.command()} did not end in {STOP_SECONDS} s after {how.name}:\n{self.log}"
            ) from None
        finally:
            self.process = None
