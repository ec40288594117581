"""The commands roomchat_export and roomchat_erase."""

import json

import pytest
from django.core.management import CommandError, call_command

from django_roomchat.models import (
    Ban,
    Message,
)
from tests.support.privacy import BOB, leave_traces, make_ana

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana():
    return make_ana()


@pytest.fixture
def life(ana):
    """A user with rows in every table."""
    leave_traces(ana)
    return ana


@pytest.mark.parametrize("typed", ["ana", "id:{pk}", "u:{pk}"])
def test_the_command_hands_out(life, capsys, typed):
    call_command("roomchat_export", typed.format(pk=life.pk))

    exported = json.loads(capsys.readouterr().out)
    assert [row["body"] for row in exported["messages"]][:2] == ["I grow tomatoes", "My number is 555"]


@pytest.mark.parametrize("typed", ["nobody", "id:0", "id:abc", "id:"])
def test_the_commands_say_that_there_is_no_such_user(ana, typed):
    for command in ("roomchat_export", "roomchat_erase"):
        with pytest.raises(CommandError, match="There is no user"):
            call_command(command, typed)


def test_the_command_erases_after_a_question(life, capsys, monkeypatch):
    questions = []
    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("roomchat_erase", "ana")
    assert Message.objects.filter(author=life).count() == 4

    monkeypatch.setattr("builtins.input", lambda question: questions.append(question) or "yes")
    call_command("roomchat_erase", "ana")

    assert questions == ["Erase ana? This cannot be undone. Type yes: "] * 2
    assert capsys.readouterr().out == "4 messages in 2 rooms erased.\n"
    assert Message.objects.filter(author=life).count() == 0


def test_the_command_erases_without_a_question_and_lifts_bans(life, capsys):
    call_command("roomchat_erase", "ana", "--noinput", "--lift-sanctions", verbosity=0)

    assert capsys.readouterr().out == ""
    assert list(Ban.objects.values_list("key", flat=True)) == [BOB.key]
