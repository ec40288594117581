import pytest

from django_roomchat.identity.origins import refusal

OTHERS = "; allow other origins in ROOMCHAT['ALLOWED_ORIGINS'], and behind a proxy that terminates TLS set SECURE_PROXY_SSL_HEADER"


@pytest.fixture(autouse=True)
def _site(settings):
    settings.ALLOWED_HOSTS = ["example.com", ".example.org", "[::1]", "localhost"]


def scope(origin=None, host="example.com", scheme="ws", *more):
    headers = [(b"host", host.encode())] if host is not None else []
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    return {"type": "websocket", "scheme": scheme, "headers": [*headers, *more]}


def stranger(origin, own="http://example.com"):
    return f"its Origin is {origin!r} and this site is {own}{OTHERS}"


def other_port(origin, own):
    return (
        f"its Origin is {origin!r} and this site is {own}; only the port differs: a proxy must forward it in Host "
        "(nginx: $http_host), or allow the other port in ROOMCHAT['ALLOWED_ORIGINS']"
    )


def malformed(origin):
    return f"its Origin {origin!r} is not a scheme, a host and an optional port"


@pytest.mark.parametrize(
    ("origin", "host", "scheme"),
    [
        (None, "example.com", "ws"),
        ("http://example.com", "example.com", "ws"),
        ("http://example.com:80", "example.com", "ws"),
        ("http://example.com", "example.com:80", "ws"),
        ("HTTP://Example.COM", "EXAMPLE.com", "ws"),
        ("http://example.com:8000", "example.com:8000", "ws"),
        ("https://example.com", "example.com", "wss"),
        ("https://example.com", "example.com:443", "wss"),
        ("https://a.example.org", "a.example.org", "wss"),
        ("http://[::1]:8000", "[::1]:8000", "ws"),
        ("http://[::1]", "[::1]", "ws"),
        ("http://localhost:8000", "localhost:8000", "http"),
    ],
)
def test_the_sites_own_page_may_open_a_socket(origin, host, scheme):
    assert refusal(scope(origin, host, scheme)) is None


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "reason"),
    [
        ("http://evil.example", "example.com", "ws", stranger("http://evil.example")),
        ("http://example.com.evil.example", "example.com", "ws", stranger("http://example.com.evil.example")),
        ("http://sub.example.com", "example.com", "ws", stranger("http://sub.example.com")),
        (
            "http://example.com:8000",
            "example.com",
            "ws",
            other_port("http://example.com:8000", "http://example.com"),
        ),
        (
            "http://example.com:443",
            "example.com",
            "ws",
            other_port("http://example.com:443", "http://example.com"),
        ),
        (
            "http://example.com",
            "example.com:8000",
            "ws",
            other_port("http://example.com", "http://example.com:8000"),
        ),
        ("https://example.com", "example.com", "ws", stranger("https://example.com")),
        ("http://example.com", "example.com", "wss", stranger("http://example.com", "https://example.com")),
        ("http://[::2]", "[::1]", "ws", stranger("http://[::2]", "http://[::1]")),
        ("http://[::1]:8001", "[::1]:8000", "ws", other_port("http://[::1]:8001", "http://[::1]:8000")),
        ("null", "example.com", "ws", malformed("null")),
        ("", "example.com", "ws", malformed("")),
        ("example.com", "example.com", "ws", malformed("example.com")),
        ("file://", "example.com", "ws", malformed("file://")),
        ("chrome-extension://abc", "example.com", "ws", malformed("chrome-extension://abc")),
        ("http://", "example.com", "ws", malformed("http://")),
        ("http://example.com/", "example.com", "ws", malformed("http://example.com/")),
        ("http://example.com?x", "example.com", "ws", malformed("http://example.com?x")),
        ("http://example.com#x", "example.com", "ws", malformed("http://example.com#x")),
        ("http://me@example.com", "example.com", "ws", malformed("http://me@example.com")),
        ("http://example.com:x", "example.com", "ws", malformed("http://example.com:x")),
        ("http://example.com:99999", "example.com", "ws", malformed("http://example.com:99999")),
        ("http://[::1", "[::1]", "ws", malformed("http://[::1")),
        (
            "http://example.com:0",
            "example.com",
            "ws",
            other_port("http://example.com:0", "http://example.com"),
        ),
    ],
)
def test_another_page_may_not_and_the_reason_is_given(origin, host, scheme, reason):
    assert refusal(scope(origin, host, scheme)) == reason


