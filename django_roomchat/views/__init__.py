"""Views: pages, JSON API, files, event streams, incoming hooks."""
