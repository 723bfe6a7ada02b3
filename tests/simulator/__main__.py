"""Run the simulator: `python -m tests.simulator --seed 7 --steps 100`, or `--seeds 200` from that seed on."""

import argparse
import sys
import time

from tests.simulator.simulation import STEPS, run


def main() -> int:
    """Run each seed, tell what fails, and end with 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first seed; the clock's, if not given")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after another")
    parser.add_argument("--steps", type=int, default=STEPS, help="steps of each")
    given = parser.parse_args()
    began, steps, crashes, failed = time.monotonic(), 0, 0, []
    for seed in range(given.seed, given.seed + given.seeds):
        done = run(seed, given.steps)
        steps, crashes = steps + done.steps, crashes + done.crashes
        if done.failure:
            failed.append(seed)
            print(f"\n{done.failure}\n", flush=True)
        else:
            print(f"seed {seed}: {done.steps} steps, {done.crashes} crashes, {done.digest[:16]}", flush=True)
    rate = steps / (time.monotonic() - began)
    print(f"{given.seeds} seeds, {steps:,} steps, {crashes:,} crashes, {rate:.1f} steps a second")
    print(f"failed: {', '.join(map(str, failed)) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
