"""The folder of an embedded index: one owner at a time, and a note of what it holds.

::

    <index_dir>/<name>.lock     our file lock; held while the index is open
    <index_dir>/<name>.owner    pid of the process that holds it
    <index_dir>/<name>/meta.json
    <index_dir>/<name>/shard*/  the engine's own files; meta.json names those in use

The lock comes first because the engine has none that helps: a second open is refused, but it
makes the next flush of the first owner fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from filelock import FileLock, Timeout

from dataspoke.core.errors import ConfigError, FatalError
from dataspoke.core.index.model import IndexSpec


def folder_name(model_id: str) -> str:
    """A file name that is safe everywhere and differs for different ids.

    >>> folder_name("my/model:1")
    'my-model-1-0f372ac1'
    """
    readable = re.sub(r"[^A-Za-z0-9._]+", "-", model_id).strip("-.")[:80]
    if readable == model_id:
        return readable
    return f"{readable}-{sha256(model_id.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class IndexFolder:
    """An index folder that this process owns until `release`."""

    path: Path
    generation: str
    shard: Path
    _lock: FileLock

    def with_shard(self, shard: Path) -> IndexFolder:
        """Make `shard`, a folder beside the present one, the one in use; durable, in one step."""
        meta = json.loads((self.path / "meta.json").read_text())
        fresh = self.path / "meta.json.new"
        with fresh.open("w") as file:
            file.write(json.dumps(meta | {"shard": shard.name}, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path / "meta.json")
        _sync_folder(self.path)
        return replace(self, shard=shard)

    def release(self) -> None:
        """Give the folder to whoever wants it next."""
        _owner_file(self.path).unlink(missing_ok=True)
        self._lock.release()


def own_folder(
    index_dir: Path, spec: IndexSpec, create_shard: Callable[[Path], None]
) -> IndexFolder:
    """Lock the folder of `spec` under `index_dir`; make it with `create_shard` if it is new.

    A new folder appears in one rename, so that a kill leaves no half-made index. Raises
    FatalError if another process owns it or its note is damaged, ConfigError if the place
    cannot be written.
    """
    path = index_dir / folder_name(spec.model_id)
    lock = _take_lock(path)
    try:
        if not path.exists():
            _create(path, spec, create_shard)
        generation, shard = _read_meta(path, spec)
    except BaseException:
        _owner_file(path).unlink(missing_ok=True)
        lock.release()
        raise
    return IndexFolder(path, generation, path / shard, lock)


def spec_of(folder: Path) -> IndexSpec:
    """What an index folder was made for."""
    spec = json.loads((folder / "meta.json").read_text())["spec"]
    return IndexSpec(spec["model_id"], spec["dense"], tuple(spec["sparse"]))


def damaged(path: Path, reason: str) -> FatalError:
    """The sentence for an index that cannot be read."""
    return FatalError(
        f"Cannot open the index in {path}: {reason}. "
        f"Move it away (mv '{path}' '{path}.damaged'), start again, and run "
        "`dataspoke index reconcile`, which fills a new index from DataHub; nothing else is lost."
    )


def _take_lock(path: Path) -> FileLock:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_lock_file(path), thread_local=False)
        lock.acquire(timeout=0)
        _owner_file(path).write_text(str(os.getpid()))
    except Timeout:
        raise FatalError(
            f"Cannot open the index in {path}: {_owner_of(path)} uses it, and one process at a "
            "time may. Stop that process, or set DATASPOKE_QDRANT_URL to share a Qdrant server."
        ) from None
    except OSError as exc:
        raise ConfigError(
            f"Cannot write the index folder {path.parent}: {exc.strerror or exc}. "
            "Point DATASPOKE_HOME at a folder that this user may write."
        ) from exc
    return lock


def _owner_of(path: Path) -> str:
    with suppress(OSError):
        if pid := _owner_file(path).read_text().strip():
            return f"the process with pid {pid}"
    return "another process"


def _lock_file(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _owner_file(path: Path) -> Path:
    # Not in the lock file: a refused attempt to lock truncates that.
    return path.with_name(path.name + ".owner")


def _create(path: Path, spec: IndexSpec, create_shard: Callable[[Path], None]) -> None:
    fresh = path.with_name(path.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    meta = {"generation": str(uuid.uuid4()), "shard": "shard", "spec": _spec_as_json(spec)}
    (fresh / "meta.json").write_text(json.dumps(meta, indent=2) + "\n")
    create_shard(fresh / "shard")
    fresh.rename(path)


def _read_meta(path: Path, spec: IndexSpec) -> tuple[str, str]:
    try:
        meta = json.loads((path / "meta.json").read_text())
        generation, stored = str(meta["generation"]), meta["spec"]
        shard = str(meta.get("shard", "shard"))
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise damaged(path, f"its meta.json cannot be read ({type(exc).__name__})") from exc
    if not (path / shard).is_dir():
        raise damaged(path, f"its folder {shard!r} is missing")
    if stored != _spec_as_json(spec):
        raise damaged(path, f"it was made for {stored}, not for {_spec_as_json(spec)}")
    return generation, shard


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _spec_as_json(spec: IndexSpec) -> dict[str, object]:
    return {
        "model_id": spec.model_id,
        "dense": dict(sorted(spec.dense.items())),
        "sparse": sorted(spec.sparse),
    }
