"""Texts that identify something have a binary collation on MySQL and MariaDB."""

import io

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

from django_roomchat import checks, database
from django_roomchat.models import KeyField

TEXTS = {
    "Attachment": {"content_type", "name"},
    "AuditEntry": {"by_name", "target_name", "verb"},
    "Ban": {"name", "reason"},
    "Block": {"name"},
    "HeldMessage": {"author_name", "reason", "state"},
    "IncomingHook": {"name"},
    "Invitation": {"role"},
    "JobRun": {"job"},
    "Membership": {"name", "role"},
    "Message": {"author_name", "kind"},
    "Mute": {"name", "reason"},
    "Presence": {"avatar", "name"},
    "Report": {"author_name", "by_name", "reason", "state"},
    "Room": {"title", "visibility"},
    "Webhook": {"last_error", "url"},
}
"""Columns whose texts are shown, or are one of a few constants."""


def test_every_other_column_of_text_is_a_key():
    found = {}
    for model in apps.get_app_config("roomchat").get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, models.CharField) and not isinstance(field, KeyField):
                found.setdefault(model.__name__, set()).add(field.name)

    assert found == TEXTS


def test_a_key_is_compared_byte_by_byte_on_mysql(monkeypatch):
    field = KeyField(max_length=10)
    usual = field.db_parameters(connection) | {"collation": None}
    monkeypatch.setattr(connection, "vendor", "mysql")

    assert field.db_parameters(connection) == usual | {"collation": "utf8mb4_bin"}
    assert KeyField(max_length=10).deconstruct()[1] == "django_roomchat.models.KeyField"


@pytest.mark.django_db(transaction=True)
def test_the_migration_does_nothing_on_other_databases():
    out = io.StringIO()
    call_command("sqlmigrate", "roomchat", "0008", stdout=out, no_color=True)

    lines = [line for line in out.getvalue().splitlines() if line and not line.startswith("--")]
    if connection.vendor == "mysql":
        assert sum(line.count("COLLATE `utf8mb4_bin`") for line in lines) == 34
    else:
        assert [line for line in lines if line not in ("BEGIN;", "COMMIT;")] == []


class _Cursor:
    """A cursor of a MariaDB of which two columns have the collation of the database."""

    def __enter__(self):
        return self

    def __exit__(self, *about):
        pass

    def execute(self, statement, parameters):
        assert parameters == [r"roomchat\_%", "utf8mb4%bin"]

    def fetchall(self):
        return [
            ("roomchat_room", "title"),
            ("roomchat_room", "direct_key"),
            ("roomchat_reaction", "emoji"),
            ("roomchat_room", "name"),
        ]


@pytest.mark.django_db
def test_columns_of_keys_without_it_are_named_with_the_statement_that_mends_them(monkeypatch):
    monkeypatch.setattr(connection, "vendor", "mysql")
    monkeypatch.setattr(connection, "cursor", _Cursor)

    [warning] = checks.check_roomchat_tables(None, databases=["default"])

    assert (warning.id, warning.hint.partition("stopped: ")[2]) == (
        "roomchat.W020",
        "ALTER TABLE roomchat_reaction MODIFY emoji varchar(64) COLLATE utf8mb4_bin NOT NULL; "
        "ALTER TABLE roomchat_room MODIFY direct_key varchar(64) COLLATE utf8mb4_bin NULL, "
        "MODIFY name varchar(300) COLLATE utf8mb4_bin NOT NULL;",
    )
    assert checks.check_roomchat_tables(None, databases=["other"]) == []
    monkeypatch.undo()
    assert database.columns_to_mend("default") == {}
