"""Permissions: policies, roles, ranks, rate limits, and the audit trail."""

from django_roomchat.policy.permissions import allows as allows
from django_roomchat.policy.permissions import is_slowed as is_slowed
from django_roomchat.policy.permissions import no_such_room as no_such_room
from django_roomchat.policy.permissions import refusal as refusal
from django_roomchat.policy.permissions import require as require
from django_roomchat.policy.permissions import require_active as require_active
from django_roomchat.policy.permissions import require_attach as require_attach
from django_roomchat.policy.permissions import require_delete as require_delete
from django_roomchat.policy.permissions import require_edit as require_edit
from django_roomchat.policy.permissions import require_entry as require_entry
from django_roomchat.policy.permissions import require_may as require_may
from django_roomchat.policy.permissions import require_moderation as require_moderation
from django_roomchat.policy.permissions import require_post as require_post
from django_roomchat.policy.permissions import rights as rights
from django_roomchat.policy.policies import ALLOWED as ALLOWED
from django_roomchat.policy.policies import MEMBERS_ONLY as MEMBERS_ONLY
from django_roomchat.policy.policies import NO_PERMISSION as NO_PERMISSION
from django_roomchat.policy.policies import NOT_ALLOWED as NOT_ALLOWED
from django_roomchat.policy.policies import SIGN_IN as SIGN_IN
from django_roomchat.policy.policies import Decision as Decision
from django_roomchat.policy.policies import DjangoPermissionsPolicy as DjangoPermissionsPolicy
from django_roomchat.policy.policies import MembersPolicy as MembersPolicy
from django_roomchat.policy.policies import OpenPolicy as OpenPolicy
from django_roomchat.policy.policies import Policy as Policy
from django_roomchat.policy.policies import SignedInPolicy as SignedInPolicy
from django_roomchat.policy.policies import policy as policy
