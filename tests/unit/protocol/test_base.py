"""Close codes and parsed names of rooms."""

from django_roomchat import protocol
from django_roomchat.protocol import RoomName


def test_every_close_code_has_its_reason():
    codes = {
        value for name, value in vars(protocol).items() if name.startswith("CLOSE_") and name != "CLOSE_CODES"
    }

    assert set(protocol.CLOSE_CODES) == codes
    assert codes == {4001, 4003, 4004, 4008, 4012, 4029, 4503}


def test_a_parsed_name_is_the_canonical_one_and_keeps_its_spelling():
    name = RoomName(" LOBBY", 100)

    assert (name, name.typed, hash(name), type(str(name))) == ("lobby", " LOBBY", hash("lobby"), str)
