"""The reverse proxy of the deployment page: origin and client address arrive as they are."""

import json
import re

import pytest
from websockets.asyncio.client import connect

from tests.services import Missing, skip_what_is_missing
from tests.services.client import SUBPROTOCOL
from tests.services.nginx import Nginx, documented_block
from tests.services.server import ROOT


@pytest.fixture
def nginx(tmp_path):
    """Starts an nginx in front of a server."""
    started = []

    def start(upstream):
        try:
            nginx = Nginx(tmp_path, upstream)
        except Missing as missing:
            skip_what_is_missing(missing)
        started.append(nginx)
        nginx.start()
        return nginx

    yield start

    for nginx in started:
        nginx.stop()
        print(f"--- nginx on port {nginx.port} ---\n{nginx.log}")


async def first_frame(port, forged):
    """The first frame that a page of the proxy's site receives, with an entry of its own in X-Forwarded-For."""
    options = {
        "subprotocols": [SUBPROTOCOL],
        "origin": f"http://127.0.0.1:{port}",
        "additional_headers": {"X-Forwarded-For": forged},
    }
    async with connect(f"ws://127.0.0.1:{port}/ws/chat/lobby/", **options) as socket:
        frame = json.loads(await socket.recv())
        return frame["type"], frame.get("code")


async def test_a_page_behind_nginx_opens_sockets_and_cannot_forge_its_address(server, nginx):
    site = server(roomchat={"PROXIES": 1, "SOCKETS_PER_ADDRESS": "2/h"})
    proxy = nginx(site.port)

    frames = [await first_frame(proxy.port, forged) for forged in ("8.8.8.8", "1.1.1.1", "9.9.9.9")]

    assert frames == [("welcome", None), ("welcome", None), ("error", "rate_limited")]
    assert "refused" not in site.log


def test_the_page_forwards_the_host_with_its_port_and_the_address_and_counts_the_proxy():
    headers = dict(re.findall(r"^    proxy_set_header (\S+) (.+);$", documented_block(), re.M))
    page = (ROOT / "docs" / "howto" / "deploy.md").read_text()

    assert headers == {
        "Upgrade": "$http_upgrade",
        "Connection": '"upgrade"',
        "Host": "$http_host",
        "X-Forwarded-For": "$proxy_add_x_forwarded_for",
        "X-Forwarded-Proto": "$scheme",
    }
    assert re.search(r'^ROOMCHAT = .*"PROXIES": 1\b', page, re.M)
