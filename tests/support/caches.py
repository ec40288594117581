"""The caches that a process of the site keeps between requests."""

from django_roomchat.identity import account_names, guests
from django_roomchat.policy import rate_limits, roles
from django_roomchat.rooms import lookup


def clear_caches() -> None:
    """Clear the caches of rooms, roles, guests' names and rate limits. A process that has started has empty ones."""
    lookup.remembered.clear()
    roles._known.clear()
    guests._names.clear()
    account_names._known = 0.0, frozenset()
    rate_limits._full_at.clear()
