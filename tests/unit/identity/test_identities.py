from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.test import RequestFactory

from django_roomchat import post_message, read_history
from django_roomchat.conf.hooks import HookError, dotted_path
from django_roomchat.errors import TryAgain
from django_roomchat.identity import GUEST_SESSION_KEY, Identity, identify, new_guest, of_user, site, who
from tests.support.policies import raising


class Signed:
    """A user of a user model that is not Django's."""

    pk = "0b1c"
    is_authenticated = True

    def __init__(self, name):
        self.name = name

    def get_username(self):
        return self.name


def request_of(user=None, session=None):
    request = RequestFactory().get("/")
    if user is not None:
        request.user = user
    if session is not None:
        request.session = session
    return request


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (User(pk=12, username="ana"), "ana"),
        (User(pk=12, username="ana@example.com"), "ana"),
        (User(pk=12, username="ana", first_name="Ana", last_name="Ng"), "Ana Ng"),
        (User(pk=12, username="ana", first_name=" "), "ana"),
        (User(pk=12, username="@ana"), "@ana"),
        (User(pk=12, username="a" * 150, first_name="b" * 150, last_name="c" * 150), "b" * 150),
    ],
)
def test_others_see_a_users_name_and_never_an_address(user, name):
    assert of_user(user) == Identity("u:12", name, user=user)


def test_any_user_model_will_do():
    user = Signed("ana@example.com")

    assert of_user(user) == Identity("u:0b1c", "ana", user=user)


def test_two_guests_are_two_people():
    one, other = new_guest(), new_guest()

    assert one.key != other.key
    assert (one.key[:2], len(one.key), one.name[:6], one.user, one.is_guest, one.is_site) == (
        "g:", 34, "Guest ", None, True, False,
    )  # fmt: skip


def test_the_site_speaks_under_a_name_of_its_choice_which_is_always_the_same_author():
    assert site("Weather") == site("Weather") != site("News")
    assert (site("Weather").name, site("Weather").is_site, site("Weather").is_guest) == (
        "Weather",
        True,
        False,
    )


def test_without_a_name_the_site_is_the_system():
    assert site().name == "System"


def test_the_sites_name_fits_its_column():
    assert site("x" * 200).name == "x" * 150


@pytest.mark.parametrize("as_request", [True, False])
def test_who_has_signed_in_is_that_user(as_request):
    user = User(pk=12, username="ana")

    assert identify(request_of(user) if as_request else {"user": user}) == of_user(user)


@pytest.mark.parametrize(
    "source",
    [{}, {"user": AnonymousUser()}, {"user": AnonymousUser(), "session": SimpleNamespace(session_key=None)}],
)
def test_a_socket_without_a_session_is_a_new_guest_each_time(source):
    one, other = identify(source), identify(source)

    assert (one.is_guest, one.key == other.key) == (True, False)


def test_a_request_without_sessions_is_a_new_guest():
    assert identify(request_of()).is_guest


@pytest.mark.django_db
def test_a_guest_stays_the_same_for_the_session():
    session = SessionStore()

    first = identify(request_of(AnonymousUser(), session))

    assert identify(request_of(AnonymousUser(), session)) == first
    assert session[GUEST_SESSION_KEY] == {"key": first.key, "name": first.name}


@pytest.mark.django_db
def test_the_guest_of_the_page_is_the_guest_of_its_socket():
    session = SessionStore()
    on_the_page = identify(request_of(AnonymousUser(), session))
    session.save()

    assert identify({"session": SessionStore(session.session_key)}) == on_the_page


@pytest.mark.django_db
def test_a_guest_whom_a_socket_meets_first_is_kept_for_the_next_one():
    session = SessionStore()
    session.create()

    guest = identify({"session": session})

    assert identify({"session": SessionStore(session.session_key)}) == guest


