"""Moderation: bans and mutes, reports of messages, and messages held by the content filter."""

from django_roomchat.moderation.held import arefuse as arefuse
from django_roomchat.moderation.held import arelease as arelease
from django_roomchat.moderation.held import refuse as refuse
from django_roomchat.moderation.held import release as release
from django_roomchat.moderation.reports import adismiss as adismiss
from django_roomchat.moderation.reports import auphold as auphold
from django_roomchat.moderation.reports import dismiss as dismiss
from django_roomchat.moderation.reports import uphold as uphold
from django_roomchat.moderation.sanctions import Sanctioned as Sanctioned
