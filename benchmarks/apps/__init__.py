"""The applications that `benchmarks.serve` serves: the chat, and the two that it is compared with."""
