"""Settings of all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# A slow machine is no failure. CI must give the same answer twice; people look for new cases.
settings.register_profile("people", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "people")
