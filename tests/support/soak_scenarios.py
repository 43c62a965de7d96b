"""What must survive: the action killed at random, and each thing that it needs away for a while."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

from logged_process import wait_until
from qdrant_rest import QdrantProcess
from spoke_stack import Stack

SEED = 11
LOSSLESS = ("dataspoke-events", "kafka")


def kill_at_random(home: Path, source: str, *, events: int, kills: int, pace_s: float) -> float:
    """Edit and kill; returns the seconds from the last edit until index and hub were equal."""
    chance = random.Random(SEED)
    with Stack(home, source) as stack:
        at = sorted(chance.sample(range(1, events), kills))
        killed = 0
        for done in stack.editor.edit(events):
            while killed < kills and done >= at[killed]:
                stack.action.kill()
                killed += 1
                say(f"{done} of {events} changes: kill {killed} of {kills}")
                stack.action.start()
                # Live for a while, or ten kills would all hit a process that still starts.
                time.sleep(chance.uniform(0, 8))
            time.sleep(pace_s)
        for _ in range(kills - killed):
            stack.action.restart()
        say(f"{stack.editor.proposals} changes made; wait until index and hub are equal")
        if source not in LOSSLESS:
            done_reconcile = stack.dataspoke("index", "reconcile")
            assert done_reconcile.returncode == 0, done_reconcile.stderr
            say(done_reconcile.stdout.strip())
        seconds = stack.wait_equal(timeout=300)
        dead = stack.work_status()["dead"]
        assert dead == 0, stack.dataspoke("work", "list").stdout
        return seconds


def take_away(home: Path, what: str, *, events: int, seconds: float) -> tuple[str, float]:
    """Take `what` away amid edits; returns what /readyz said and the seconds to be equal."""
    qdrant = QdrantProcess(home / "qdrant") if what == "index" else None
    if qdrant is not None:
        qdrant.start()
    try:
        with Stack(
            home,
            "dataspoke-events",
            postgres_store=what == "database",
            qdrant_url=qdrant.url if qdrant else None,
        ) as stack:
            for _ in stack.editor.edit(events // 2):
                pass
            away, back = {
                "hub": (stack.hub.kill, stack.hub.start),
                "database": (
                    lambda: stack.store_server.stop(immediate=True),  # type: ignore[union-attr]
                    lambda: stack.store_server.start(),  # type: ignore[union-attr]
                ),
                "index": (
                    (lambda: qdrant.kill(), lambda: qdrant.start())  # type: ignore[union-attr]
                ),
            }[what]
            away()
            began = time.monotonic()
            edits = None
            if what != "hub":
                # The hub takes edits all the while; what needs the missing part must wait.
                edits = threading.Thread(target=lambda: list(stack.editor.edit(events // 2)))
                edits.start()
            wait_until(lambda: stack.readiness()[0] == 503, what="/readyz says 503", timeout=60)
            said = stack.readiness()[1]
            say(f"{what} away; /readyz says {said}")
            while time.monotonic() - began < seconds:
                assert stack.action.alive, stack.action.failure("ended while something was away")
                time.sleep(0.5)
            back()
            say(f"{what} back after {time.monotonic() - began:.0f} s")
            if edits is None:
                for _ in stack.editor.edit(events // 2):
                    pass
            else:
                edits.join()
            waited = stack.wait_equal(timeout=300)
            wait_until(lambda: stack.readiness()[0] == 200, what="/readyz says 200", timeout=60)
            dead = stack.work_status()["dead"]
            assert dead == 0, stack.dataspoke("work", "list").stdout
            return said, waited
    finally:
        if qdrant is not None:
            qdrant.kill()


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)
