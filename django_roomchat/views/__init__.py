"""The views: pages, the JSON API, files, streams, hooks."""
