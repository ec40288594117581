"""Messages: post, edit, delete, react, pin, search, read markers."""
