"""Play histories of the model.

python -m tests.model                                  the design and all mutants, a table
python -m tests.model --seeds 20000 --only-design      many histories of the design
python -m tests.model --mutant drop-when-slow --seed 7 one history again
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.model.mutants import MUTANTS
from tests.model.protocol_model import run
from tests.model.rules import CHECKS, Rules


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__.splitlines()[0])
    parser.add_argument("--mutant", choices=MUTANTS, help="instead of the design")
    parser.add_argument("--seed", type=int, help="play this history only")
    parser.add_argument(
        "--seeds", type=int, default=2000, help="histories of the design, and a tenth of each mutant"
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only-design", action="store_true", help="no mutants")
    chosen = parser.parse_args()
    if chosen.seed is not None:
        rules = MUTANTS[chosen.mutant].rules if chosen.mutant else Rules()
        violated = run(chosen.seed, rules)
        for check in CHECKS:
            print(f"{'RED ' if check in violated else 'ok  '} {check}")
        return bool(violated) and not chosen.mutant
    if chosen.mutant:
        return not play(
            chosen.mutant, MUTANTS[chosen.mutant].rules, range(chosen.first, chosen.first + chosen.seeds)
        )
    wrong = play("the design", Rules(), range(chosen.first, chosen.first + chosen.seeds))
    if not chosen.only_design:
        for name, mutant in MUTANTS.items():
            red = play(name, mutant.rules, range(chosen.first, chosen.first + max(1, chosen.seeds // 10)))
            if mutant.check not in red:
                wrong[f"{name} was not noticed"] = 1
    return bool(wrong)


def play(name: str, rules: Rules, seeds: range) -> Counter[str]:
    began = time.monotonic()
    red: Counter[str] = Counter()
    first: dict[str, int] = {}
    bad = 0
    for seed in seeds:
        found = run(seed, rules)
        bad += bool(found)
        red.update(found)
        for check in found:
            first.setdefault(check, seed)
    print(
        f"{name}: {bad} of {len(seeds)} histories violate a promise ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    for check, times in red.most_common():
        print(f"    {times:6d}  {check} (first with seed {first[check]})", flush=True)
    return red


sys.exit(main())
