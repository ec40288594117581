"""Text as people type it: validation, links, mentions, emoji, confusable characters, Markdown. Imports no models."""
