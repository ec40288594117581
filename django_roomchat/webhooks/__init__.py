"""Webhooks: incoming hooks, outgoing webhooks, their worker and signatures."""
