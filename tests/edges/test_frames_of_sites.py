"""Pages that are requested in a frame: what the server logs."""

import pytest

pytestmark = pytest.mark.django_db

OPTIONS = "django.middleware.clickjacking.XFrameOptionsMiddleware"
EMPTY = "%r was requested in a frame. Unless the view is exempt, X-Frame-Options = %r keeps the frame empty"
NO_COOKIES = "%r was requested in a frame of another site, where browsers send no session cookie"


def logged(caplog):
    return [record.msg.partition(";")[0].partition(" with ")[0] for record in caplog.records]


@pytest.mark.parametrize(
    ("destination", "origin", "options", "same_site", "expected"),
    [
        ("iframe", "cross-site", "DENY", "Lax", [EMPTY]),
        ("iframe", "same-origin", "DENY", "Lax", [EMPTY]),
        ("embed", "same-site", "SAMEORIGIN", "None", [EMPTY]),
        ("frame", "cross-site", None, "Lax", [NO_COOKIES]),
        ("object", "cross-site", None, "Strict", [NO_COOKIES]),
        ("iframe", "cross-site", None, "None", []),
        ("iframe", "same-origin", "SAMEORIGIN", "Lax", []),
        ("iframe", "same-site", None, "Lax", []),
        ("document", "cross-site", "DENY", "Lax", []),
        (None, None, "DENY", "Lax", []),
    ],
)
@pytest.mark.parametrize("path", ["/chat/", "/chat/lobby/"])
def test_a_frame_that_stays_empty_or_gets_no_cookies_is_logged(
    client, settings, caplog, path, destination, origin, options, same_site, expected
):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OPTIONS or options]
    settings.X_FRAME_OPTIONS = options or "DENY"
    settings.SESSION_COOKIE_SAMESITE = same_site
    headers = {"Sec-Fetch-Dest": destination, "Sec-Fetch-Site": origin} if destination else {}

    for _ in range(2):
        response = client.get(path, headers=headers)

    assert response.status_code == 200
    assert logged(caplog) == expected
    assert all(path in record.getMessage() for record in caplog.records)
