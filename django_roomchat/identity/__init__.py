"""Identities (users, guests, the site) and the credentials of requests and sockets."""

from django_roomchat.identity.account_names import is_account_name as is_account_name
from django_roomchat.identity.identities import ERASED_NAME as ERASED_NAME
from django_roomchat.identity.identities import GUEST_SESSION_KEY as GUEST_SESSION_KEY
from django_roomchat.identity.identities import NAME_MAX_LENGTH as NAME_MAX_LENGTH
from django_roomchat.identity.identities import Actor as Actor
from django_roomchat.identity.identities import Identity as Identity
from django_roomchat.identity.identities import Target as Target
from django_roomchat.identity.identities import identify as identify
from django_roomchat.identity.identities import identity_of as identity_of
from django_roomchat.identity.identities import is_site_key as is_site_key
from django_roomchat.identity.identities import key_of as key_of
from django_roomchat.identity.identities import new_guest as new_guest
from django_roomchat.identity.identities import of_user as of_user
from django_roomchat.identity.identities import person_of as person_of
from django_roomchat.identity.identities import site as site
from django_roomchat.identity.identities import who as who
