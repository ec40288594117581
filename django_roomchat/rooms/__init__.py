"""Rooms, their settings, members, invitations, and the people in them."""
