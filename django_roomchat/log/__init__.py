"""Log of a room: append, change, read and announce messages, numbered without gaps in one order."""

from django_roomchat.log.announcing import announce as announce
from django_roomchat.log.announcing import on_commit as on_commit
from django_roomchat.log.appending import append as append
from django_roomchat.log.changes import change as change
from django_roomchat.log.changes import change_many as change_many
from django_roomchat.log.changes import prune as prune
from django_roomchat.log.changes import start_new_epoch as start_new_epoch
from django_roomchat.log.changes import verify as verify
from django_roomchat.log.drafts import Appended as Appended
from django_roomchat.log.drafts import Draft as Draft
from django_roomchat.log.drafts import Stored as Stored
from django_roomchat.log.events import QUOTE_LENGTH as QUOTE_LENGTH
from django_roomchat.log.events import iso as iso
from django_roomchat.log.events import quotes as quotes
from django_roomchat.log.reading import Slice as Slice
from django_roomchat.log.reading import State as State
from django_roomchat.log.reading import follow as follow
from django_roomchat.log.reading import page as page
from django_roomchat.log.reading import page_after as page_after
from django_roomchat.log.reading import pinned as pinned
from django_roomchat.log.reading import read as read
from django_roomchat.log.reading import states as states
from django_roomchat.log.reading import tail as tail
from django_roomchat.log.sequence import limited_wait as limited_wait
from django_roomchat.log.slow_mode import last_written as last_written
from django_roomchat.log.slow_mode import too_soon as too_soon
