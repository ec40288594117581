"""Moderation: sanctions, reports, held messages."""
