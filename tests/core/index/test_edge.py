"""What only the embedded index promises: one owner, durable on return, honest about damage."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from index_support import NOW_MS, SPEC, make_point

from dataspoke.core.errors import ConfigError, FatalError
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.folder import folder_name
from dataspoke.core.index.model import (
    DeletePoint,
    DenseQuery,
    Hashes,
    IndexSpec,
    SetPayload,
    point_id,
)
from dataspoke.core.index.points import TOMBSTONE_MS

WRITER = """
import sys
from pathlib import Path
from index_support import NOW_MS, SPEC, make_point
from dataspoke.core.index.edge import EdgeIndex
from dataspoke.core.index.model import DeletePoint

index = EdgeIndex.open(Path(sys.argv[1]), SPEC, now_ms=NOW_MS)
number = int(sys.argv[2])
print("open", flush=True)
while True:
    index.apply([make_point(f"urn:{number}:{part}") for part in "abc"])
    index.apply([DeletePoint(f"urn:{number}:b", 1)])
    print(number, flush=True)
    number += 1
"""


def _open(folder: Path, spec: IndexSpec = SPEC, now_ms: int = NOW_MS) -> EdgeIndex:
    return EdgeIndex.open(folder, spec, now_ms=now_ms)


def _start_writer(folder: Path, first: int = 0) -> subprocess.Popen[str]:
    support = str(Path(__file__).parents[2] / "support")
    environment = os.environ | {"PYTHONPATH": support}
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(first)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    acknowledged = -1
    for _ in range(5):
        writer = _start_writer(tmp_path, acknowledged + 1)
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        for _ in range(3):
            acknowledged = int(writer.stdout.readline())
        writer.send_signal(signal.SIGKILL)
        rest = writer.communicate()[0].split()
        acknowledged = int(rest[-1]) if rest else acknowledged
    index = _open(tmp_path)
    everything = {urn for page in index.urns() for urn in page}
    expected = {f"urn:{number}:{part}" for number in range(acknowledged + 1) for part in "ac"}
    assert expected <= everything
    # A write that a kill cut off may have left a trace, an acknowledged deletion has not.
    assert {int(urn.split(":")[1]) for urn in everything - expected} <= {acknowledged + 1}
    index.close()


def test_a_second_process_is_told_who_owns_the_folder(tmp_path: Path) -> None:
    writer = _start_writer(tmp_path)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "open\n"
    with pytest.raises(FatalError) as refused:
        _open(tmp_path)
    assert str(tmp_path) in str(refused.value)
    assert f"pid {writer.pid}" in str(refused.value)
    # The refusal did not disturb the owner: it goes on to write.
    assert [writer.stdout.readline() for _ in range(2)] == ["0\n", "1\n"]
    writer.kill()
    writer.communicate()
    _open(tmp_path).close()


def test_a_closed_index_is_free_for_the_next_owner_and_says_that_it_is_closed(
    tmp_path: Path,
) -> None:
    first = _open(tmp_path)
    first.apply([make_point("urn:a")])
    first.close()
    first.close()
    with pytest.raises(FatalError, match="it was closed"):
        first.count([])
    second = _open(tmp_path)
    assert second.count([]) == 1
    assert second.generation == first.generation
    second.close()


def test_each_model_has_a_folder_of_its_own(tmp_path: Path) -> None:
    one = _open(tmp_path)
    other = _open(tmp_path, IndexSpec("another/model", {"meaning": 4}, ()))
    one.apply([make_point("urn:a")])
    assert other.count([]) == 0
    assert other.generation != one.generation
    assert other.info().location == str(tmp_path / folder_name("another/model"))
    one.close()
    other.close()


def test_a_rebuilt_folder_has_another_generation(tmp_path: Path) -> None:
    index = _open(tmp_path)
    index.close()
    (tmp_path / folder_name(SPEC.model_id)).rename(tmp_path / "away")
    again = _open(tmp_path)
    assert again.generation != index.generation
    assert again.info().points == 0
    again.close()


def _break_segment(folder: Path) -> None:
    for path in folder.glob("shard/segments/*/segment.json"):
        path.write_text("{")


def _remove_segments(folder: Path) -> None:
    shutil.rmtree(folder / "shard" / "segments")


def _break_note(folder: Path) -> None:
    (folder / "meta.json").write_text("{")


def _remove_note(folder: Path) -> None:
    (folder / "meta.json").unlink()


def _remove_shard(folder: Path) -> None:
    shutil.rmtree(folder / "shard")


def _empty_shard(folder: Path) -> None:
    shutil.rmtree(folder / "shard")
    (folder / "shard").mkdir()


def _other_note(folder: Path) -> None:
    text = (folder / "meta.json").read_text()
    (folder / "meta.json").write_text(text.replace("384", "385"))


@pytest.mark.parametrize(
    "damage",
    [
        _break_segment,
        _remove_segments,
        _break_note,
        _remove_note,
        _remove_shard,
        _empty_shard,
        _other_note,
    ],
)
def test_a_damaged_index_says_what_to_do_and_can_be_moved_away(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    index = _open(tmp_path)
    index.apply([make_point("urn:a")])
    index.close()
    folder = tmp_path / folder_name(SPEC.model_id)
    damage(folder)
    with pytest.raises(FatalError) as refused:
        _open(tmp_path)
    assert re.search(rf"mv '{folder}' '{folder}\.damaged'.*reconcile", str(refused.value))
    folder.rename(tmp_path / "damaged")
    fresh = _open(tmp_path)
    assert fresh.count([]) == 0
    fresh.close()


def test_a_creation_that_was_cut_off_leaves_nothing_behind(tmp_path: Path) -> None:
    half = tmp_path / (folder_name(SPEC.model_id) + ".new")
    (half / "shard").mkdir(parents=True)
    _open(tmp_path).close()
    assert not half.exists()


def test_a_folder_that_cannot_be_made_is_an_error_of_the_operator(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="DATASPOKE_HOME"):
        _open(tmp_path / "file" / "index")


def test_old_tombstones_are_dropped_on_opening(tmp_path: Path) -> None:
    index = _open(tmp_path)
    index.apply([make_point("urn:a"), make_point("urn:b", version=NOW_MS)])
    index.apply([DeletePoint("urn:a", 2), DeletePoint("urn:b", NOW_MS)])
    index.close()
    index = _open(tmp_path)
    index.apply([make_point("urn:a", version=1), make_point("urn:b", version=NOW_MS - 1)])
    assert list(index.get(["urn:a", "urn:b"])) == ["urn:a"]
    index.close()
    index = _open(tmp_path, now_ms=NOW_MS + TOMBSTONE_MS + 1)
    index.apply([make_point("urn:b", version=1)])
    assert index.count([]) == 2
    index.close()


def test_everything_is_there_after_reopening(tmp_path: Path) -> None:
    index = _open(tmp_path)
    index.apply([make_point(f"urn:{n}", f"table {n}") for n in range(50)])
    index.apply([SetPayload("urn:7", Hashes("c", "p"), {"name": "renamed"}, 2)])
    index.apply([DeletePoint("urn:8", 2)])
    index.close()
    index = _open(tmp_path)
    assert index.count([]) == 49
    assert index.get(["urn:7"])["urn:7"]["name"] == "renamed"
    query = DenseQuery("meaning", make_point("q", "table 7").dense["meaning"])
    assert index.search([query], conditions=[], limit=1)[0][0].id == point_id("urn:7")
    index.close()


def test_threads_share_an_index(tmp_path: Path) -> None:
    index = _open(tmp_path)
    query = DenseQuery("meaning", make_point("q").dense["meaning"])
    failures: list[BaseException] = []

    def write(name: str) -> None:
        for number in range(20):
            index.apply([make_point(f"urn:{name}:{number}", version=number + 1)])
            index.apply([make_point("urn:shared", f"{name} {number}", version=number + 1)])

    def read() -> None:
        for _ in range(40):
            index.search([query], conditions=[], limit=5)
            index.count([])

    def run(target: Callable[[], None]) -> None:
        try:
            target()
        except BaseException as exc:
            failures.append(exc)

    jobs: list[Callable[[], None]] = [lambda: write("a"), lambda: write("b"), read, read]
    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert index.count([]) == 41
    assert index.hashes(["urn:shared"])["urn:shared"].content_hash in ("text a 19", "text b 19")
    index.close()


def test_a_call_that_the_engine_refuses_is_not_called_damage(tmp_path: Path) -> None:
    index = _open(tmp_path)
    wrong = DenseQuery("meaning", make_point("q").dense["meaning"][:10])
    with pytest.raises(FatalError, match="the engine says"):
        index.search([wrong], conditions=[], limit=1)
    assert index.count([]) == 0
    index.close()
