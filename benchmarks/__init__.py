"""How fast it is, measured beside the Channels tutorial's consumer and a bare ASGI loop: `python -m benchmarks`."""
