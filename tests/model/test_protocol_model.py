"""The design keeps its promises in the model, and every usual mistake is noticed there."""

import pytest

from tests.model.mutants import MUTANTS, SEEDS_MAX, first_red_seed
from tests.model.protocol_model import World, run
from tests.model.rules import CHECKS, Rules

HISTORIES = 2_000
"""The environment `model` of tox plays ten times as many."""


def test_no_history_violates_a_promise():
    violations = {seed: found for seed in range(HISTORIES) if (found := run(seed))}

    assert violations == {}, "again: python -m tests.model --seed SEED"


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mistake_is_noticed(name):
    mutant = MUTANTS[name]

    seed = first_red_seed(mutant)

    assert seed is not None, f"{mutant.mistake}: “{mutant.check}” stays green in {SEEDS_MAX} histories"
    print(f"python -m tests.model --mutant {name} --seed {seed}: {mutant.check}")


def test_every_mutant_decides_one_thing_otherwise_or_two():
    for mutant in MUTANTS.values():
        decided = vars(mutant.rules).items() ^ vars(Rules()).items()

        assert 1 <= len(decided) / 2 <= 2


def test_every_decision_of_the_design_has_a_mutant():
    decided = {name for mutant in MUTANTS.values() for name, value in vars(mutant.rules).items() if not value}

    assert decided == set(vars(Rules()))


def test_a_seed_plays_the_same_history_again():
    first, again = World(7, Rules()), World(7, Rules())
    first.run()
    again.run()

    assert [log.said for log in first.logs.values()] == [log.said for log in again.logs.values()]


def test_the_histories_are_full_of_what_can_happen():
    """A model in which nothing happens finds nothing."""
    worlds = [World(seed, Rules()) for seed in range(20)]
    for world in worlds:
        world.run()
    logs = [log for world in worlds for log in world.logs.values()]

    assert sum(len(world.sent) for world in worlds) / 20 > 20
    assert sum(len(log.said) for log in logs) > 300
    assert sum(log.head - len(log.said) for log in logs) > 30  # edits and deletions
    assert sum(len(log.pruned) for log in logs) > 30
    assert any(world.refused for world in worlds)
    assert any(world.unmade for world in worlds)


def test_the_checks_have_names_of_their_own():
    assert len(set(CHECKS)) == len(CHECKS)
