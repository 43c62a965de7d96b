from __future__ import annotations

from pathlib import Path

import pytest

from dataspoke.core.errors import ConfigError
from dataspoke.local_hub import server


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_hub_that_asks_for_no_token_stays_on_its_machine(host: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--allow-unauthenticated-network"):
        server.serve(
            tmp_path,
            host=host,
            port=0,
            token=None,
            allow_network=False,
            kafka=None,
            pg_queue=None,
        )
