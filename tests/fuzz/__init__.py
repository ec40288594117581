"""Frames that are none, or nearly: made from a seed, so that every one of them can be made again."""
