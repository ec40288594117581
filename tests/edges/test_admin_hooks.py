"""Webhooks in the admin: creation, the secret that is shown once, and deactivation."""

import re

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_roomchat.errors import NotFound
from django_roomchat.messages.post import post_message
from django_roomchat.models import AuditEntry, IncomingHook, Message, Room, Webhook
from django_roomchat.webhooks.incoming import hook_of, make_incoming_hook
from django_roomchat.webhooks.outgoing import make_webhook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def room():
    post_message("builds", "hi")
    return Room.objects.get()


def url(model, view="changelist", *about):
    return reverse(f"admin:roomchat_{model}_{view}", args=about)


def told(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def verbs():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", "by_name"))


@pytest.mark.parametrize("make", [make_webhook, make_incoming_hook])
def test_a_list_costs_the_same_whatever_its_length(admin_client, make):
    model = "webhook" if make is make_webhook else "incominghook"
    value = "https://example.com/" if make is make_webhook else "CI"
    make("room 1", value)
    admin_client.get(url(model))
    with CaptureQueriesContext(connection) as few:
        admin_client.get(url(model))
    for number in range(10):
        make(f"room {number}", value)

    with CaptureQueriesContext(connection) as many:
        page = admin_client.get(url(model))

    assert (page.context["cl"].result_count, len(many)) == (11, len(few))


def test_an_incoming_hook_is_made_and_its_address_shown_once(admin_client, room):
    response = admin_client.post(url("incominghook", "add"), {"room": room.pk, "name": "CI"})

    [sentence, _added] = told(response)
    [token] = re.findall(r"<code>http://testserver/chat/~/hook/([\w-]+)/</code>", sentence)
    hook = hook_of(token)
    assert (response.status_code, hook.name, verbs()) == (302, "CI", [("make_incoming_hook", "admin")])
    assert token in admin_client.get(url("incominghook")).content.decode()
    page = admin_client.get(url("incominghook", "change", hook.pk))
    assert token not in page.content.decode() and page.status_code == 200


def test_a_webhook_is_made_and_its_secret_shown_once(admin_client, room):
    response = admin_client.post(url("webhook", "add"), {"room": room.pk, "url": "https://example.com/x"})

    webhook = Webhook.objects.get()
    [sentence, _added] = told(response)
    assert (webhook.secret in sentence, webhook.cursor, verbs()) == (True, 1, [("make_webhook", "admin")])
    assert webhook.secret in admin_client.get(url("webhook")).content.decode()
    page = admin_client.get(url("webhook", "change", webhook.pk))
    assert webhook.secret not in page.content.decode() and page.status_code == 200


def test_a_webhook_without_tls_is_made_with_a_warning(admin_client, room):
    response = admin_client.post(url("webhook", "add"), {"room": room.pk, "url": "http://example.com/"})

    [_secret, warning, _added] = told(response)
    assert (warning, Webhook.objects.count()) == (
        "Deliveries to an http URL are not encrypted; use https.",
        1,
    )


def test_what_is_refused_is_a_sentence(admin_client, room):
    response = admin_client.post(url("webhook", "add"), {"room": room.pk, "url": "ftp://example.com/"})

    assert (response.status_code, Webhook.objects.count()) == (302, 0)
    assert "use an http or https URL" in told(response)[0]


def test_a_webhook_is_switched_off_and_on_again(admin_client):
    webhook = make_webhook("builds", "https://example.com/")
    Webhook.objects.update(failures=5, cursor=0)
    change = url("webhook", "change", webhook.pk)

    admin_client.post(change, {})
    webhook.refresh_from_db()
    off = (webhook.is_active, webhook.failures, webhook.cursor)
    admin_client.post(change, {"is_active": "on"})
    webhook.refresh_from_db()
    on = (webhook.is_active, webhook.failures, webhook.cursor)
    Webhook.objects.update(failures=2)
    admin_client.post(change, {"is_active": "on"})
    webhook.refresh_from_db()

    assert (off, on, webhook.failures) == ((False, 5, 0), (True, 0, 0), 2)


def test_a_webhook_is_tried_again_at_once(admin_client):
    webhook = make_webhook("builds", "https://example.com/")
    Webhook.objects.update(failures=5, is_active=False)

    admin_client.post(url("webhook"), {"action": "resume", "_selected_action": [webhook.pk]})

    webhook.refresh_from_db()
    assert (webhook.is_active, webhook.failures) == (True, 0)


def test_the_list_says_how_much_waits(admin_client):
    make_webhook("builds", "https://example.com/")
    for body in "abc":
        post_message("builds", body)

    page = admin_client.get(url("webhook"))

    assert '<td class="field-waiting">3</td>' in page.content.decode()


def test_a_hook_is_revoked(admin_client):
    hook, token = make_incoming_hook("builds", "CI")

    admin_client.post(url("incominghook"), {"action": "revoke", "_selected_action": [hook.pk]})

    with pytest.raises(NotFound):
        hook_of(token)
    assert verbs()[-1] == ("revoke_incoming_hook", "admin")


@pytest.mark.parametrize("model", ["webhook", "incominghook"])
@pytest.mark.parametrize("is_list", [True, False])
def test_what_is_deleted_is_on_the_record(admin_client, model, is_list):
    if model == "webhook":
        made = make_webhook("builds", "https://example.com/")
    else:
        made, _token = make_incoming_hook("builds", "CI")

    if is_list:
        chosen = {"action": "delete_selected", "_selected_action": [made.pk], "post": "yes"}
        admin_client.post(url(model), chosen)
    else:
        admin_client.post(url(model, "delete", made.pk), {"post": "yes"})

    assert (Webhook.objects.count(), IncomingHook.objects.count()) == (0, 0)
    assert verbs()[-1][1] == "admin"


def test_a_made_hook_cannot_be_renamed(admin_client):
    hook, _token = make_incoming_hook("builds", "CI")

    response = admin_client.post(url("incominghook", "change", hook.pk), {"name": "Other"})

    hook.refresh_from_db()
    assert (response.status_code, hook.name) == (403, "CI")


def test_who_may_do_nothing_in_the_admin_does_nothing(client, room):
    staff = User.objects.create_user("viewer", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_webhook"))
    client.force_login(staff)

    answer = client.post(url("webhook", "add"), {"room": room.pk, "url": "https://example.com/"})

    assert (answer.status_code, client.get(url("webhook")).status_code) == (403, 200)
    assert Message.objects.count() == 1
