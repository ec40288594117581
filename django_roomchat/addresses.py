"""URLs of the package's views, for use outside a request."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def address_of(view: str, *about: str) -> str:
    """Return the URL path of one of the package's views.

    Args:
        view: name of the view, such as ``"room"``.
        about: positional arguments of the URL pattern.

    Returns:
        The path, or an empty string if the project does not include the package's URLs.
    """
    try:
        return reverse(f"roomchat:{view}", args=about)
    except NoReverseMatch:
        return ""
