"""A router that keeps users and the chat in one database, and everything else in another."""

from typing import Any

COMMUNITY = {"admin", "auth", "contenttypes", "roomchat"}


class Router:
    """The chat's tables are also in a replica, which lags behind: it is always empty."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        if model._meta.app_label == "roomchat":
            return "replica"
        return self.db_for_write(model)

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "community" if model._meta.app_label in COMMUNITY else "default"

    def allow_relation(self, one: Any, other: Any, **hints: Any) -> bool:
        return one._meta.app_label in COMMUNITY and other._meta.app_label in COMMUNITY

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db != "default") == (app_label in COMMUNITY)
