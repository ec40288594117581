"""The routing as a server imports it."""

import os
import subprocess
import sys

from tests.services.server import ROOT


def test_the_channel_layer_is_imported_while_the_server_starts():
    """Not by its first socket: for that second all sockets of the process would stand still."""
    script = "import sys, tests.asgi; sys.exit('channels_redis.core' not in sys.modules)"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment).returncode == 0


def test_a_layer_that_cannot_be_imported_is_left_to_the_system_checks(settings):
    from django_roomchat import pubsub

    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "no.such.Layer"}, "other": {}}

    pubsub.import_layers()
