"""Sessions and accounts that an identity depends on, and the notices of their changes."""

import pytest
from django.contrib.auth.models import User

from django_roomchat import pubsub
from django_roomchat.identity import Identity, of_user, sessions
from tests.support.sessions import change_password, in_database, sign_in, sign_out

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("clean_hub")]


@pytest.fixture
def told(monkeypatch):
    notices = []
    monkeypatch.setattr(pubsub, "publish", notices.append)
    return notices


async def test_a_users_socket_with_a_guests_session_is_bound_to_the_user_only():
    ana, _browser = await in_database(sign_in)()

    def bond():
        session = sessions.open_session(None)
        session["x"] = 1
        session.save()
        return sessions.bind_session(of_user(ana), session)

    made = await in_database(bond)()

    assert (made.user, made.session_key) == (ana, "")


async def test_who_is_no_user_of_djangos_is_bound_to_nothing_that_the_database_knows():
    made = sessions.bind_session(Identity("x:1", "X", user=object()), None)

    assert (made.user, made.session_key) == (None, "")


def test_the_layer_is_told_nothing_that_opens_anything(told):
    ana, browser = sign_in()
    key = browser.cookies["sessionid"].value

    sign_out(ana, browser)
    change_password(ana, browser)

    assert [notice.topic for notice in told] == ["session_over", "account_changed"]
    assert told[1].data == {"user": str(ana.pk)}
    assert key not in str(told) and len(told[0].data["session"]) == 32


def test_only_changes_of_accounts_that_may_matter_are_told(told):
    ana, _browser = sign_in()
    ana.first_name = "Ana"
    ana.save(update_fields=["first_name"])
    before = list(told)

    ana.save()

    assert (before, [notice.topic for notice in told]) == ([], ["account_changed"])


async def test_a_logout_without_a_request_sends_no_notice(told):
    from django.contrib.auth.signals import user_logged_out

    user_logged_out.send(User, request=None, user=None)

    assert told == []
