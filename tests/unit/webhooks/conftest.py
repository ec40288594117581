"""Fixtures of the tests of webhooks."""

import socket

import pytest

from django_roomchat.webhooks import name_resolution
from django_roomchat.webhooks.worker import Worker
from tests.services.certificates import Authority
from tests.services.receiver import Receiver
from tests.support.webhooks import with_tls

real_getaddrinfo = socket.getaddrinfo


@pytest.fixture
def private_receivers(settings):
    settings.ROOMCHAT = {"WEBHOOK_PRIVATE_ADDRESSES": True, "WEBHOOK_TIMEOUT_SECONDS": 5}


@pytest.fixture
def worker():
    worker = Worker(threads=2)
    yield worker
    worker.close()


@pytest.fixture
def receiver():
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def names(monkeypatch):
    """The addresses of host names, and the names that were looked up."""

    class Names(dict):
        asked = []

    names = Names()
    names.asked = []

    def getaddrinfo(host, port, *about, **options):
        if host not in names or options.get("flags"):
            return real_getaddrinfo(host, port, *about, **options)
        names.asked.append(host)
        return [real_getaddrinfo(address, port, type=socket.SOCK_STREAM)[0] for address in names[host]]

    monkeypatch.setattr(name_resolution.socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.fixture
def authority(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


@pytest.fixture
def tls_receiver(authority):
    with with_tls(Receiver(), authority) as receiver:
        yield receiver
