#!/usr/bin/env bash
# Django: union() of querysets without an order is ordered by Meta.ordering in 6.1, and fails if its column is not selected.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat <<'TEXT'
Software: Django 6.1.3; for comparison 5.2.19
Expectation: order_by() without arguments removes every order, that of Meta.ordering too, and union() adds none. The union of
  two such value lists returns their rows on both versions.
TEXT

cat > "$work/probe.py" <<'PY'
import sys

import django
from django.conf import settings

settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.db import DatabaseError, connection, models


class Room(models.Model):
    name = models.CharField(max_length=9)

    class Meta:
        app_label = "rooms"
        ordering = ["name"]


with connection.schema_editor() as editor:
    editor.create_model(Room)
for name in ("b", "a"):
    Room.objects.create(name=name)
unordered = Room.objects.order_by().values_list("pk")
first, second = unordered.filter(pk=1), unordered.filter(pk=2)
try:
    seen = sorted(first.union(second, all=True))
except DatabaseError as error:
    seen = str(error)
print(f"Seen: Django {django.__version__}: union: {seen}; its parts: {first.query.order_by}, {second.query.order_by}")
assert sorted(first.union(second, all=True).order_by()) == [(1,), (2,)]
assert seen == {"6.1.3": "ORDER BY term does not match any column in the result set.", "5.2.19": [(1,), (2,)]}[django.__version__]
PY

for version in 5.2.19 6.1.3; do
    "${PYTHON:-python3}" -m venv "$work/$version"
    "$work/$version/bin/pip" install -qq --disable-pip-version-check "django==$version"
    timeout 50 "$work/$version/bin/python" "$work/probe.py"
done

cat <<'TEXT'
Consequence: a query that counts for many rooms at once works on Django 5.2 and fails on 6.1, as rooms have an order by name.
  Call order_by() on the union, too.
TEXT
