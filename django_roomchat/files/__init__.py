"""Stored files: their rows, the storage, the detection of content types, re-encoded images, and HTTP transfer.

The chapter knows rooms and messages only as keys of rows. :mod:`django_roomchat.messages.attachments` decides who may upload.
"""
