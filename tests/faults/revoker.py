"""Ends rights, for measuring how long it takes: another process than the site's, as the admin's or a worker's would be.

Reads a line for each thing to do, and answers it with what it did: ``make [seconds]`` gives a user and a session that ends by itself after so
many seconds; ``logout``, ``forget <session>``; ``password``, ``deactivate``, ``update``, ``delete``, ``ban <user>``.
"""

import sys
import uuid
from collections.abc import Callable

import django

django.setup()

from django.contrib.auth import login, logout  # noqa: E402  (models need Django)
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.http import HttpRequest  # noqa: E402

import django_roomchat  # noqa: E402


def make(seconds: str = "") -> str:
    user = User.objects.create_user(uuid.uuid4().hex)
    request = _request()
    login(request, user, "django.contrib.auth.backends.ModelBackend")
    if seconds:
        request.session.set_expiry(int(seconds))
    request.session.save()
    return f"{user.pk} {request.session.session_key}"


def sign_out(key: str) -> None:
    logout(_request(key))


def forget(key: str) -> None:
    SessionStore(key).delete()


def password(pk: str) -> None:
    user = User.objects.get(pk=pk)
    user.set_password("new")
    user.save()


def deactivate(pk: str) -> None:
    user = User.objects.get(pk=pk)
    user.is_active = False
    user.save()


def update(pk: str) -> None:
    User.objects.filter(pk=pk).update(is_active=False)


def delete(pk: str) -> None:
    User.objects.get(pk=pk).delete()


def ban(pk: str) -> None:
    django_roomchat.ban("lobby", f"u:{pk}")


def _request(key: str | None = None) -> HttpRequest:
    request = HttpRequest()
    request.session = SessionStore(key)
    return request


VERBS: dict[str, Callable[..., str | None]] = {
    "make": make,
    "logout": sign_out,
    "forget": forget,
    "password": password,
    "deactivate": deactivate,
    "update": update,
    "delete": delete,
    "ban": ban,
}


def main() -> None:
    for line in sys.stdin:
        verb, *words = line.split()
        print(VERBS[verb](*words) or "done", flush=True)


if __name__ == "__main__":
    main()