@pytest.mark.django_db
def test_a_page_leaves_saving_to_the_middleware():
    session = SessionStore()
    session.create()

    identify(request_of(AnonymousUser(), session))

    assert session.modified
    assert GUEST_SESSION_KEY not in SessionStore(session.session_key)


def test_a_project_may_say_itself_who_speaks(settings):
    settings.ROOMCHAT = {"IDENTITY": lambda source: Identity("x:1", source["name"])}

    assert who({"name": "Zoë"}) == Identity("x:1", "Zoë")


# Pictures and profiles ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("avatar", "link", "shown"),
    [
        ("/media/ana.png", "https://example.com/ana", ("/media/ana.png", "https://example.com/ana")),
        ("", "", ("", "")),
        ("javascript:alert(1)", "//evil.example", ("", "")),
        ("/\\evil.example", '/"onclick=', ("", "")),
        ("HTTP://example.com/a b", "http://example.com/a", ("", "http://example.com/a")),
    ],
)
def test_a_message_keeps_the_picture_and_the_profile_of_its_author_where_they_are_safe_to_show(
    avatar, link, shown
):
    post_message("lobby", "hi", author=Identity("x:1", "Ana", avatar=avatar, link=link))

    [event] = read_history("lobby", by=site()).messages

    assert (event.author.avatar, event.author.link) == shown


# Answers of the hook ----------------------------------------------------------------------------------------------


async def coroutine(source):
    return Identity("g:1", "Ana")


ANSWERS = {
    "None": (lambda source: None, "returned None"),
    "a tuple": (lambda source: ("g:1", "Ana"), "returned ('g:1', 'Ana')"),
    "a user": (lambda source: User(pk=1, username="ana"), "returned <User: ana>"),
    "a coroutine": (coroutine, "returned coroutine coroutine (it is asynchronous)"),
    "a number as key": (
        lambda source: Identity(5, "Ana"),
        "returned an Identity whose key must be a str of 1 to 100 printable characters, not 5",
    ),
    "an empty key": (lambda source: Identity("", "Ana"), "returned an Identity whose key must be"),
    "a long key": (lambda source: Identity("k" * 101, "Ana"), "returned an Identity whose key must be"),
    "a control character in the key": (
        lambda source: Identity("g:\0", "Ana"),
        "returned an Identity whose key must be",
    ),
    "no name": (
        lambda source: Identity("g:1", None),
        "returned an Identity whose name must be a str of at most 150 characters, not None",
    ),
    "a long name": (lambda source: Identity("g:1", "n" * 151), "returned an Identity whose name must be"),
    "NUL in the name": (lambda source: Identity("g:1", "A\0na"), "returned an Identity whose name must be"),
    "a flag that is no bool": (
        lambda source: Identity("g:1", "Ana", is_site="no"),
        "returned an Identity whose is_site must be True or False, not 'no'",
    ),
    "no avatar": (
        lambda source: Identity("g:1", "Ana", avatar=None),
        "returned an Identity whose avatar must be a str that can be stored, not None",
    ),
    "an exception": (raising(AttributeError("no session")), "raised AttributeError('no session')"),
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("identify", "what"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_is_no_identity_raises_with_the_name_of_the_hook(settings, identify, what):
    settings.ROOMCHAT = {"IDENTITY": lambda source: Identity("k" * 100, "n" * 150)}
    longest = who({})
    settings.ROOMCHAT = {"IDENTITY": identify}

    with pytest.raises(HookError) as caught:
        who({})

    assert (len(longest.key), len(longest.name)) == (100, 150)
    assert str(caught.value).startswith(f"ROOMCHAT['IDENTITY'] ({dotted_path(identify)}) {what}")


@pytest.mark.parametrize(
    "error", [PermissionDenied("no"), OperationalError("gone"), Http404(), TryAgain("later")]
)
def test_an_exception_with_a_meaning_of_its_own_is_passed_on(settings, error):
    settings.ROOMCHAT = {"IDENTITY": raising(error)}

    with pytest.raises(type(error)) as caught:
        who({})

    assert caught.value is error
