"""The test project under the strictest content security policy that a chat can have."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from tests.settings import *  # noqa: F403  (the same project)
from tests.settings import MIDDLEWARE as PLAIN_MIDDLEWARE

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


def strict(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Django has a middleware for this from 6.0 on, django-csp before; the header is the same."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return answer


MIDDLEWARE = ["tests.browser.strict_settings.strict", *PLAIN_MIDDLEWARE]
