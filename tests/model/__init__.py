"""A small model of the protocol, its usual mistakes, and what each of them breaks. See `protocol_model`."""
