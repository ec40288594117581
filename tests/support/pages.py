"""Requests and responses for tests of views."""

import html
import json

from django.urls import reverse


def url_of(name, view="room"):
    return reverse(f"roomchat:{view}", args=[name])


def text_of(response):
    return html.unescape(response.content.decode())


def post_json(client, name, content, **options):
    body = content if isinstance(content, (str, bytes)) else json.dumps(content)
    return client.post(url_of(name, "messages"), body, content_type="application/json", **options)
