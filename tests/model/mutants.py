"""The usual mistakes. Each is the design with something decided otherwise, and turns a named check red."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.model.protocol_model import run
from tests.model.rules import (
    ACKED,
    GAPLESS,
    JOIN_UP,
    NO_BANNED,
    NO_SILENT_HOLE,
    ONCE,
    PUT_OUT,
    SENDER_ORDER,
    STATE,
    Rules,
)

SEEDS_MAX = 400
"""In so many histories at most, every mistake has shown itself."""


@dataclass(frozen=True)
class Mutant:
    mistake: str
    check: str
    """The check that fails."""
    rules: Rules


def _but(**decided: bool) -> Rules:
    return replace(Rules(), **decided)


MUTANTS = {
    "ack-early": Mutant("acknowledge before the COMMIT", ACKED, _but(ack_after_commit=False)),
    "announce-early": Mutant(
        "tell the others before the COMMIT, which may fail", NO_SILENT_HOLE, _but(announce_after_commit=False)
    ),
    "forget-ids": Mutant("store a repeated post again", ONCE, _but(ids_are_remembered=False)),
    "burn-numbers": Mutant(
        "INSERT … ON CONFLICT DO NOTHING after the number was taken",
        GAPLESS,
        _but(duplicates_burn_no_number=False),
    ),
    "edit-in-place": Mutant(
        "change a message without a number", NO_SILENT_HOLE, _but(edits_take_numbers=False)
    ),
    "rights-unversioned": Mutant(
        "look who may post before the lock, and not again under it",
        NO_BANNED,
        _but(rights_are_compared_by_version=False),
    ),
    "resume-by-place": Mutant("resume by seq instead of rev", NO_SILENT_HOLE, _but(resume_by_rev=False)),
    "head-last": Mutant("read the head after the rows", NO_SILENT_HOLE, _but(head_is_read_first=False)),
    "floor-once": Mutant(
        "look at the floor before the rows only", NO_SILENT_HOLE, _but(floor_is_read_again=False)
    ),
    "ignore-epoch": Mutant("compare no epochs on the server", STATE, _but(epochs_are_compared=False)),
    "ignore-floor": Mutant(
        "resume below the floor",
        NO_SILENT_HOLE,
        _but(floors_are_compared=False),
    ),
    "prune-without-floor": Mutant(
        "prune and say nothing", NO_SILENT_HOLE, _but(pruning_raises_the_floor=False)
    ),
    "read-then-subscribe": Mutant(
        "enter where the room stands after the read, not where the read ended",
        JOIN_UP,
        _but(subscribe_before_reading=False),
    ),
    "ring-for-all": Mutant(
        "serve from the recent events who stands before them",
        NO_SILENT_HOLE,
        _but(ring_is_asked_for_its_floor=False),
    ),
    "trust-the-order": Mutant(
        "take what the bus brings as the next", NO_SILENT_HOLE, _but(hub_checks_prev=False)
    ),
    "notice-holes-only": Mutant(
        "notice a hole and wait for the bus to bring the rest", STATE, _but(hub_fills_holes=False)
    ),
    "trust-the-bus": Mutant("no poll", STATE, _but(hub_polls=False)),
    "trust-the-bus-blindly": Mutant(
        "no poll, and no heads in the ping", STATE, _but(hub_polls=False, pings_carry_heads=False)
    ),
    "poll-heads-only": Mutant(
        "compare positions in the poll, but not the access version", PUT_OUT, _but(poll_compares_access=False)
    ),
    "restart-silently": Mutant("start a room over without telling", JOIN_UP, _but(restart_is_told=False)),
    "drop-when-slow": Mutant(
        "drop what a slow socket does not take, and move its cursor on",
        JOIN_UP,
        _but(dropping_leaves_the_cursor=False),
    ),
    "no-heads": Mutant(
        "no heads in the ping: the last frame may be lost", STATE, _but(pings_carry_heads=False)
    ),
    "apply-blindly": Mutant(
        "apply a frame without a look at its prev", NO_SILENT_HOLE, _but(client_checks_prev=False)
    ),
    "keep-on-reset": Mutant(
        "keep what one has on a reset", NO_SILENT_HOLE, _but(client_starts_over_on_reset=False)
    ),
    "pipeline": Mutant(
        "send later posts before the ack of earlier ones", SENDER_ORDER, _but(client_waits_for_ack=False)
    ),
    "new-id-per-try": Mutant("repeat a post under a new id", ONCE, _but(client_repeats_the_id=False)),
}


def first_red_seed(mutant: Mutant, seeds: range = range(SEEDS_MAX)) -> int | None:
    """The first history in which the mutant's check is red."""
    return next((seed for seed in seeds if mutant.check in run(seed, mutant.rules)), None)
