"""Stored files: rows, storage, content types, images, HTTP responses."""
