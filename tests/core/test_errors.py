from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dataspoke.core.errors import MissingExtraError, require


def test_a_library_that_is_there_is_imported() -> None:
    assert require("json", extra="search", purpose="read").loads("1") == 1


def test_a_missing_library_names_its_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"Cannot fly: .*pip install 'dataspoke\[search\]'"):
        require("no_such_library.wings", extra="search", purpose="fly")


def test_a_library_that_lacks_one_of_its_own_is_not_ours_to_explain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_installed.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "half_installed", raising=False)
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        require("half_installed", extra="search", purpose="fly")
