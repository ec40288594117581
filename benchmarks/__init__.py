"""Benchmarks of the chat, compared with the Channels tutorial's consumer and a bare ASGI loop: `python -m
benchmarks`.
"""
