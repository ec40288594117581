"""Maximum size of stored files that were uploaded and never sent, for an IP address and for the site."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from django_roomchat.errors import RateLimited
from django_roomchat.files import images, records
from django_roomchat.identity import site
from django_roomchat.messages.attachments import cancel_upload
from django_roomchat.models import Attachment
from django_roomchat.policy import rate_limits
from tests.support.attachments import ANA, BO, MOD, say, told, upload
from tests.support.http_files import UPLOADS
from tests.support.refusals import code
from tests.support.uploads import picture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("media_folder")]
HERE, THERE = "8.8.8.8", "8.8.4.4"
TEN = b"0123456789"


def upload_from(address, author=ANA, content=TEN):
    with rate_limits.coming_from(address):
        return upload(content, author=author)


def test_the_unsent_files_of_an_address_have_a_maximum(settings):
    settings.ROOMCHAT = {"ADDRESS_MAX_UNSENT_BYTES": 25}
    upload_from(HERE)
    upload_from(HERE, BO)

    with rate_limits.coming_from(HERE):
        refusal = told(upload, TEN, author=MOD)

    assert refusal == "Too many files from your network wait to be sent; try again later."
    assert (code(upload_from, HERE, MOD), code(upload_from, HERE, MOD, TEN[:5])) == ("rate_limited", None)
    assert (code(upload_from, THERE, MOD), code(upload_from, "", MOD), code(upload, author=MOD)) == (
        None,
    ) * 3


@pytest.mark.parametrize("end", [lambda file: say(file), lambda file: cancel_upload(ANA, "lobby", file.pk)])
def test_a_file_that_is_sent_or_cancelled_does_not_count(settings, end):
    settings.ROOMCHAT = {"ADDRESS_MAX_UNSENT_BYTES": 10, "SITE_MAX_UNSENT_BYTES": 10}
    file = upload_from(HERE)
    before = code(upload_from, HERE)
    end(file)

    assert (before, code(upload_from, HERE)) == ("rate_limited", None)


def test_the_unsent_files_of_the_site_have_a_maximum_and_the_log_says_what_to_do(settings, caplog):
    settings.ROOMCHAT = {"SITE_MAX_UNSENT_BYTES": 25}
    upload_from(HERE)
    upload_from(THERE, BO)

    refusals = [told(upload, TEN, author=MOD), code(upload_from, HERE, MOD)]

    assert refusals == ["The server has no space for uploads; try again later.", "unavailable"]
    assert [record.getMessage() for record in caplog.records] == [
        "Uploads are refused: files that were never sent take up SITE_MAX_UNSENT_BYTES (25). Run roomchat_prune daily"
    ]


def test_files_of_the_site_itself_are_not_limited(settings):
    settings.ROOMCHAT = {"SITE_MAX_UNSENT_BYTES": 5}

    assert (code(upload, TEN, author=ANA), code(upload, TEN, author=site())) == ("unavailable", None)


def test_without_limits_nothing_is_refused(settings):
    settings.ROOMCHAT = {"ADDRESS_MAX_UNSENT_BYTES": None, "SITE_MAX_UNSENT_BYTES": None}

    assert [code(upload_from, HERE) for _ in range(3)] == [None] * 3


def test_an_upload_without_space_is_refused_before_an_image_is_opened(settings, monkeypatch):
    settings.ROOMCHAT = {"SITE_MAX_UNSENT_BYTES": 100}
    monkeypatch.setattr(images, "reencode", lambda *about: pytest.fail("the image was opened"))

    assert code(upload, picture("PNG", (100, 100)), "field.png") == "unavailable"


def test_the_address_is_kept_as_a_keyed_digest_until_the_file_is_sent(settings):
    file = upload_from(HERE)
    kept = file.address_digest
    settings.SECRET_KEY = "another"
    other_key = records.address_digest(HERE)
    say(file)
    file.refresh_from_db()

    assert (len(kept), HERE in kept, kept == other_key, file.address_digest) == (64, False, False, "")
    assert records.address_digest(None) == records.address_digest("") == ""


def test_over_http_the_address_of_the_request_counts(settings):
    settings.ROOMCHAT = {"ADDRESS_MAX_UNSENT_BYTES": 15}

    def post(address):
        form = {"file": SimpleUploadedFile("a.txt", TEN)}
        return Client(REMOTE_ADDR=address).post(UPLOADS, form)

    answers = [post(HERE), post(HERE), post(THERE)]

    assert [answer.status_code for answer in answers] == [201, 429, 201]
    assert (answers[1].headers["Retry-After"], Attachment.objects.count()) == ("600", 2)


def test_the_error_says_when_to_try_again():
    with pytest.raises(RateLimited) as caught:
        records.require_space(2**40, records.address_digest(HERE))

    assert caught.value.retry_after == 600
