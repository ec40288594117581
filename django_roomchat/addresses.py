"""Where the package's own views are, for what is told of them outside of a request."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def address_of(view: str, *about: str) -> str:
    """The path of one of our views by its name, such as ``"room"``; empty where the project has left our pages out."""
    try:
        return reverse(f"roomchat:{view}", args=about)
    except NoReverseMatch:
        return ""
