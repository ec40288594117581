"""Fault injection with real processes: members post, a nemesis injects faults, and a checker examines the results."""
