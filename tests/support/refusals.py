"""The error code with which a call is rejected, if it is."""

from django_roomchat.errors import ChatError


def code(act, *about, **options):
    try:
        act(*about, **options)
    except ChatError as error:
        return error.code
    return None
