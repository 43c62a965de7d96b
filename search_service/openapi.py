"""The OpenAPI document as committed: `python -m dataspoke.search_service.openapi FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dataspoke.core.settings import Settings
from dataspoke.search_service.app import create_app


def openapi_document() -> str:
    """The document as it is committed; nothing is loaded or opened for it."""
    app = create_app(Settings.from_env({}))
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(openapi_document(), encoding="utf-8")
