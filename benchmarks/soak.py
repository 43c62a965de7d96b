"""Does anything get lost? Kill the action at random, take away what it needs, then compare.

    python benchmarks/soak.py kill --source dataspoke-events
    python benchmarks/soak.py kill --source kafka
    python benchmarks/soak.py away --what hub --seconds 120

`kill` edits a catalogue while the action is killed with -9; at the end the index must equal the
hub without a reconcile (on `pg_queue` and `datahub-cloud`: after one). `away` takes the hub, the
database or the index away for some time in the middle of the edits; the action must wait and say
so. Exit code 0 only if index and hub are equal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))

from soak_scenarios import kill_at_random, say, take_away
from spoke_stack import RECIPES

EVENTS = 5_000
KILLS = 10
SECONDS_AWAY = 120


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenario", choices=["kill", "away"])
    parser.add_argument("--source", choices=sorted(RECIPES), default="dataspoke-events")
    parser.add_argument("--what", choices=["hub", "database", "index"], default="hub")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seconds", type=float, default=SECONDS_AWAY)
    parser.add_argument("--pace", type=float, default=0.05, help="pause after 25 changes, seconds")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dataspoke-soak-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        if options.scenario == "kill":
            seconds = kill_at_random(
                home,
                options.source,
                events=options.events,
                kills=options.kills,
                pace_s=options.pace,
            )
            say(f"EQUAL {options.source}: {options.kills} kills, {seconds:.1f} s after the last")
        else:
            _said, seconds = take_away(
                home, options.what, events=options.events, seconds=options.seconds
            )
            say(f"EQUAL {options.what} away {options.seconds:.0f} s: {seconds:.1f} s after it")


if __name__ == "__main__":
    main()
