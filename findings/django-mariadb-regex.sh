#!/usr/bin/env bash
# Django and MariaDB: a class of letters in a regular expression finds other letters, as Django compares bytes.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "${server:-}" 2> /dev/null && wait "$server" || true; rm -rf "$work"' EXIT
PATH=$PATH:/usr/sbin

cat <<'TEXT'
Software: Django 6.1.3, mysqlclient 2.3.2, the MariaDB of this machine (needs Debian's mariadb-server, libmariadb-dev and gcc);
  for comparison SQLite
Expectation: filter(body__regex="^[éø]$") finds the texts é and ø on every database. Django's documentation says that the match is
  case-sensitive, and MariaDB's that patterns are matched by PCRE with UTF-8.
TEXT

"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install -qq --disable-pip-version-check django==6.1.3 mysqlclient==2.3.2
common=(--no-defaults "--datadir=$work/data")
[ "$(id -u)" != 0 ] || common+=(--user=root)
mariadb-install-db "${common[@]}" --auth-root-authentication-method=normal --skip-test-db > /dev/null
mariadbd "${common[@]}" --skip-networking "--socket=$work/socket" "--pid-file=$work/pid" > "$work/log" 2>&1 &
server=$!

cat > "$work/probe.py" <<'PY'
import sys
import time

import django
from django.conf import settings

kind, socket = sys.argv[1:]
own = {
    "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
    "mariadb": {"ENGINE": "django.db.backends.mysql", "NAME": "mysql", "USER": "root", "HOST": socket},
}
settings.configure(DATABASES={"default": own[kind]})
django.setup()
from django.db import DatabaseError, connection, models

ends = time.monotonic() + 30
while True:
    try:
        connection.ensure_connection()
        break
    except DatabaseError:
        if time.monotonic() > ends:
            raise
        time.sleep(0.2)
if kind == "mariadb":
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE probe CHARACTER SET utf8mb4")
        cursor.execute("USE probe")


class Message(models.Model):
    body = models.TextField()

    class Meta:
        app_label = "chat"


with connection.schema_editor() as editor:
    editor.create_model(Message)
for body in ("é", "ø", "è", "ß", "e"):
    Message.objects.create(body=body)
found = [
    sorted(Message.objects.filter(body__regex=pattern).values_list("body", flat=True))
    for pattern in ("^[éø]$", "^[éø]", "^(é|ø)$")
]
print(f"Seen: {connection.display_name}: ^[éø]$ {found[0]}, ^[éø] {found[1]}, ^(é|ø)$ {found[2]}")
expected = {
    "sqlite": [["é", "ø"], ["é", "ø"], ["é", "ø"]],
    "mariadb": [[], ["ß", "è", "é", "ø"], ["é", "ø"]],
}
assert found == expected[kind], found
PY
timeout 50 "$work/venv/bin/python" "$work/probe.py" sqlite "$work/socket"
timeout 50 "$work/venv/bin/python" "$work/probe.py" mariadb "$work/socket"

cat <<'TEXT'
Consequence: a search by a class of the forms of a letter misses texts and finds others. Write alternatives, or use an expression
  of your own with REGEXP and (?-i) instead of Django's REGEXP BINARY.
TEXT
