"""Digests of the secret tokens in URLs."""

from django_roomchat.identity.tokens import digest


def test_a_digest_is_the_sha_256_of_the_token():
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_token_of_half_a_surrogate_pair_has_a_digest():
    assert len(digest("\udc80")) == 64
