import pytest
from django.core.management import CommandError, call_command

from django_roomchat.messages.post import post_message
from django_roomchat.models import Message, RoomLog

pytestmark = pytest.mark.django_db


def said():
    return list(Message.objects.order_by("pk").values_list("room__name", "body", "author_name", "kind"))


def test_it_says_something_in_the_name_of_the_site(capsys):
    call_command("roomchat_post", " My Room", "hi")

    assert said() == [("my room", "hi", "System", "system")]
    assert capsys.readouterr().out == "my room #1\n"


def test_it_says_something_under_a_name():
    call_command("roomchat_post", "lobby", "It rains", name="Weather")

    assert said() == [("lobby", "It rains", "Weather", "bot")]


def test_with_an_id_it_says_it_once(capsys):
    for _ in range(2):
        call_command("roomchat_post", "lobby", "hi", id="nightly-21")

    assert len(said()) == 1
    assert capsys.readouterr().out == "lobby #1\nlobby #1 (already posted)\n"


def test_it_is_quiet_when_asked(capsys):
    call_command("roomchat_post", "lobby", "hi", verbosity=0)

    assert (len(said()), capsys.readouterr().out) == (1, "")


@pytest.mark.parametrize(
    ("room", "text", "sentence"),
    [
        ("a/b", "hi", "A room's name cannot contain “/” or “\\”."),
        ("lobby", " ", "A message must contain text."),
    ],
)
def test_what_cannot_be_said_is_a_sentence_and_no_traceback(room, text, sentence):
    with pytest.raises(CommandError) as caught:
        call_command("roomchat_post", room, text)

    assert str(caught.value) == sentence


def test_an_audit_of_a_good_log_finds_nothing(capsys):
    post_message("lobby", "hi")

    call_command("roomchat_audit")
    call_command("roomchat_audit", verbosity=0)

    assert capsys.readouterr().out == "1 rooms verified, no problems.\n"


def test_an_audit_says_what_is_wrong(capsys):
    post_message("lobby", "hi")
    RoomLog.objects.update(head=2)

    with pytest.raises(CommandError) as caught:
        call_command("roomchat_audit")

    assert str(caught.value) == "2 problems in 1 rooms."
    assert capsys.readouterr().err.splitlines() == [
        "lobby: the head is 2, but 1 changes are accounted for",
        "lobby: the last change is 1, below the head 2",
    ]


@pytest.mark.parametrize(("options", "is_new"), [({}, False), ({"new_epoch": True}, True)])
def test_an_audit_may_make_every_client_start_over(options, is_new):
    post_message("lobby", "hi")
    before = RoomLog.objects.get().epoch

    call_command("roomchat_audit", verbosity=0, **options)

    assert (RoomLog.objects.get().epoch != before) == is_new


@pytest.mark.parametrize(
    ("arguments", "out", "left"),
    [
        (["--keep=1"], "lobby: 2\n2 messages pruned.\n", 1),
        (["--keep=1", "--dry-run"], "lobby: 2\n2 messages would be pruned.\n", 3),
        (["--keep=1", "--room=other"], "0 messages pruned.\n", 3),
        (["--days=1"], "0 messages pruned.\n", 3),
        (["--keep=1", "--verbosity=0"], "", 1),
    ],
)
def test_old_messages_are_forgotten_as_wanted(capsys, arguments, out, left):
    for body in "abc":
        post_message("lobby", body)

    call_command("roomchat_prune", *arguments)

    assert (capsys.readouterr().out, len(said())) == (out, left)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--keep=0"], "Error: argument --keep: a whole number above 0, not '0'"),
        (["--days=x"], "Error: argument --days: a whole number above 0, not 'x'"),
        (["--keep=1", "--room=a/b"], "A room's name cannot contain “/” or “\\”."),
    ],
)
def test_what_cannot_be_forgotten_is_a_sentence(arguments, sentence):
    with pytest.raises(CommandError) as caught:
        call_command("roomchat_prune", *arguments)

    assert str(caught.value) == sentence
