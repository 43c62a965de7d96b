"""Comparing a value with a JSON file beside the test.

With DATASPOKE_UPDATE_GOLDEN=1 the files are written instead; read the diff before committing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def assert_golden(path: Path, value: Any) -> None:
    """`value` is what JSON can say; keys are compared without their order."""
    if os.environ.get("DATASPOKE_UPDATE_GOLDEN"):
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(json.dumps(value))
