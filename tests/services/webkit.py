"""Safari's engine: the MiniBrowser of WebKitGTK, driven by WebKitWebDriver, on a screen of Xvfb.

No package registry has them; on Debian and Ubuntu they are the packages `webkit2gtk-driver` and `xvfb`.
"""

import contextlib
import os
import select
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver import Remote, WebKitGTKOptions
from selenium.webdriver.common.proxy import Proxy
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.file_detector import UselessFileDetector
from selenium.webdriver.remote.remote_connection import RemoteConnection

from tests.services import Missing
from tests.services.process import START_SECONDS, STOP_SECONDS, ListeningProcess

PACKAGES = {"WebKitWebDriver": "webkit2gtk-driver", "Xvfb": "xvfb"}
"""Programs, and the Debian packages that contain them."""
SCREEN = "1400x1000x24"
STYLE = "* { min-width: 0; margin: 0; padding: 0; font-size: 4px; }"
"""Style of the browser's own controls. Their usual one makes no window narrower than 447 pixels."""
COMMAND_SECONDS = 120
"""Longest time of one command of the driver. Opening a page takes a second."""


@dataclass(frozen=True)
class Programs:
    driver: str
    screen: str


def find() -> Programs:
    found = {name: shutil.which(name) for name in PACKAGES}
    missing = [PACKAGES[name] for name, path in found.items() if path is None]
    if missing:
        raise Missing(f"no WebKitGTK on this machine; install {' and '.join(missing)}")
    return Programs(str(found["WebKitWebDriver"]), str(found["Xvfb"]))


@contextlib.contextmanager
def screen(program: str) -> Iterator[str]:
    """Run an X server, and yield the name of its display."""
    reader, writer = os.pipe()
    command = [program, "-displayfd", str(writer), "-screen", "0", SCREEN, "-nolisten", "tcp", "-noreset"]
    process = subprocess.Popen(
        command,
        pass_fds=[writer],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        # The server writes its number when it accepts clients; if it ends, the pipe is closed.
        ready, _, _ = select.select([reader], [], [], START_SECONDS)
        number = os.read(reader, 16).decode().strip() if ready else ""
        if not number:
            raise RuntimeError(f"{command} ended, or was not ready in {START_SECONDS} s")
        yield f":{number}"
    finally:
        os.close(reader)
        process.terminate()
        process.wait(STOP_SECONDS)


class Driver(ListeningProcess):
    """A WebKitWebDriver, which starts one MiniBrowser."""

    def __init__(self, folder: Path, programs: Programs, display: str, *, dark: bool) -> None:
        super().__init__(folder / "driver.log")
        self.home = folder
        style = folder / ".config" / "gtk-3.0" / "gtk.css"
        style.parent.mkdir(parents=True)
        style.write_text(STYLE)
        self.program = programs.driver
        self.display = display
        self.dark = dark

    def command(self) -> Sequence[str]:
        return [self.program, "--host=127.0.0.1", f"--port={self.port}"]

    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        return kept | {
            "DISPLAY": self.display,
            "GDK_BACKEND": "x11",
            "GSETTINGS_BACKEND": "memory",
            # A page follows the theme in `prefers-color-scheme`.
            "GTK_THEME": "Adwaita:dark" if self.dark else "Adwaita",
            # Compose sequences without a daemon: a real input method.
            "GTK_IM_MODULE": "gtk-im-context-simple",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "NO_AT_BRIDGE": "1",
        }

    def session(self) -> Remote:
        """Start a browser. `quit()` ends it."""
        options: Any = WebKitGTKOptions()
        # The driver is on this machine, whatever proxy the environment names.
        config = ClientConfig(
            remote_server_addr=f"http://127.0.0.1:{self.port}",
            proxy=Proxy({"proxyType": "direct"}),  # type: ignore[no-untyped-call, unused-ignore]  # untyped in selenium; unused without it
            timeout=COMMAND_SECONDS,
        )
        # A path is sent to an upload field as it is: the driver is on the machine that has the file.
        return Remote(
            RemoteConnection(client_config=config), options=options, file_detector=UselessFileDetector()
        )


@contextlib.contextmanager
def browser(folder: Path, programs: Programs, display: str, *, dark: bool = False) -> Iterator[Remote]:
    """Run a browser with a profile of its own."""
    driver = Driver(folder, programs, display, dark=dark)
    driver.start()
    try:
        session = driver.session()
        try:
            yield session
        finally:
            session.quit()
    finally:
        driver.stop()
