"""``python -m tests.faults --seed 7 --server uvicorn --layer redis --database postgresql --seconds 60``

Runs once, prints what came out, and fails if anything does not hold. The same seed commits the same faults.
"""

import argparse
import asyncio
import json
import random
import sys
from pathlib import Path

from tests.faults.run import run
from tests.faults.site import Place


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--server", choices=["uvicorn", "daphne"], default="uvicorn")
    parser.add_argument("--layer", choices=["memory", "redis", "pubsub"], default="redis")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--members", type=int, default=36)
    parser.add_argument("--rooms", type=int, default=9)
    parser.add_argument("--think", type=float, default=0.05)
    parser.add_argument("--pause", type=float, default=2.0)
    parser.add_argument("--only", default="", help="commit only this fault")
    parser.add_argument("--roomchat", type=json.loads, default={}, help="the site's ROOMCHAT, as JSON")
    parser.add_argument("--log", type=Path, help="write the servers' logs to this file")
    chosen = parser.parse_args()
    place = Place(chosen.server, chosen.layer, chosen.database, chosen.processes)
    print(f"seed {chosen.seed}: {place}", flush=True)
    outcome = asyncio.run(
        run(
            place,
            seed=chosen.seed,
            seconds=chosen.seconds,
            members=chosen.members,
            rooms=chosen.rooms,
            think=chosen.think,
            pause=chosen.pause,
            only=chosen.only,
            roomchat=chosen.roomchat,
        )
    )
    if chosen.log:
        chosen.log.write_text(outcome.log)
    print("\n".join(outcome.diary))
    print(json.dumps(outcome.figures(), indent=1, ensure_ascii=False))
    return 0 if outcome.verdict.holds else 1


if __name__ == "__main__":
    sys.exit(main())