@pytest.mark.parametrize("host", ["evil.example", "", "exa mple.com", None])
def test_a_host_that_is_not_the_sites_makes_nobody_the_sites_own(host):
    origin = f"http://{host or 'example.com'}"

    reason = refusal(scope(origin.replace(" ", ""), host))

    assert reason == (
        f"its Origin is {origin.replace(' ', '')!r} and this site is unknown because its Host is not in ALLOWED_HOSTS{OTHERS}"
    )


def test_two_origins_are_refused():
    assert refusal(scope("http://example.com", "example.com", "ws", (b"Origin", b"http://example.com"))) == (
        "it has 2 Origin headers"
    )


def test_the_names_of_headers_may_be_written_in_any_case():
    assert refusal({"headers": [(b"Host", b"example.com"), (b"Origin", b"http://evil.example")]}) == stranger(
        "http://evil.example"
    )


def test_without_any_headers_it_is_no_browser():
    assert refusal({}) is None


@pytest.mark.parametrize(
    ("pattern", "origin", "is_let_in"),
    [
        ("https://app.example.net", "https://app.example.net", True),
        ("https://app.example.net", "https://app.example.net:443", True),
        ("https://app.example.net:443", "https://app.example.net", True),
        ("https://app.example.net", "http://app.example.net", False),
        ("https://app.example.net", "https://app.example.net:8443", False),
        ("https://app.example.net:8443", "https://app.example.net:8443", True),
        ("https://app.example.net", "https://x.app.example.net", False),
        ("https://*.example.net", "https://a.example.net", True),
        ("https://*.example.net", "https://a.b.example.net", True),
        ("https://*.example.net", "https://example.net", False),
        ("https://*.example.net", "http://a.example.net", False),
        ("https://*.example.net", "https://a.example.net:8443", False),
        ("https://*.example.net:8443", "https://a.example.net:8443", True),
        ("https://*.example.net", "https://aexample.net", False),
        ("https://*.example.net", "https://a.example.net.evil.example", False),
        ("*", "http://evil.example", True),
        ("http://[::1]:3000", "http://[::1]:3000", True),
    ],
)
@pytest.mark.parametrize("setting", ["ALLOWED_ORIGINS", "CSRF_TRUSTED_ORIGINS"])
def test_other_pages_are_let_in_by_name(settings, setting, pattern, origin, is_let_in):
    before = refusal(scope(origin))

    if setting == "ALLOWED_ORIGINS":
        settings.ROOMCHAT = {"ALLOWED_ORIGINS": [pattern]}
    else:
        settings.CSRF_TRUSTED_ORIGINS = [pattern]

    assert before == stranger(origin)
    assert (refusal(scope(origin)) is None) == is_let_in


def test_where_only_the_port_differs_the_reason_names_the_header_of_the_proxy():
    reason = refusal(scope("https://example.com:8443", "example.com", "wss"))

    assert reason == other_port("https://example.com:8443", "https://example.com")


def test_behind_a_proxy_that_ends_tls_the_page_is_secure(settings):
    forwarded = scope("https://example.com", "example.com", "ws", (b"x-forwarded-proto", b"https, http"))
    before = refusal(forwarded)

    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert (before, refusal(forwarded)) == (stranger("https://example.com"), None)


def test_behind_such_a_proxy_a_plain_page_is_plain(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    reason = refusal(scope("https://example.com", "example.com", "wss", (b"x-forwarded-proto", b"http")))

    assert reason == stranger("https://example.com")


def test_without_the_proxys_header_the_connection_itself_counts(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    assert refusal(scope("https://example.com", "example.com", "wss")) is None


def test_the_host_that_a_proxy_forwards_counts_where_the_site_says_so(settings):
    forwarded = scope("http://example.com", "inner", "ws", (b"x-forwarded-host", b"example.com"))
    before = refusal(forwarded)

    settings.USE_X_FORWARDED_HOST = True

    assert "this site is unknown" in before
    assert refusal(forwarded) is None


def test_where_nothing_is_forwarded_the_host_itself_counts(settings):
    settings.USE_X_FORWARDED_HOST = True

    assert refusal(scope("http://example.com")) is None


@pytest.mark.parametrize(("debug", "is_let_in"), [(True, True), (False, False)])
def test_without_allowed_hosts_only_a_developers_machine_is_the_site(settings, debug, is_let_in):
    settings.ALLOWED_HOSTS = []
    settings.DEBUG = debug

    answers = [
        refusal(scope(f"http://{host}", host)) is None
        for host in ("localhost:8000", "a.localhost", "[::1]:8000")
    ]

    assert answers == [is_let_in] * 3
    assert refusal(scope("http://example.com")) is not None
