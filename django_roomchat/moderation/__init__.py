"""Moderation: sanctions, reports, held messages, and the actions available to a moderator."""
