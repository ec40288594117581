"""What `benchmarks.serve` serves: the chat, and the two that it is measured beside."""
