"""Fuzz the decoders, and print what they answered.

python -m tests.fuzz --frames 1000000
python -m tests.fuzz --frames 1000 --seed 7
"""

from __future__ import annotations

import argparse
import time

from tests.fuzz.decoder import play

parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=(__doc__ or "").splitlines()[0])
parser.add_argument("--frames", type=int, default=100_000)
parser.add_argument("--seed", type=int, default=0)
chosen = parser.parse_args()

began = time.monotonic()
answers = play(chosen.seed, chosen.frames)
print(
    f"{chosen.frames} frames of seed {chosen.seed}, each at both decoders, in {time.monotonic() - began:.0f} s:"
)
for answer, times in answers.most_common():
    print(f"{times:10d}  {answer}")
print("Nothing but ChatErrors.")
