"""A content filter for tests."""

from django_roomchat.errors import ChatError
from django_roomchat.filters import PASS, Change, Hold, Refuse
from django_roomchat.identity import Identity
from django_roomchat.messages.post import post_message
from django_roomchat.models import Message

ANA = Identity("g:ana", "Ana", is_guest=True)


def house_filter(room, who, body):
    """A content filter that acts according to the first word."""
    word, _, rest = body.partition(" ")
    if word == "fail":
        raise RuntimeError("The filter's own trouble.")
    answers = {
        "change": lambda: Change(rest.upper()),
        "refuse": lambda: Refuse("Not here.", code="rude"),
        "hold": lambda: Hold(f"{who.name} in {room.name}"),
        "empty": lambda: Change(" "),
        "wrong": lambda: True,
        "later": later,
        "bytes": lambda: Change(b"hi"),
        "number": lambda: Refuse(5),
        "list": lambda: Hold([]),
    }
    return answers.get(word, lambda: PASS)()


async def later():
    """An answer that nothing awaits."""


def answer(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code, error.detail, error.retry_after
    return None


def say(body, **options):
    return answer(post_message, "lobby", body, author=ANA, **options)


def texts():
    return list(Message.objects.order_by("seq").values_list("body", flat=True))
