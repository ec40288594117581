"""A real nginx in front of a server, with the configuration that the documentation shows."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.services import Missing
from tests.services.process import ListeningProcess
from tests.services.server import ROOT

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    server {{
        listen 127.0.0.1:{port};
        {block}
    }}
}}
"""


def documented_block() -> str:
    """Return the ``location`` block of the deployment page."""
    page = (ROOT / "docs" / "howto" / "deploy.md").read_text()
    block: str
    [block] = re.findall(r"^```\{code-block\} nginx\n(location / \{.*?^\})\n```$", page, re.M | re.S)
    return block


class Nginx(ListeningProcess):
    """An nginx that forwards to a port of this machine."""

    def __init__(self, folder: Path, upstream: int) -> None:
        super().__init__(folder / "nginx.log")
        binary = shutil.which("nginx")
        if binary is None:
            raise Missing("no nginx in PATH")
        self._binary = binary
        self._configuration = folder / "nginx.conf"
        block = documented_block().replace("http://127.0.0.1:8000", f"http://127.0.0.1:{upstream}")
        assert str(upstream) in block
        self._configuration.write_text(_CONFIGURATION.format(folder=folder, port=self.port, block=block))

    def command(self) -> Sequence[str]:
        return [self._binary, "-p", str(self._configuration.parent), "-c", str(self._configuration)]
