"""The right to invite: a person's invitations end with it."""

import pytest

from django_roomchat import add_member, create_room, invite
from django_roomchat.identity import Identity
from django_roomchat.models import AuditEntry, Invitation, Membership
from django_roomchat.rooms import inviters, lookup

pytestmark = pytest.mark.django_db
ANA, BO = Identity("u:ana", "Ana"), Identity("u:bo", "Bo")


def test_only_invitations_that_the_person_may_no_longer_give_end():
    room = create_room("Board", visibility="private")
    for who in (ANA, BO):
        add_member(room, who, role="owner")
        for role in ("member", "moderator"):
            invite(room, by=who, role=role)

    def demote(locked):
        Membership.objects.filter(key=ANA.key).update(role="moderator")
        inviters.end_invitations(locked, ANA, by=BO)

    lookup.change_access(room, ANA.key, demote)

    ended = Invitation.objects.exclude(revoked_at=None)
    assert list(ended.values_list("by_key", "role")) == [(ANA.key, "moderator")]
    assert AuditEntry.objects.filter(verb="revoke_invitations").count() == 1


def test_a_change_that_takes_no_right_away_ends_nothing():
    room = create_room("Board", visibility="private")
    add_member(room, ANA, role="owner")
    invite(room, by=ANA)

    lookup.change_access(room, ANA.key, lambda locked: inviters.end_invitations(locked, ANA, by=BO))

    assert Invitation.objects.filter(revoked_at=None).count() == 1
    assert not AuditEntry.objects.filter(verb="revoke_invitations").exists()
