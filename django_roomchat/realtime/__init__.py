"""The live part: sockets, fan-out, presence, and what happens without waiting for the database."""
