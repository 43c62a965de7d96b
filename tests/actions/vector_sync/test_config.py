"""The recipe's keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataspoke.actions.vector_sync.config import VectorSyncConfig, read_config
from dataspoke.core.errors import ConfigError


def test_the_recipe_wins_over_the_environment(tmp_path: Path) -> None:
    config = read_config(
        {"home": str(tmp_path), "model": "hash", "database_url": "postgresql://u:p@h/d"}
    )
    settings = config.settings(
        {"DATASPOKE_HOME": "/elsewhere", "DATASPOKE_MODEL": "x", "DATAHUB_GMS_URL": "http://hub"}
    )
    assert settings.home == tmp_path
    assert settings.model == "hash"
    assert settings.database_url == "postgresql://u:p@h/d"
    assert settings.gms_url == "http://hub"


def test_the_environment_is_the_default(tmp_path: Path) -> None:
    settings = read_config({}).settings({"DATASPOKE_HOME": str(tmp_path)})
    assert settings.home == tmp_path
    assert settings.database_url == f"sqlite:///{tmp_path / 'dataspoke.db'}"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"worker": 1}, r"action\.config\.worker: .*\(did you mean workers\?\)"),
        ({"workers": -1}, r"action\.config\.workers: .*greater than or equal to 0"),
        ({"max_removal_share": 3}, r"action\.config\.max_removal_share"),
        ({"zzz": 1, "lease_seconds": 0}, r"action\.config\.lease_seconds.*action\.config\.zzz"),
    ],
)
def test_a_wrong_key_is_named_by_its_full_path(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as caught:
        read_config(values)
    assert "action.config knows home" in str(caught.value)


def test_secrets_stay_out_of_messages() -> None:
    with pytest.raises(ConfigError) as caught:
        read_config({"database_url": ["postgresql://u:secret@h/d"], "qdrant_api_key": 5})
    assert "secret" not in str(caught.value)
    config = read_config({"database_url": "postgresql://u:secret@h/d"})
    assert "secret" not in repr(config)


def test_every_key_is_described() -> None:
    for name, field in VectorSyncConfig.model_fields.items():
        assert field.description, name
